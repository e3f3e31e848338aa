//! What was written, with spans, and what is registered of it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

use crate::{
    paths::Runtime,
    values::{At, Text},
};

/// What an attribute declares, for messages.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    /// `migration`
    pub(crate) attribute: &'static str,
    /// `a migration`
    pub(crate) noun: &'static str,
    pub(crate) parameters: Parameters,
    /// `QueryResult<()>`
    pub(crate) returns: &'static str,
    /// `Ok(())`
    pub(crate) last: &'static str,
}

/// What a body takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters {
    /// Its connection.
    One,
    /// Its connection, and references to what it works on.
    Several,
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
    /// `&mut C`
    pub(crate) connection: Reference,
    /// What comes after it; empty for a subject that takes one.
    pub(crate) more: Vec<Reference>,
    pub(crate) returns: TokenStream,
    pub(crate) fingerprint: u64,
    /// The `)` after the parameters.
    pub(crate) end: Span,
}

/// `&T` or `&mut T`
pub(crate) struct Reference {
    /// `T`, with the function's own lifetimes elided.
    pub(crate) referent: Vec<TokenTree>,
    /// Where the `&` is.
    pub(crate) ampersand: Span,
}

/// A declaration: the companion type that others name in `requires`.
pub(crate) struct Declaration {
    pub(crate) runtime: Runtime,
    pub(crate) cfg: TokenStream,
    pub(crate) visibility: TokenStream,
    pub(crate) name: Ident,
    pub(crate) requires: Vec<TokenStream>,
}

/// What every valid declaration registers.
pub(crate) struct Registered {
    pub(crate) id: Id,
    pub(crate) description: String,
    pub(crate) fingerprint: u64,
    pub(crate) was: Vec<Text>,
    pub(crate) reversal: Reversal,
    pub(crate) databases: Vec<Text>,
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
