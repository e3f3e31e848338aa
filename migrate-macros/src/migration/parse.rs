//! The arguments of `#[migration(..)]`.

use proc_macro2::TokenStream;

use super::model::Arguments;
use crate::{
    attrs::{Argument, Key, Keys},
    diagnostics::Diagnostics,
    values::{self, At, Empty, Named},
};

const KEYS: Keys = Keys {
    attribute: "migration",
    known: &[
        Key {
            name: "requires",
            form: "requires = [path, ..]",
        },
        Key {
            name: "id",
            form: "id = \"name\"",
        },
        Key {
            name: "was",
            form: "was = [\"old_name\", ..]",
        },
        Key {
            name: "down",
            form: "down = path",
        },
        Key {
            name: "irreversible",
            form: "irreversible = \"why\"",
        },
        Key {
            name: "transaction",
            form: "transaction = none",
        },
        Key {
            name: "database",
            form: "database = \"name\"",
        },
        Key {
            name: "databases",
            form: "databases = [\"name\", ..]",
        },
        Key {
            name: "repeat",
            form: "repeat = on_change",
        },
        Key {
            name: "phase",
            form: "phase = after",
        },
        Key {
            name: "replaces",
            form: "replaces = [path, ..]",
        },
        Key {
            name: "suspends",
            form: "suspends = [View, ..]",
        },
        Key {
            name: "unmanaged",
            form: "unmanaged = restore",
        },
        Key {
            name: "crate",
            form: "crate = path",
        },
    ],
    later: &["manual"],
};

pub(crate) fn arguments(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Arguments {
    let mut arguments = Arguments::default();
    if tokens.is_empty() {
        return arguments;
    }
    for argument in KEYS.parse(tokens, diagnostics) {
        store(&argument, &mut arguments, diagnostics);
    }
    arguments
}

fn store(argument: &Argument, into: &mut Arguments, diagnostics: &mut Diagnostics) {
    match argument.key.to_string().as_str() {
        "requires" => into.requires = values::paths(argument, Named::Migration, diagnostics),
        "id" => into.id = values::text(argument, Empty::LeftToCore, diagnostics),
        "was" => into.was = values::texts(argument, diagnostics),
        "down" => into.down = values::path(argument, Named::Function, diagnostics),
        "irreversible" => {
            into.irreversible = values::text(argument, Empty::Refused, diagnostics);
        }
        "transaction" => {
            let otherwise = "run inside a transaction";
            into.transaction_none = values::word(argument, "none", otherwise, diagnostics);
        }
        "database" => into.database = values::text(argument, Empty::Refused, diagnostics),
        "databases" => into.databases = values::texts(argument, diagnostics),
        "suspends" => {
            into.suspends = Some(At {
                key: argument.key.span(),
                value: values::paths(argument, Named::View, diagnostics),
            });
        }
        "repeat" => {
            into.repeat = values::choice(argument, &["always", "on_change"], diagnostics);
        }
        "phase" => into.phase = values::choice(argument, &["before", "after"], diagnostics),
        "replaces" => into.replaces = values::paths(argument, Named::Migration, diagnostics),
        "unmanaged" => into.restore_unmanaged = values::restore(argument, diagnostics),
        _ => into.runtime = values::runtime(argument, diagnostics),
    }
}
