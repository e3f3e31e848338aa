//! The rules that concern more than one part.

use proc_macro2::{Ident, TokenTree};

use super::model::{Arguments, Function, Id, Migration, Registered, Repeat, Reversal};
use crate::{
    diagnostics::Diagnostics,
    values::{self, At, Path, Text, unraw},
};

/// The declaration. Without a function there is none; with errors, it registers nothing.
pub(crate) fn migration(
    mut arguments: Arguments,
    function: Option<Function>,
    diagnostics: &mut Diagnostics,
) -> Option<Migration> {
    let repeat = repeat(&arguments, diagnostics);
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
    let requires = others(&mut arguments.requires, &name, "require", diagnostics);
    let replaces = others(&mut arguments.replaces, &name, "replace", diagnostics);
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
            repeat,
        });
    Some(Migration {
        runtime: arguments.runtime.unwrap_or_default(),
        cfg,
        visibility,
        name,
        requires,
        replaces,
        registered,
    })
}

fn others(
    written: &mut Vec<Path>,
    name: &Ident,
    verb: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<proc_macro2::TokenStream> {
    let mut paths = Vec::new();
    for path in written.drain(..) {
        if let [TokenTree::Ident(only)] = path.as_slice()
            && only == name
        {
            diagnostics.error(only.span(), format!("a migration cannot {verb} itself"));
        } else {
            paths.push(path.into_iter().collect());
        }
    }
    paths
}

fn repeat(arguments: &Arguments, diagnostics: &mut Diagnostics) -> Option<Repeat> {
    let Some(repeat) = &arguments.repeat else {
        if let Some(phase) = &arguments.phase {
            diagnostics.error(
                phase.key,
                "`phase` is for repeatable migrations: add `repeat = on_change` or `repeat = always`",
            );
        }
        return None;
    };
    let reverts = arguments.down.as_ref().map(|it| ("down", it.key));
    let reason = arguments.irreversible.as_ref();
    let reverts = reverts.or(reason.map(|it| ("irreversible", it.key)));
    if let Some((key, span)) = reverts {
        diagnostics.error(
            span,
            format!("a repeatable migration is never reverted, it runs again; remove `{key}`"),
        );
    }
    Some(Repeat {
        when: match repeat.value {
            "always" => "Always",
            _ => "OnChange",
        },
        phase: match arguments.phase.as_ref().map(|it| it.value) {
            Some("before") => "Before",
            _ => "After",
        },
    })
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
