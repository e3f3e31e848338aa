//! The arguments of `#[view_manager(..)]`.

use proc_macro2::{TokenStream, TokenTree};

use super::{model::Arguments, options};
use crate::{
    attrs::{self, Argument, Key, Keys},
    diagnostics::Diagnostics,
    values::{self, At, Empty, Named},
};

const KEYS: Keys = Keys {
    attribute: "view_manager",
    known: &[
        Key {
            name: "since",
            form: "since = path",
        },
        Key {
            name: "until",
            form: "until = path",
        },
        Key {
            name: "uses",
            form: "uses = [View, ..]",
        },
        Key {
            name: "name",
            form: "name = \"schema.name\"",
        },
        Key {
            name: "sql",
            form: "sql = \"SELECT ..\"",
        },
        Key {
            name: "file",
            form: "file = \"views/name.sql\"",
        },
        Key {
            name: "materialized",
            form: "materialized",
        },
        Key {
            name: "indexes",
            form: "indexes = [\"CREATE INDEX ..\", ..]",
        },
        Key {
            name: "options",
            form: "options = [security_barrier, ..]",
        },
        Key {
            name: "unmanaged",
            form: "unmanaged = restore",
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
            name: "crate",
            form: "crate = path",
        },
    ],
    later: &[],
};

pub(super) fn arguments(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Arguments {
    let mut arguments = Arguments {
        names_since: names_since(&tokens),
        ..Arguments::default()
    };
    for argument in KEYS.parse(tokens, diagnostics) {
        store(&argument, &mut arguments, diagnostics);
    }
    arguments
}

/// Whether one of the keys is `since`, or is meant to be: then a lack of it is told there.
fn names_since(tokens: &TokenStream) -> bool {
    attrs::split_commas(tokens.clone()).iter().any(|segment| {
        let names = KEYS.known.iter().map(|it| it.name);
        matches!(segment.tokens.first(), Some(TokenTree::Ident(key))
                if attrs::nearest(&key.to_string(), names) == Some("since"))
    })
}

fn store(argument: &Argument, into: &mut Arguments, diagnostics: &mut Diagnostics) {
    match argument.key.to_string().as_str() {
        "since" => into.since = values::path(argument, Named::Migration, diagnostics),
        "until" => into.until = values::path(argument, Named::Migration, diagnostics),
        "uses" => {
            into.uses = Some(At {
                key: argument.key.span(),
                value: values::paths(argument, Named::View, diagnostics),
            });
        }
        "name" => into.name = values::text(argument, Empty::LeftToCore, diagnostics),
        "sql" => into.sql = values::text(argument, Empty::LeftToCore, diagnostics),
        "file" => into.file = values::text(argument, Empty::Refused, diagnostics),
        "materialized" => into.materialized = true,
        "indexes" => into.indexes = values::texts(argument, diagnostics),
        "options" => into.options = Some(options::parse(argument, diagnostics)),
        "unmanaged" => into.restore_unmanaged = values::restore(argument, diagnostics),
        "database" => into.database = values::text(argument, Empty::Refused, diagnostics),
        "databases" => into.databases = values::texts(argument, diagnostics),
        _ => into.runtime = values::runtime(argument, diagnostics),
    }
}
