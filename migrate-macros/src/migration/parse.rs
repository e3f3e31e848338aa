//! The arguments of `#[migration(..)]`.

use proc_macro2::TokenStream;

use super::model::Arguments;
use crate::{
    attrs::{Argument, Key, Keys},
    declaration::arguments::{self, Stored},
    diagnostics::Diagnostics,
    values::{self, At, Empty, Named},
};

const KEYS: Keys = Keys {
    attribute: "migration",
    known: &[
        arguments::REQUIRES,
        arguments::ID,
        arguments::WAS,
        arguments::DOWN,
        arguments::IRREVERSIBLE,
        Key {
            name: "transaction",
            form: "transaction = none",
        },
        arguments::DATABASE,
        arguments::DATABASES,
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
            name: "statement_timeout",
            form: "statement_timeout = \"5m\"",
        },
        Key {
            name: "lock_timeout",
            form: "lock_timeout = \"2s\"",
        },
        Key {
            name: "unmanaged",
            form: "unmanaged = restore",
        },
        arguments::CRATE,
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
    if into.shared.store(argument, diagnostics) == Stored::Yes {
        return;
    }
    match argument.key.to_string().as_str() {
        "transaction" => {
            let otherwise = "run inside a transaction";
            into.transaction_none = values::word(argument, "none", otherwise, diagnostics);
        }
        "suspends" => {
            into.suspends = Some(At {
                key: argument.key.span(),
                value: values::paths(argument, Named::View, diagnostics),
            });
        }
        "statement_timeout" => {
            into.statement_timeout = values::text(argument, Empty::LeftToCore, diagnostics);
        }
        "lock_timeout" => {
            into.lock_timeout = values::text(argument, Empty::LeftToCore, diagnostics);
        }
        "repeat" => {
            into.repeat = values::choice(argument, &["always", "on_change"], diagnostics);
        }
        "phase" => into.phase = values::choice(argument, &["before", "after"], diagnostics),
        "replaces" => into.replaces = values::paths(argument, Named::Migration, diagnostics),
        _ => into.restore_unmanaged = values::restore(argument, diagnostics),
    }
}
