//! `#[view_manager]` on `impl ViewManager for ..`: the hash of its code, so that an edit is noticed.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use crate::{attrs, diagnostics::Diagnostics, fingerprint::Fingerprint};

pub(super) fn expand(
    arguments: TokenStream,
    item: TokenStream,
    mut diagnostics: Diagnostics,
) -> TokenStream {
    let arguments = Vec::from_iter(arguments);
    if let Some(first) = arguments.first() {
        diagnostics.error_on(
            &arguments,
            first.span(),
            "these keys go on the struct; on the `impl` write `#[view_manager]` alone",
        );
    }
    let mut tokens = attrs::peel(&Vec::from_iter(item));
    if diagnostics.is_empty()
        && let Some(TokenTree::Group(body)) = tokens.last_mut()
        && body.delimiter() == Delimiter::Brace
    {
        *body = with_hash(body);
    }
    let mut tokens = TokenStream::from_iter(tokens);
    tokens.extend(diagnostics.into_tokens());
    tokens
}

/// At the end: the first may be an inner attribute.
fn with_hash(body: &Group) -> Group {
    let mut fingerprint = Fingerprint::new();
    fingerprint.tokens([TokenTree::Group(body.clone())]);
    let hash = fingerprint.value();
    let mut inside = body.stream();
    inside.extend(quote! {
        #[doc(hidden)]
        const SEEN: u64 = #hash;
    });
    let mut seen = Group::new(Delimiter::Brace, inside);
    seen.set_span(body.span());
    seen
}
