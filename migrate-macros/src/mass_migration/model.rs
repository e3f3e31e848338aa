//! What was written, with spans.

use proc_macro2::{Ident, TokenStream, TokenTree};

use crate::{
    declaration::{Declaration, Registered, Signature, arguments::Shared},
    values::{At, Path, Text},
};

/// The arguments of the attribute. What was wrong is absent here and an error elsewhere.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) shared: Shared,
    /// Every key, also those with a wrong value: what only matters beside another one asks here.
    pub(super) written: Vec<Ident>,
    pub(super) table: Option<At<Text>>,
    pub(super) query: Option<At<Text>>,
    pub(super) key: Option<At<Vec<Text>>>,
    pub(super) items: Option<At<TokenStream>>,
    pub(super) csv: Option<At<Text>>,
    pub(super) parameters: Option<At<TokenStream>>,
    pub(super) throttle: Vec<Path>,
    pub(super) settings: Settings,
}

/// What is handed on as it was written, each to the method of its name.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) batch: Option<At<TokenStream>>,
    pub(super) target: Option<At<Text>>,
    pub(super) pause: Option<At<Text>>,
    pub(super) shards: Option<At<TokenStream>>,
    pub(super) max_failures: Option<At<TokenStream>>,
    pub(super) added: Option<At<&'static str>>,
    pub(super) before: Option<At<TokenStream>>,
    pub(super) after: Option<At<TokenStream>>,
    pub(super) on_error: Option<At<TokenStream>>,
}

impl Arguments {
    pub(super) fn written(&self, key: &str) -> Option<&Ident> {
        self.written.iter().find(|it| *it == key)
    }
}

/// A declaration.
pub(super) struct MassMigration {
    pub(super) declaration: Declaration,
    /// Absent where there were errors.
    pub(super) body: Option<Body>,
}

/// What a valid mass migration registers.
pub(super) struct Body {
    pub(super) registered: Registered,
    pub(super) signature: Signature,
    pub(super) kind: Kind,
    pub(super) parameters: Option<At<TokenStream>>,
    pub(super) throttle: Vec<Path>,
    pub(super) settings: Settings,
}

/// What it goes over.
pub(super) enum Kind {
    Keys {
        source: Source,
        key: Vec<Text>,
        granularity: Granularity,
    },
    Items(At<TokenStream>),
    Csv(TokenTree),
    Custom,
    Simple,
}

/// Where keys come from.
pub(super) enum Source {
    Table(Text),
    Query(Text),
}

/// What a body over keys gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Granularity {
    Range,
    Row,
}
