//! What was written, with spans.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

use crate::{
    paths::Runtime,
    values::{At, Path, Text},
};

/// The arguments of the attribute. What was wrong is absent here and an error elsewhere.
#[derive(Default)]
pub(super) struct Arguments {
    /// Whether `since` was written, in whatever way.
    pub(super) names_since: bool,
    pub(super) since: Option<At<TokenStream>>,
    pub(super) until: Option<At<TokenStream>>,
    pub(super) uses: Option<At<Vec<Path>>>,
    pub(super) name: Option<At<Text>>,
    pub(super) sql: Option<At<Text>>,
    pub(super) file: Option<At<Text>>,
    pub(super) materialized: bool,
    pub(super) indexes: Option<At<Vec<Text>>>,
    pub(super) options: Option<At<Vec<ViewOption>>>,
    pub(super) restore_unmanaged: bool,
    pub(super) database: Option<At<Text>>,
    pub(super) databases: Option<At<Vec<Text>>>,
    pub(super) runtime: Option<Runtime>,
}

/// One of `options`, in the form in which it is registered.
pub(super) struct ViewOption {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// The type under the attribute.
pub(super) struct Declared {
    /// `#[cfg(..)]` attributes: they hold for what is generated too.
    pub(super) cfg: TokenStream,
    /// The first paragraph of the doc comment, in one line.
    pub(super) description: String,
    pub(super) name: Ident,
}

/// A declaration: what others name in `uses` and `suspends`, and what it registers.
pub(super) struct View {
    pub(super) runtime: Runtime,
    pub(super) cfg: TokenStream,
    pub(super) name: Ident,
    /// Absent where there were errors: then those who name the view get none of their own.
    pub(super) registered: Option<Registered>,
}

/// What a valid view registers.
pub(super) struct Registered {
    pub(super) description: String,
    pub(super) view: Name,
    pub(super) since: TokenStream,
    pub(super) until: Option<At<TokenStream>>,
    pub(super) uses: Option<At<Vec<Path>>>,
    pub(super) definition: Definition,
    pub(super) materialized: bool,
    pub(super) indexes: Vec<Text>,
    pub(super) options: Vec<ViewOption>,
    pub(super) restore_unmanaged: bool,
    pub(super) databases: Vec<Text>,
}

/// The name in the database.
pub(super) struct Name {
    pub(super) value: String,
    /// The literal, or the type's name where there is none.
    pub(super) span: Span,
    pub(super) literal: Option<TokenTree>,
}

/// What the view selects.
pub(super) enum Definition {
    Sql(TokenTree),
    File(TokenTree),
    /// `impl ViewManager`, which rustc looks for.
    Code,
}
