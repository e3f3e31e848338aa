//! The rules that concern more than one part.

use proc_macro2::{Ident, TokenTree};

use super::model::{Arguments, Function, Id, Migration, Registered, Reversal};
use crate::{
    diagnostics::Diagnostics,
    values::{self, At, Text, unraw},
};

/// The declaration. Without a function there is none; with errors, it registers nothing.
pub(crate) fn migration(
    mut arguments: Arguments,
    function: Option<Function>,
    diagnostics: &mut Diagnostics,
) -> Option<Migration> {
    let reversal = reversal(&mut arguments, diagnostics);
    let databases = values::databases(
        arguments.database.take(),
        arguments.databases.take(),
        diagnostics,
    );
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
            was: arguments.was.map_or_else(Vec::new, |it| it.value),
            reversal,
            transaction_none: arguments.transaction_none,
            databases,
            suspends: arguments.suspends,
            restore_unmanaged: arguments.restore_unmanaged,
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

/// What `id` says, or the function's name.
fn id(written: Option<At<Text>>, name: &Ident) -> Id {
    match written {
        Some(At { value: text, .. }) => Id {
            span: text.literal.span(),
            value: text.value,
            literal: Some(text.literal),
        },
        None => Id {
            value: unraw(name),
            span: name.span(),
            literal: None,
        },
    }
}
