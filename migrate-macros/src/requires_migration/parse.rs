//! The arguments of `#[requires_migration(path, .., on_missing = panic)]`.

use proc_macro2::{Punct, Spacing, Span, TokenStream, TokenTree};

use crate::{
    attrs::{self, Key, Keys},
    diagnostics::Diagnostics,
    literal,
    paths::Runtime,
    values::{self, Path, is_mark, is_path},
};

const KEYS: Keys = Keys {
    attribute: "requires_migration",
    known: &[
        Key {
            name: "on_missing",
            form: "on_missing = panic",
        },
        Key {
            name: "crate",
            form: "crate = path",
        },
    ],
    later: &[],
};

/// What was written. What was wrong is absent here and an error elsewhere.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) required: Vec<Path>,
    pub(super) on_missing: OnMissing,
    pub(super) runtime: Runtime,
}

#[derive(Default)]
pub(super) enum OnMissing {
    /// It is what the function returns.
    #[default]
    Return,
    Panic,
}

pub(super) fn arguments(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Arguments {
    let mut arguments = Arguments::default();
    let mut keyed = TokenStream::new();
    let mut is_empty = true;
    for segment in attrs::split_commas(tokens) {
        is_empty = false;
        if is_path(&segment.tokens) {
            arguments.required.push(segment.tokens);
        } else if segment.tokens.iter().any(|token| is_mark(token, '=')) {
            keyed.extend(segment.tokens);
            keyed.extend([TokenTree::Punct(Punct::new(',', Spacing::Alone))]);
        } else {
            let at = segment.end.unwrap_or_else(Span::call_site);
            diagnostics.error_on(&segment.tokens, at, no_path(&segment.tokens));
        }
    }
    for argument in KEYS.parse(keyed, diagnostics) {
        if argument.key == "on_missing" {
            if values::word(&argument, "panic", "return the error", diagnostics) {
                arguments.on_missing = OnMissing::Panic;
            }
        } else if let Some(runtime) = values::runtime(&argument, diagnostics) {
            arguments.runtime = runtime;
        }
    }
    if arguments.required.is_empty() && diagnostics.is_empty() {
        let message = if is_empty {
            "say which migration: `#[requires_migration(path::to::migration)]`"
        } else {
            "say which migration first: `#[requires_migration(path::to::migration, ..)]`"
        };
        diagnostics.error(Span::call_site(), message);
    }
    arguments
}

fn no_path(tokens: &[TokenTree]) -> String {
    match tokens {
        [only] if let Some(text) = literal::string(only) => format!(
            "a migration is named by its path, not by a string: write `{text}` without quotes"
        ),
        _ => "expected the path to a function annotated with `#[migration]`".to_owned(),
    }
}
