//! What was written, with spans.

use proc_macro2::TokenStream;

use crate::{
    declaration::{Declaration, Registered, Signature, arguments::Shared},
    values::{At, Path, Text},
};

/// The arguments of the attribute. What was wrong is absent here and an error elsewhere.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) shared: Shared,
    pub(crate) transaction_none: bool,
    pub(crate) statement_timeout: Option<At<Text>>,
    pub(crate) lock_timeout: Option<At<Text>>,
    pub(crate) suspends: Option<At<Vec<Path>>>,
    pub(crate) restore_unmanaged: bool,
    pub(crate) repeat: Option<At<&'static str>>,
    pub(crate) phase: Option<At<&'static str>>,
    pub(crate) replaces: Vec<Path>,
}

/// A declaration.
pub(crate) struct Migration {
    pub(crate) declaration: Declaration,
    pub(crate) replaces: Vec<TokenStream>,
    /// Absent where there were errors.
    pub(crate) body: Option<Body>,
}

/// What a valid migration registers.
pub(crate) struct Body {
    pub(crate) registered: Registered,
    pub(crate) signature: Signature,
    pub(crate) transaction_none: bool,
    pub(crate) statement_timeout: Option<At<Text>>,
    pub(crate) lock_timeout: Option<At<Text>>,
    pub(crate) suspends: Option<At<Vec<Path>>>,
    pub(crate) restore_unmanaged: bool,
    pub(crate) repeat: Option<Repeat>,
}

/// When it runs again: names of variants of core's types.
pub(crate) struct Repeat {
    pub(crate) when: &'static str,
    pub(crate) phase: &'static str,
}
