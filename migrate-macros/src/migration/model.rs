//! What was written, with spans.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

use crate::{
    paths::Runtime,
    values::{At, Path, Text},
};

/// The arguments of the attribute. What was wrong is absent here and an error elsewhere.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) requires: Vec<Path>,
    pub(crate) id: Option<At<Text>>,
    pub(crate) was: Option<At<Vec<Text>>>,
    pub(crate) down: Option<At<TokenStream>>,
    pub(crate) irreversible: Option<At<Text>>,
    pub(crate) transaction_none: bool,
    pub(crate) database: Option<At<Text>>,
    pub(crate) databases: Option<At<Vec<Text>>>,
    pub(crate) suspends: Option<At<Vec<Path>>>,
    pub(crate) restore_unmanaged: bool,
    pub(crate) repeat: Option<At<&'static str>>,
    pub(crate) phase: Option<At<&'static str>>,
    pub(crate) replaces: Vec<Path>,
    pub(crate) runtime: Option<Runtime>,
}

/// The function under the attribute.
pub(crate) struct Function {
    /// `#[cfg(..)]` attributes: they hold for what is generated too.
    pub(crate) cfg: TokenStream,
    /// The first paragraph of the doc comment, in one line.
    pub(crate) description: String,
    pub(crate) visibility: TokenStream,
    pub(crate) name: Ident,
    /// Absent when it was wrong.
    pub(crate) signature: Option<Signature>,
}

/// What the body takes and returns, and its hash.
pub(crate) struct Signature {
    /// `C` of `&mut C`.
    pub(crate) parameter: TokenStream,
    /// Where its `&` is.
    pub(crate) ampersand: Span,
    pub(crate) returns: TokenStream,
    pub(crate) fingerprint: u64,
}

/// A declaration: the companion type that others name in `requires`, and what it registers.
pub(crate) struct Migration {
    pub(crate) runtime: Runtime,
    pub(crate) cfg: TokenStream,
    pub(crate) visibility: TokenStream,
    pub(crate) name: Ident,
    pub(crate) requires: Vec<TokenStream>,
    pub(crate) replaces: Vec<TokenStream>,
    /// Absent where there were errors: then the type alone is written, so that those who require it
    /// get none of their own.
    pub(crate) registered: Option<Registered>,
}

/// What a valid migration registers.
pub(crate) struct Registered {
    pub(crate) id: Id,
    pub(crate) description: String,
    pub(crate) signature: Signature,
    pub(crate) was: Vec<Text>,
    pub(crate) reversal: Reversal,
    pub(crate) transaction_none: bool,
    pub(crate) databases: Vec<Text>,
    pub(crate) suspends: Option<At<Vec<Path>>>,
    pub(crate) restore_unmanaged: bool,
    pub(crate) repeat: Option<Repeat>,
}

/// When it runs again: names of variants of core's types.
pub(crate) struct Repeat {
    pub(crate) when: &'static str,
    pub(crate) phase: &'static str,
}

/// The stored name.
pub(crate) struct Id {
    pub(crate) value: String,
    pub(crate) span: Span,
    /// Given by `id = ".."`: the literal, which core's rule is checked on.
    pub(crate) literal: Option<TokenTree>,
}

pub(crate) enum Reversal {
    Unspecified,
    Down(At<TokenStream>),
    Irreversible(TokenTree),
}
