//! The parameters of the function: `&mut` of a connection or of a session, and what comes after it.

use proc_macro2::{Delimiter, Group, Span, TokenTree};

use super::{Parameters, Reference, Subject};
use crate::{attrs, diagnostics::Diagnostics, values::is_mark};

/// The function is a method.
pub(super) struct NotFree;

/// A connection and what comes after it; `Ok(None)` and errors when they are none.
pub(super) fn parse(
    parameters: &Group,
    subject: Subject,
    diagnostics: &mut Diagnostics,
) -> Result<Option<(Reference, Vec<Reference>)>, NotFree> {
    let noun = subject.noun;
    let parameters_given = split(parameters.stream().into_iter().collect());
    let mut given = parameters_given.iter();
    let Some(first) = given.next() else {
        let message = match subject.parameters {
            Parameters::One => format!(
                "{noun} takes its connection as the one parameter: write `(db: &mut SqliteConnection)`"
            ),
            Parameters::Several => format!(
                "{noun} takes its connection as the first parameter: write `(db: &mut SqliteConnection, ..)`"
            ),
        };
        diagnostics.error(parameters.span(), message);
        return Ok(None);
    };
    let (pattern, declared) = declared(first);
    if let Some(this) = pattern
        .iter()
        .find(|it| matches!(it, TokenTree::Ident(it) if it == "self"))
    {
        diagnostics.error(
            this.span(),
            format!("{noun} is a free function, not a method: move it out of the `impl`"),
        );
        return Err(NotFree);
    }
    // Without a type: an error of rustc's.
    let connection = declared.and_then(|it| connection(&it, subject, diagnostics));
    let more = match subject.parameters {
        Parameters::One => {
            let extra: Vec<_> = given.flatten().cloned().collect();
            if let Some(next) = extra.first() {
                diagnostics.error_on(
                    &extra,
                    next.span(),
                    format!("{noun} takes one parameter, its connection; remove the others"),
                );
            }
            Some(Vec::new())
        }
        // All of them, for their errors, before one that is none ends it.
        Parameters::Several => given
            .map(|parameter| shared(parameter, subject, diagnostics))
            .collect::<Vec<_>>()
            .into_iter()
            .collect(),
    };
    Ok(connection.zip(more))
}

/// The pattern of a parameter and its type.
fn declared(parameter: &[TokenTree]) -> (&[TokenTree], Option<Vec<TokenTree>>) {
    match position_of_colon(parameter) {
        Some(colon) => {
            let (pattern, declared) = parameter.split_at(colon);
            (
                pattern,
                Some(attrs::peel(declared.get(1..).unwrap_or_default())),
            )
        }
        None => (parameter, None),
    }
}

/// A type that is a reference.
struct Borrowed<'t> {
    ampersand: Span,
    is_mut: bool,
    referent: &'t [TokenTree],
}

fn borrowed(declared: &[TokenTree]) -> Option<Borrowed<'_>> {
    let [first, rest @ ..] = declared else {
        return None;
    };
    if !is_mark(first, '&') {
        return None;
    }
    let rest = match rest {
        [quote, _, rest @ ..] if is_mark(quote, '\'') => rest,
        _ => rest,
    };
    let (is_mut, referent) = match rest {
        [TokenTree::Ident(word), rest @ ..] if word == "mut" => (true, rest),
        _ => (false, rest),
    };
    Some(Borrowed {
        ampersand: first.span(),
        is_mut,
        referent,
    })
}

/// `&mut C`
fn connection(
    declared: &[TokenTree],
    subject: Subject,
    diagnostics: &mut Diagnostics,
) -> Option<Reference> {
    let noun = subject.noun;
    let first = declared.first()?;
    let Some(borrowed) = borrowed(declared) else {
        let source = source(declared);
        diagnostics.error_on(
            declared,
            first.span(),
            format!("{noun} borrows its connection: write `&mut {source}`"),
        );
        return None;
    };
    if !borrowed.is_mut {
        diagnostics.error_on(
            declared,
            first.span(),
            format!(
                "{noun} needs its connection mutably: write `&mut {}`",
                source(borrowed.referent)
            ),
        );
        return None;
    }
    let referent = borrowed.referent.to_vec();
    match referent.first() {
        Some(TokenTree::Ident(word)) if word == "impl" || word == "dyn" => {
            diagnostics.error_on(
                &referent,
                word.span(),
                format!(
                    "{noun} takes one connection type, such as `SqliteConnection`; `AnyConnection` \
                     is the one for every backend"
                ),
            );
            None
        }
        _ => Some(Reference {
            referent,
            ampersand: borrowed.ampersand,
        }),
    }
}

/// `&T`, after the connection.
fn shared(
    parameter: &[TokenTree],
    subject: Subject,
    diagnostics: &mut Diagnostics,
) -> Option<Reference> {
    let noun = subject.noun;
    let declared = declared(parameter).1?;
    let first = declared.first()?;
    let wrong = match borrowed(&declared) {
        None => format!(
            "{noun} borrows what it works on: write `&{}`",
            source(&declared)
        ),
        Some(it) if it.is_mut => format!(
            "{noun} borrows what it works on, and changes it in the database: write `&{}`",
            source(it.referent)
        ),
        Some(it) => {
            return Some(Reference {
                referent: attrs::peel(it.referent),
                ampersand: it.ampersand,
            });
        }
    };
    diagnostics.error_on(&declared, first.span(), wrong);
    None
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
pub(crate) fn source(tokens: &[TokenTree]) -> String {
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
