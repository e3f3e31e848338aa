//! The keys that every declaration of a migration knows.

use proc_macro2::TokenStream;

use crate::{
    attrs::{Argument, Key},
    diagnostics::Diagnostics,
    paths::Runtime,
    values::{self, At, Empty, Named, Path, Text},
};

pub(crate) const REQUIRES: Key = Key {
    name: "requires",
    form: "requires = [path, ..]",
};
pub(crate) const ID: Key = Key {
    name: "id",
    form: "id = \"name\"",
};
pub(crate) const WAS: Key = Key {
    name: "was",
    form: "was = [\"old_name\", ..]",
};
pub(crate) const DOWN: Key = Key {
    name: "down",
    form: "down = path",
};
pub(crate) const IRREVERSIBLE: Key = Key {
    name: "irreversible",
    form: "irreversible = \"why\"",
};
pub(crate) const DATABASE: Key = Key {
    name: "database",
    form: "database = \"name\"",
};
pub(crate) const DATABASES: Key = Key {
    name: "databases",
    form: "databases = [\"name\", ..]",
};
pub(crate) const CRATE: Key = Key {
    name: "crate",
    form: "crate = path",
};

/// Their values. What was wrong is absent here and an error elsewhere.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) requires: Vec<Path>,
    pub(crate) id: Option<At<Text>>,
    pub(crate) was: Option<At<Vec<Text>>>,
    pub(crate) down: Option<At<TokenStream>>,
    pub(crate) irreversible: Option<At<Text>>,
    pub(crate) database: Option<At<Text>>,
    pub(crate) databases: Option<At<Vec<Text>>>,
    pub(crate) runtime: Option<Runtime>,
}

/// Whether a key was one of these.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    Yes,
    /// It is the attribute's own.
    No,
}

impl Shared {
    pub(crate) fn store(&mut self, argument: &Argument, diagnostics: &mut Diagnostics) -> Stored {
        match argument.key.to_string().as_str() {
            "requires" => self.requires = values::paths(argument, Named::Migration, diagnostics),
            "id" => self.id = values::text(argument, Empty::LeftToCore, diagnostics),
            "was" => self.was = values::texts(argument, diagnostics),
            "down" => self.down = values::path(argument, Named::Function, diagnostics),
            "irreversible" => {
                self.irreversible = values::text(argument, Empty::Refused, diagnostics);
            }
            "database" => self.database = values::text(argument, Empty::Refused, diagnostics),
            "databases" => self.databases = values::texts(argument, diagnostics),
            "crate" => self.runtime = values::runtime(argument, diagnostics),
            _ => return Stored::No,
        }
        Stored::Yes
    }
}
