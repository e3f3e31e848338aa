//! What migrations and views have in common: the attributes and the visibility before an item.

use std::{iter::Peekable, vec};

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use crate::{diagnostics::Diagnostics, docs::Docs, values::is_mark};

/// Attributes that matter here.
#[derive(Default)]
pub(crate) struct Attributes {
    /// `#[cfg(..)]`: they hold for what is generated too.
    pub(crate) cfg: TokenStream,
    pub(crate) docs: Docs,
}

/// What is left to read.
pub(crate) struct Tokens(pub(crate) Peekable<vec::IntoIter<TokenTree>>);

impl Tokens {
    /// Without the invisible groups around what a `macro_rules!` inserted (`$vis`, `$ty`, `$block`).
    pub(crate) fn new(item: TokenStream) -> Self {
        fn flatten(stream: TokenStream, into: &mut Vec<TokenTree>) {
            for token in stream {
                match token {
                    TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                        flatten(group.stream(), into);
                    }
                    other => into.push(other),
                }
            }
        }
        let mut tokens = Vec::new();
        flatten(item, &mut tokens);
        Self(tokens.into_iter().peekable())
    }

    pub(crate) fn next_if_ident(&mut self, wanted: &str) -> Option<Ident> {
        match self
            .0
            .next_if(|it| matches!(it, TokenTree::Ident(ident) if ident == wanted))?
        {
            TokenTree::Ident(ident) => Some(ident),
            _ => None,
        }
    }

    pub(crate) fn next_if_mark(&mut self, mark: char) -> Option<TokenTree> {
        self.0.next_if(|it| is_mark(it, mark))
    }

    /// `None` when `attribute`, which is ours, is there a second time: that one generates the code.
    pub(crate) fn attributes(
        &mut self,
        attribute: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Attributes> {
        let mut attributes = Attributes::default();
        while let Some(hash) = self.next_if_mark('#') {
            let Some(TokenTree::Group(group)) = self.0.next() else {
                continue;
            };
            // A `$(#[$meta])*` is a group within the brackets.
            let mut inner = Self::new(group.stream()).0;
            let Some(TokenTree::Ident(name)) = inner.next() else {
                continue;
            };
            if name == "doc" {
                inner.next();
                if let Some(value) = inner.next() {
                    attributes.docs.push(&value);
                }
            } else if name == "cfg" {
                attributes.cfg.extend([hash, TokenTree::Group(group)]);
            } else if name == attribute {
                diagnostics.error(
                    name.span(),
                    format!("`#[{attribute}]` is given twice; keep one"),
                );
                return None;
            }
        }
        Some(attributes)
    }

    /// `pub`, `pub(..)` or nothing.
    pub(crate) fn visibility(&mut self) -> TokenStream {
        let mut visibility = TokenStream::new();
        if let Some(public) = self.next_if_ident("pub") {
            visibility.extend([TokenTree::Ident(public)]);
            visibility.extend(self.0.next_if(
                |it| matches!(it, TokenTree::Group(it) if it.delimiter() == Delimiter::Parenthesis),
            ));
        }
        visibility
    }
}
