//! The parameter of the function: `&mut` of a connection or of a session.

use proc_macro2::{Delimiter, Group, Span, TokenTree};

use crate::{attrs, diagnostics::Diagnostics, values::is_mark};

/// The function is a method.
pub(crate) struct NotFree;

/// `&mut C`
pub(crate) struct Parameter {
    /// `C`
    pub(crate) referent: Vec<TokenTree>,
    /// Where the `&` is.
    pub(crate) ampersand: Span,
}

/// The only parameter; `Ok(None)` and errors when it is not one.
pub(crate) fn parse(
    parameters: &Group,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Parameter>, NotFree> {
    let parameters_given = split(parameters.stream().into_iter().collect());
    let mut given = parameters_given.iter();
    let Some(first) = given.next() else {
        diagnostics.error(
            parameters.span(),
            "a migration takes its connection as the one parameter: write `(db: &mut SqliteConnection)`",
        );
        return Ok(None);
    };
    let colon = position_of_colon(first);
    let pattern = first
        .get(..colon.unwrap_or(first.len()))
        .unwrap_or_default();
    if let Some(this) = pattern
        .iter()
        .find(|it| matches!(it, TokenTree::Ident(it) if it == "self"))
    {
        diagnostics.error(
            this.span(),
            "a migration is a free function, not a method: move it out of the `impl`",
        );
        return Err(NotFree);
    }
    let extra: Vec<_> = given.flatten().cloned().collect();
    if let Some(next) = extra.first() {
        diagnostics.error_on(
            &extra,
            next.span(),
            "a migration takes one parameter, its connection; remove the others",
        );
    }
    let Some(colon) = colon else {
        // Without a type: an error of rustc's.
        return Ok(None);
    };
    let declared = attrs::peel(first.get(colon + 1..).unwrap_or_default());
    Ok(referent(&declared, diagnostics))
}

fn referent(declared: &[TokenTree], diagnostics: &mut Diagnostics) -> Option<Parameter> {
    let mut rest = declared.iter();
    let first = rest.next()?;
    if !is_mark(first, '&') {
        let source = source(declared);
        diagnostics.error_on(
            declared,
            first.span(),
            format!("a migration borrows its connection: write `&mut {source}`"),
        );
        return None;
    }
    let mut next = rest.next();
    if next.is_some_and(|it| is_mark(it, '\'')) {
        rest.next();
        next = rest.next();
    }
    if !matches!(next, Some(TokenTree::Ident(word)) if word == "mut") {
        let connection: Vec<_> = next.into_iter().chain(rest).cloned().collect();
        diagnostics.error_on(
            declared,
            first.span(),
            format!(
                "a migration needs its connection mutably: write `&mut {}`",
                source(&connection)
            ),
        );
        return None;
    }
    let connection: Vec<_> = rest.cloned().collect();
    match connection.first() {
        Some(TokenTree::Ident(word)) if word == "impl" || word == "dyn" => {
            diagnostics.error_on(
                &connection,
                word.span(),
                "a migration takes one connection type, such as `SqliteConnection`; `AnyConnection` \
                 is the one for every backend",
            );
            None
        }
        _ => Some(Parameter {
            referent: connection,
            ampersand: first.span(),
        }),
    }
}

/// The colon between pattern and type, which is none of a `::`.
fn position_of_colon(tokens: &[TokenTree]) -> Option<usize> {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is_mark(token, ':') {
            if !tokens.get(at + 1).is_some_and(|next| is_mark(next, ':')) {
                return Some(at);
            }
            at += 1;
        }
        at += 1;
    }
    None
}

/// Splits at the commas outside of `<..>`.
pub(super) fn split(tokens: Vec<TokenTree>) -> Vec<Vec<TokenTree>> {
    let mut parts = Vec::new();
    let mut current: Vec<TokenTree> = Vec::new();
    let mut depth = 0;
    for token in tokens {
        depth = depth_after(depth, current.last(), &token);
        if depth == 0 && is_mark(&token, ',') {
            parts.push(std::mem::take(&mut current));
        } else {
            current.push(token);
        }
    }
    if !current.is_empty() {
        parts.push(current);
    }
    parts
}

/// How many `<` are open after `token`; the `>` of `->` and `=>` closes none.
pub(super) fn depth_after(depth: u32, before: Option<&TokenTree>, token: &TokenTree) -> u32 {
    if is_mark(token, '<') {
        depth + 1
    } else if is_mark(token, '>') && !before.is_some_and(|it| is_mark(it, '-') || is_mark(it, '='))
    {
        depth.saturating_sub(1)
    } else {
        depth
    }
}

/// The type as one would write it, near enough for a message.
fn source(tokens: &[TokenTree]) -> String {
    let mut text = String::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                text.push_str(&source(&group.stream().into_iter().collect::<Vec<_>>()));
            }
            other => {
                let word = other.to_string();
                let glue = |it: char| it.is_alphanumeric() || it == '_';
                if text.ends_with(glue) && word.starts_with(glue) || text.ends_with(',') {
                    text.push(' ');
                }
                text.push_str(&word);
            }
        }
    }
    text
}
