//! The function under `#[migration]`: everything before its body, which stays one token tree.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

use super::{Function, Reference, Signature, Subject, parameter};
use crate::{diagnostics::Diagnostics, fingerprint::Fingerprint, item::Tokens, values::is_mark};

/// The function, or `None` and an error when there is none that could have a companion type.
pub(crate) fn parse(
    item: TokenStream,
    subject: Subject,
    diagnostics: &mut Diagnostics,
) -> Option<Function> {
    let mut tokens = Tokens::new(item);
    let attributes = tokens.attributes(subject.attribute, diagnostics)?;
    let visibility = tokens.visibility();
    let name = tokens.name(subject, diagnostics)?;
    let lifetimes = tokens.generics(subject, diagnostics)?;
    let Some(TokenTree::Group(parameters)) = tokens.0.next() else {
        // Not what rustc would have parsed as a function.
        diagnostics.error(name.span(), "expected parameters after this name");
        return None;
    };
    let given = parameter::parse(&parameters, subject, diagnostics);
    if matches!(given, Err(parameter::NotFree)) {
        return None;
    }
    let returned = tokens.returned_and_body(&parameters, subject, diagnostics);
    let elided = |reference: Reference| Reference {
        referent: elide(reference.referent, &lifetimes).collect(),
        ampersand: reference.ampersand,
    };
    let signature = given
        .ok()
        .flatten()
        .zip(returned)
        .map(|((connection, more), returned)| Signature {
            end: parameters.span_close(),
            fingerprint: fingerprint(parameters, &returned.returns, returned.body),
            connection: elided(connection),
            more: more.into_iter().map(elided).collect(),
            returns: elide(returned.returns, &lifetimes).collect(),
        });
    Some(Function {
        cfg: attributes.cfg,
        description: attributes.docs.first_paragraph(),
        visibility,
        name,
        signature,
    })
}

fn fingerprint(parameters: Group, returns: &[TokenTree], body: Group) -> u64 {
    let mut fingerprint = Fingerprint::new();
    fingerprint.tokens([TokenTree::Group(parameters)]);
    fingerprint.tokens(returns.iter().cloned());
    fingerprint.tokens([TokenTree::Group(body)]);
    fingerprint.value()
}

/// What comes after the parameters.
struct Returned {
    returns: Vec<TokenTree>,
    body: Group,
}

/// What only functions have.
impl Tokens {
    /// Reads up to the name. Qualifiers of a function are errors; anything else is no function.
    fn name(&mut self, subject: Subject, diagnostics: &mut Diagnostics) -> Option<Ident> {
        let mut qualifiers = Vec::new();
        loop {
            match self.0.next() {
                Some(TokenTree::Ident(word)) if word == "fn" => break,
                Some(TokenTree::Ident(word)) if is_qualifier(&word) => {
                    qualifiers.push(word);
                    // The `"C"` of `extern "C"`.
                    self.0.next_if(|it| matches!(it, TokenTree::Literal(_)));
                }
                other => {
                    let first = qualifiers.into_iter().next().map(TokenTree::Ident);
                    if let Some(found) = first.or(other) {
                        diagnostics.error(found.span(), not_a_function(&found, subject));
                    }
                    return None;
                }
            }
        }
        for word in qualifiers {
            let why = match word.to_string().as_str() {
                "async" => "; Diesel's connections block, so that there is nothing to await",
                "unsafe" => "; put an `unsafe` block into it",
                _ => "",
            };
            let noun = subject.noun;
            diagnostics.error(
                word.span(),
                format!("{noun} is a plain `fn`: remove `{word}`{why}"),
            );
        }
        match self.0.next() {
            Some(TokenTree::Ident(name)) => Some(name),
            _ => None,
        }
    }

