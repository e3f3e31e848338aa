//! The rules that concern more than one part.

use proc_macro2::{Ident, TokenTree};

use super::model::{Arguments, Function, Id, Migration, Registered, Reversal, Text};
use crate::diagnostics::Diagnostics;

/// The declaration. Without a function there is none; with errors, it registers nothing.
pub(crate) fn migration(
    mut arguments: Arguments,
    function: Option<Function>,
    diagnostics: &mut Diagnostics,
) -> Option<Migration> {
    let reversal = reversal(&mut arguments, diagnostics);
    let databases = databases(&mut arguments, diagnostics);
    let Function {
        cfg,
        description,
        visibility,
        name,
        signature,
    } = function?;
    let requires = requires(&mut arguments, &name, diagnostics);
    let registered = signature
        .filter(|_| diagnostics.is_empty())
        .map(|signature| Registered {
            id: id(arguments.id, &name),
            description,
            signature,
            was: literals(arguments.was),
            reversal,
            transaction_none: arguments.transaction_none,
            databases,
        });
    Some(Migration {
        runtime: arguments.runtime.unwrap_or_default(),
        cfg,
        visibility,
        name,
        requires,
        registered,
    })
}

fn requires(
    arguments: &mut Arguments,
    name: &Ident,
    diagnostics: &mut Diagnostics,
) -> Vec<proc_macro2::TokenStream> {
    let mut paths = Vec::new();
    for path in arguments.requires.drain(..) {
        if let [TokenTree::Ident(only)] = path.as_slice()
            && only == name
        {
            diagnostics.error(only.span(), "a migration cannot require itself");
        } else {
            paths.push(path.into_iter().collect());
        }
    }
    paths
}

fn reversal(arguments: &mut Arguments, diagnostics: &mut Diagnostics) -> Reversal {
    match (arguments.down.take(), arguments.irreversible.take()) {
        (None, None) => Reversal::Unspecified,
        (Some(down), None) => Reversal::Down(down),
        (None, Some(reason)) => Reversal::Irreversible(reason.value.literal),
        (Some(_), Some(reason)) => {
            diagnostics.error(
                reason.key,
                "`irreversible` contradicts `down`; keep one of them",
            );
            Reversal::Unspecified
        }
    }
}

fn databases(arguments: &mut Arguments, diagnostics: &mut Diagnostics) -> Vec<TokenTree> {
    match (arguments.database.take(), arguments.databases.take()) {
        (None, None) => Vec::new(),
        (Some(one), None) => vec![one.value.literal],
        (None, Some(several)) => literals(several.value),
        (Some(one), Some(_)) => {
            diagnostics.error(
                one.key,
                "`database` and `databases` exclude each other; put all names into `databases = [..]`",
            );
            Vec::new()
        }
    }
}

fn literals(texts: Vec<Text>) -> Vec<TokenTree> {
    texts.into_iter().map(|text| text.literal).collect()
}

/// What `id` says, or the function's name.
fn id(written: Option<Text>, name: &Ident) -> Id {
    match written {
        Some(text) => Id {
            span: text.literal.span(),
            value: text.value,
            literal: Some(text.literal),
        },
        None => {
            let value = name.to_string();
            Id {
                value: value.strip_prefix("r#").unwrap_or(&value).to_owned(),
                span: name.span(),
                literal: None,
            }
        }
    }
}
