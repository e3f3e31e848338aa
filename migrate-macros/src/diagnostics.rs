//! [`Diagnostics`]: every error of one invocation, told at once.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// Errors in the order in which they were found.
#[derive(Default)]
pub(crate) struct Diagnostics {
    errors: Vec<Diagnostic>,
}

struct Diagnostic {
    start: Span,
    end: Span,
    message: String,
}

impl Diagnostics {
    /// An error on one token.
    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(Diagnostic {
            start: span,
            end: span,
            message: message.into(),
        });
    }

    /// An error on a run of tokens; `fallback` is where it goes when there are none.
    pub(crate) fn error_on(
        &mut self,
        tokens: &[TokenTree],
        fallback: Span,
        message: impl Into<String>,
    ) {
        self.errors.push(Diagnostic {
            start: tokens.first().map_or(fallback, first_span),
            end: tokens.last().map_or(fallback, last_span),
            message: message.into(),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// One `compile_error!` each.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors
            .into_iter()
            .map(Diagnostic::into_tokens)
            .collect()
    }
}

impl Diagnostic {
    /// rustc underlines from the span of the first token to that of the last.
    fn into_tokens(self) -> TokenStream {
        let Self {
            start,
            end,
            message,
        } = self;
        let message = quote_spanned!(end=> #message);
        let mut braces = Group::new(Delimiter::Brace, message);
        braces.set_span(end);
        let mut bang = Punct::new('!', Spacing::Alone);
        bang.set_span(end);
        let mut tokens = quote_spanned!(start=> ::core::);
        tokens.extend([
            TokenTree::Ident(Ident::new("compile_error", start)),
            TokenTree::Punct(bang),
            TokenTree::Group(braces),
        ]);
        tokens
    }
}

/// Where a token tree begins. `Group::span` covers the whole group.
fn first_span(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_open(),
        other => other.span(),
    }
}

fn last_span(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) => group.span_close(),
        other => other.span(),
    }
}
