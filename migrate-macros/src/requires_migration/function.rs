//! The function: of its tokens only a few are looked at.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::{attrs, diagnostics::Diagnostics, values::is_mark};

/// A function of any kind that has a body.
pub(super) struct Function {
    /// Everything before the body.
    pub(super) head: Vec<TokenTree>,
    pub(super) body: Group,
    pub(super) is_async: bool,
    /// What it returns, for errors about that; its name where it returns nothing.
    pub(super) returns: Span,
}

pub(super) fn parse(item: TokenStream, diagnostics: &mut Diagnostics) -> Option<Function> {
    let mut head = attrs::peel(&Vec::from_iter(item));
    let is_word =
        |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(it) if it == word);
    let Some(keyword) = head.iter().position(|token| is_word(token, "fn")) else {
        let first = head.first().map_or_else(Span::call_site, TokenTree::span);
        diagnostics.error(first, "`#[requires_migration]` goes on a function");
        return None;
    };
    let (before, after) = head.split_at(keyword);
    if let Some(constant) = before.iter().find(|token| is_word(token, "const")) {
        diagnostics.error(
            constant.span(),
            "a `const fn` cannot ask a database: remove `const`, or the attribute",
        );
        return None;
    }
    let is_async = before.iter().any(|token| is_word(token, "async"));
    let name = after.get(1).map_or_else(Span::call_site, TokenTree::span);
    let returns = returned(after).unwrap_or(name);
    match head.pop().map(|last| attrs::peel(&[last])).as_deref() {
        Some([TokenTree::Group(body)]) if body.delimiter() == Delimiter::Brace => Some(Function {
            head,
            body: body.clone(),
            is_async,
            returns,
        }),
        _ => {
            diagnostics.error(
                name,
                "this function has no body that could be guarded; put the attribute on its implementation",
            );
            None
        }
    }
}

/// Where the type after the first `->` outside of `<..>` begins. In a bound (`F: Fn() -> u8`) it is
/// not the function's.
fn returned(tokens: &[TokenTree]) -> Option<Span> {
    let parameters = tokens.iter().position(
        |token| matches!(token, TokenTree::Group(it) if it.delimiter() == Delimiter::Parenthesis),
    )?;
    match tokens.get(parameters + 1..)? {
        [dash, arrow, first, ..] if is_mark(dash, '-') && is_mark(arrow, '>') => Some(first.span()),
        _ => None,
    }
}

/// How many of the body's first tokens are inner attributes: they have to stay the first.
pub(super) fn inner_attributes(body: &[TokenTree]) -> usize {
    let mut count = 0;
    while let Some([hash, mark, TokenTree::Group(_)]) = body.get(count..count + 3)
        && is_mark(hash, '#')
        && is_mark(mark, '!')
    {
        count += 3;
    }
    count
}

/// A name of ours in the function's body, which none of its own can be.
pub(super) fn missing() -> Ident {
    Ident::new("__missing", Span::mixed_site())
}