    /// The names of the lifetimes. Types and constants are errors.
    fn generics(&mut self, subject: Subject, diagnostics: &mut Diagnostics) -> Option<Vec<Ident>> {
        let mut lifetimes = Vec::new();
        if self.next_if_mark('<').is_none() {
            return Some(lifetimes);
        }
        let mut depth = 1_u32;
        let mut inside = Vec::new();
        for token in self.0.by_ref() {
            depth = parameter::depth_after(depth, inside.last(), &token);
            if depth == 0 {
                break;
            }
            inside.push(token);
        }
        for generic in parameter::split(inside) {
            match generic.as_slice() {
                [quote, TokenTree::Ident(name), ..] if is_mark(quote, '\'') => {
                    lifetimes.push(name.clone());
                }
                [first, ..] => diagnostics.error_on(
                    &generic,
                    first.span(),
                    format!(
                        "{} cannot be generic: it is registered once, as one function",
                        subject.noun
                    ),
                ),
                [] => {}
            }
        }
        Some(lifetimes)
    }

    /// What stands between `->` and `where`, and the block at the end.
    fn returned_and_body(
        &mut self,
        parameters: &Group,
        subject: Subject,
        diagnostics: &mut Diagnostics,
    ) -> Option<Returned> {
        let Subject {
            noun,
            returns: example,
            last,
            ..
        } = subject;
        let mut rest: Vec<_> = self.0.by_ref().collect();
        let body = match rest.pop() {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => Some(body),
            Some(other) => {
                diagnostics.error(other.span(), format!("{noun} needs a body: `{{ .. }}`"));
                None
            }
            None => None,
        };
        let end = rest
            .iter()
            .position(|it| matches!(it, TokenTree::Ident(word) if word == "where"))
            .unwrap_or(rest.len());
        rest.truncate(end);
        // `-` and `>`
        let returns = rest.get(2..).unwrap_or_default().to_vec();
        match returns.first() {
            None => {
                diagnostics.error(
                    parameters.span_close(),
                    format!(
                        "{noun} returns a `Result`: add `-> {example}` here, and end the body with `{last}`"
                    ),
                );
                None
            }
            Some(TokenTree::Ident(word)) if word == "impl" => {
                diagnostics.error_on(
                    &returns,
                    word.span(),
                    format!("{noun} returns one type: write `-> {example}`"),
                );
                None
            }
            Some(_) => Some(Returned {
                returns,
                body: body?,
            }),
        }
    }
}

fn is_qualifier(word: &Ident) -> bool {
    ["const", "async", "unsafe", "safe", "extern", "gen"]
        .iter()
        .any(|it| word == it)
}

fn not_a_function(found: &TokenTree, subject: Subject) -> String {
    let on = format!("`#[{}]` goes on a function", subject.attribute);
    match found.to_string().as_str() {
        "struct" => format!("{on}, not on a struct; for a view write `#[view_manager(..)]`"),
        word @ ("enum" | "union" | "trait" | "impl" | "mod" | "const" | "static" | "type"
        | "use") => format!("{on}, found `{word}`"),
        _ => on,
    }
}

/// Replaces lifetimes that the function declares by `'_`: outside of it they have no name.
fn elide(tokens: Vec<TokenTree>, lifetimes: &[Ident]) -> impl Iterator<Item = TokenTree> + use<'_> {
    let mut quoted = false;
    tokens.into_iter().map(move |token| {
        let after_quote = quoted;
        quoted = matches!(&token, TokenTree::Punct(it)
            if it.as_char() == '\'' && it.spacing() == Spacing::Joint);
        match token {
            TokenTree::Ident(name) if after_quote && lifetimes.contains(&name) => {
                TokenTree::Ident(Ident::new("_", name.span()))
            }
            TokenTree::Group(group) if !lifetimes.is_empty() => {
                let inner =
                    elide(group.stream().into_iter().collect(), lifetimes).collect::<Vec<_>>();
                let mut elided = Group::new(group.delimiter(), inner.into_iter().collect());
                elided.set_span(group.span());
                TokenTree::Group(elided)
            }
            other => other,
        }
    })
}
