//! The arguments of `#[mass_migration(..)]`.

use proc_macro2::{Punct, Spacing, TokenStream, TokenTree};

use super::model::Arguments;
use crate::{
    attrs::{self, Argument, Key, Keys},
    declaration::arguments::{self, Stored},
    diagnostics::Diagnostics,
    values::{self, Empty, Named},
};

const KEYS: Keys = Keys {
    attribute: "mass_migration",
    known: &[
        Key {
            name: "table",
            form: "table = \"name\"",
        },
        Key {
            name: "query",
            form: "query = \"SELECT ..\"",
        },
        Key {
            name: "key",
            form: "key = \"column\"",
        },
        Key {
            name: "items",
            form: "items = path",
        },
        Key {
            name: "csv",
            form: "csv = \"path/to/file.csv\"",
        },
        Key {
            name: "batch",
            form: "batch = 1_000",
        },
        Key {
            name: "target",
            form: "target = \"500ms\"",
        },
        Key {
            name: "pause",
            form: "pause = \"100ms\"",
        },
        Key {
            name: "shards",
            form: "shards = 8",
        },
        Key {
            name: "max_failures",
            form: "max_failures = 100",
        },
        Key {
            name: "added",
            form: "added = ignore",
        },
        Key {
            name: "before",
            form: "before = path",
        },
        Key {
            name: "after",
            form: "after = path",
        },
        Key {
            name: "on_error",
            form: "on_error = path",
        },
        Key {
            name: "throttle",
            form: "throttle = [path, ..]",
        },
        Key {
            name: "parameters",
            form: "parameters = Type",
        },
        arguments::REQUIRES,
        arguments::ID,
        arguments::WAS,
        arguments::DOWN,
        arguments::IRREVERSIBLE,
        arguments::DATABASE,
        arguments::DATABASES,
        arguments::CRATE,
    ],
    later: &[],
};

/// Keys of `#[migration]` that cannot be meant here, and why.
const REFUSED: &[(&str, &str)] = &[
    (
        "transaction",
        "every batch commits together with its cursor, which is why none is lost or done twice: \
         remove `transaction`",
    ),
    (
        "repeat",
        "a mass migration runs once; for another run write another one, or a `#[migration]` with `repeat`",
    ),
    (
        "phase",
        "`phase` is for repeatable migrations, and a mass migration runs once: remove `phase`",
    ),
    (
        "replaces",
        "a mass migration cannot stand for others: squash with a `#[migration(replaces = [..])]`, \
         which may replace this one too",
    ),
    (
        "suspends",
        "views cannot stay down for as long as a mass migration runs: suspend them in a `#[migration]`, \
         and name that in `requires`",
    ),
    (
        "unmanaged",
        "`unmanaged` goes with `suspends`, which a mass migration does not have: remove `unmanaged`",
    ),
];

pub(super) fn arguments(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Arguments {
    let mut into = Arguments::default();
    for argument in KEYS.parse(allowed(tokens, diagnostics), diagnostics) {
        store(&argument, &mut into, diagnostics);
        into.written.push(argument.key);
    }
    into
}

/// The arguments whose keys are not refused.
fn allowed(tokens: TokenStream, diagnostics: &mut Diagnostics) -> TokenStream {
    let mut allowed = TokenStream::new();
    for segment in attrs::split_commas(tokens) {
        if let Some(TokenTree::Ident(key)) = segment.tokens.first()
            && let Some((_, why)) = REFUSED.iter().find(|(name, _)| key == name)
        {
            diagnostics.error(key.span(), *why);
            continue;
        }
        allowed.extend(segment.tokens);
        if let Some(end) = segment.end {
            let mut comma = Punct::new(',', Spacing::Alone);
            comma.set_span(end);
            allowed.extend([TokenTree::Punct(comma)]);
        }
    }
    allowed
}

fn store(argument: &Argument, into: &mut Arguments, diagnostics: &mut Diagnostics) {
    if into.shared.store(argument, diagnostics) == Stored::Yes {
        return;
    }
    let settings = &mut into.settings;
    match argument.key.to_string().as_str() {
        "table" => into.table = values::text(argument, Empty::LeftToCore, diagnostics),
        "query" => into.query = values::text(argument, Empty::LeftToCore, diagnostics),
        "key" => into.key = values::text_or_texts(argument, diagnostics),
        "items" => into.items = values::path(argument, Named::Function, diagnostics),
        "csv" => into.csv = values::text(argument, Empty::Refused, diagnostics),
        "parameters" => into.parameters = values::path(argument, Named::Type, diagnostics),
        "throttle" => into.throttle = values::paths(argument, Named::Static, diagnostics),
        "batch" => settings.batch = values::number(argument, diagnostics),
        "target" => settings.target = values::text(argument, Empty::LeftToCore, diagnostics),
        "pause" => settings.pause = values::text(argument, Empty::LeftToCore, diagnostics),
        "shards" => settings.shards = values::number(argument, diagnostics),
        "max_failures" => settings.max_failures = values::number(argument, diagnostics),
        "added" => settings.added = values::choice(argument, &["follow", "ignore"], diagnostics),
        "before" => settings.before = values::path(argument, Named::Function, diagnostics),
        "after" => settings.after = values::path(argument, Named::Function, diagnostics),
        _ => settings.on_error = values::path(argument, Named::Function, diagnostics),
    }
}
