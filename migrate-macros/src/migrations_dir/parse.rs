//! The arguments of `migrations_dir!(..)`: the directory, then keys.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::model::{Arguments, Format};
use crate::{
    attrs::{self, Argument, Key, Keys, Segment},
    diagnostics::Diagnostics,
    literal,
    values::{self, Empty, Named, Text, is_mark},
};

const KEYS: Keys = Keys {
    attribute: "migrations_dir!",
    known: &[
        Key {
            name: "format",
            form: "format = diesel",
        },
        Key {
            name: "requires",
            form: "requires = [path, ..]",
        },
        Key {
            name: "rename",
            form: "rename = { \"their_name\" = \"our_name\", .. }",
        },
        Key {
            name: "prefix",
            form: "prefix = \"..\"",
        },
        Key {
            name: "backend",
            form: "backend = postgres",
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

const FORMATS: &str = "`format = diesel`, `format = refinery`, `format = sqlx`, or `format = plain` for files of no \
                       tool";

pub(super) fn arguments(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Arguments {
    let mut arguments = Arguments::default();
    let mut rest = tokens.into_iter().peekable();
    match rest.next() {
        Some(first) => match literal::string(&first) {
            Some(value) => {
                let literal = first;
                arguments.directory = Some(Text { literal, value });
            }
            None => diagnostics.error(first.span(), expected_directory()),
        },
        None => diagnostics.error(proc_macro2::Span::call_site(), expected_directory()),
    }
    if arguments.directory.is_none() {
        return arguments;
    }
    if let Some(next) = rest.next()
        && !is_mark(&next, ',')
    {
        diagnostics.error(next.span(), "expected a comma after the directory");
        return arguments;
    }
    let given = KEYS.parse(rest.collect(), diagnostics);
    let says_format = given.iter().any(|it| it.key == "format");
    for argument in &given {
        store(argument, &mut arguments, diagnostics);
    }
    if let (false, Some(directory)) = (says_format, &arguments.directory) {
        diagnostics.error(
            directory.literal.span(),
            format!("say whose directory this is: {FORMATS}"),
        );
    }
    arguments
}

fn expected_directory() -> &'static str {
    "expected a directory beside the crate's `Cargo.toml`: write `migrations_dir!(\"migrations\", format = diesel)`"
}

fn store(argument: &Argument, into: &mut Arguments, diagnostics: &mut Diagnostics) {
    match argument.key.to_string().as_str() {
        "format" => into.format = format(argument, diagnostics),
        "requires" => into.requires = values::paths(argument, Named::Migration, diagnostics),
        "rename" => into.rename = rename(argument, diagnostics),
        "prefix" => into.prefix = values::text(argument, Empty::Refused, diagnostics),
        "backend" => into.backend = backend(argument, diagnostics),
        "database" => into.database = values::text(argument, Empty::Refused, diagnostics),
        "databases" => into.databases = values::texts(argument, diagnostics),
        _ => into.runtime = values::runtime(argument, diagnostics),
    }
}

fn format(argument: &Argument, diagnostics: &mut Diagnostics) -> Option<Format> {
    let written: String = argument.value.iter().map(ToString::to_string).collect();
    match written.trim_matches('"') {
        "diesel" => return Some(Format::Diesel),
        "refinery" => return Some(Format::Refinery),
        "sqlx" => return Some(Format::Sqlx),
        "plain" => return Some(Format::Plain),
        "sea-orm" | "sea_orm" | "seaorm" => argument.wrong(
            diagnostics,
            "SeaORM's migrations are no SQL: write them as functions under `#[migration]`; `adopt sea-orm` takes its \
             history over",
        ),
        _ => argument.wrong(diagnostics, format!("`format` takes one of a few words: write {FORMATS}")),
    }
    None
}

/// A word for those that we know, a string for others.
fn backend(argument: &Argument, diagnostics: &mut Diagnostics) -> Option<String> {
    let peeled = attrs::peel(&argument.value);
    let written = match peeled.as_slice() {
        [TokenTree::Ident(word)] => word.to_string(),
        [only] => literal::string(only).unwrap_or_default(),
        _ => String::new(),
    };
    let is_word = matches!(peeled.as_slice(), [TokenTree::Ident(_)]);
    if ["sqlite", "postgres", "mysql"].contains(&written.as_str())
        || (!is_word && !written.is_empty())
    {
        return Some(written);
    }
    argument.wrong(
        diagnostics,
        "`backend` takes the database whose SQL it is: write `backend = sqlite`, `backend = postgres`, `backend = mysql` \
         (MariaDB, too), or the name of another one as a string",
    );
    None
}

/// `{ "theirs" = "ours", .. }`
fn rename(argument: &Argument, diagnostics: &mut Diagnostics) -> Vec<(Text, Text)> {
    let form = "write `rename = { \"their_name\" = \"our_name\", .. }`";
    let [TokenTree::Group(group)] = argument.value.as_slice() else {
        argument.wrong(
            diagnostics,
            format!("`rename` takes names in braces: {form}"),
        );
        return Vec::new();
    };
    if group.delimiter() != Delimiter::Brace {
        argument.wrong(
            diagnostics,
            format!("`rename` takes names in braces: {form}"),
        );
        return Vec::new();
    }
    let mut renamed: Vec<(Text, Text)> = Vec::new();
    for Segment { tokens, end } in attrs::split_commas(group.stream()) {
        match pair(&tokens) {
            Some((theirs, _)) if renamed.iter().any(|it| it.0.value == theirs.value) => diagnostics
                .error(
                    theirs.literal.span(),
                    format!("{} is renamed twice; keep one", theirs.literal),
                ),
            Some(pair) => renamed.push(pair),
            None => diagnostics.error_on(&tokens, end.unwrap_or(group.span()), form),
        }
    }
    renamed
}

fn pair(tokens: &[TokenTree]) -> Option<(Text, Text)> {
    let text = |literal: &TokenTree| {
        Some(Text {
            value: literal::string(literal)?,
            literal: literal.clone(),
        })
    };
    match tokens {
        [theirs, equals, ours] if is_mark(equals, '=') => Some((text(theirs)?, text(ours)?)),
        _ => None,
    }
}
