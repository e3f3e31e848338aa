//! What was written, and what was found.

use proc_macro2::{Ident, Span, TokenStream};

use crate::{
    paths::Runtime,
    values::{At, Path, Text},
};

/// The arguments. What was wrong is absent here and an error elsewhere.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) directory: Option<Text>,
    pub(super) format: Option<Format>,
    pub(super) requires: Vec<Path>,
    pub(super) backend: Option<String>,
    pub(super) database: Option<At<Text>>,
    pub(super) databases: Option<At<Vec<Text>>>,
    pub(super) prefix: Option<At<Text>>,
    /// Names of theirs and of ours.
    pub(super) rename: Vec<(Text, Text)>,
    pub(super) runtime: Option<Runtime>,
}

/// Whose directory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Diesel,
    Refinery,
    Sqlx,
    Plain,
}

/// All files that may matter, relative to the directory, sorted; and the migrations among them.
#[derive(Default)]
pub(super) struct Found {
    pub(super) files: Vec<String>,
    pub(super) migrations: Vec<Migration>,
}

/// One migration of a directory.
#[derive(Debug)]
pub(super) struct Migration {
    /// What its name says of its order: the number, if that is what it is, and the text.
    pub(super) order: (Option<u128>, String),
    /// Its directory, or its file without `.sql`: what `rename` names, and messages show.
    pub(super) theirs: String,
    /// What follows the number.
    pub(super) words: String,
    /// The number, as it was written.
    pub(super) number: String,
    /// The name under which its tool records it.
    pub(super) recorded_as: String,
    /// The file, relative to the directory.
    pub(super) up: Sql,
    pub(super) down: Option<Sql>,
    /// A further file that says something of it.
    pub(super) metadata: Option<String>,
    pub(super) outside_transaction: bool,
}

/// A file of SQL.
#[derive(Debug)]
pub(super) struct Sql {
    /// Relative to the directory.
    pub(super) file: String,
    pub(super) text: String,
}

/// A valid directory.
pub(super) struct Directory {
    pub(super) runtime: Runtime,
    pub(super) span: Span,
    /// As it was written.
    pub(super) written: String,
    pub(super) files: Vec<String>,
    pub(super) first_requires: Vec<TokenStream>,
    pub(super) backend: Option<String>,
    pub(super) databases: Vec<Text>,
    pub(super) prefix: String,
    pub(super) nodes: Vec<Node>,
    /// Without it the types alone are written.
    pub(super) registers: bool,
}

/// A migration with the name that it has in Rust.
pub(super) struct Node {
    pub(super) name: Ident,
    pub(super) migration: Migration,
}
