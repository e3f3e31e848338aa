//! The rules of the keys that both know.

use proc_macro2::{Ident, TokenStream, TokenTree};

use super::{
    Declaration, Function, Id, Registered, Reversal, Signature, Subject, arguments::Shared,
};
use crate::{
    diagnostics::Diagnostics,
    values::{self, At, Path, Text, unraw},
};

/// The declaration, and what it registers if nothing was wrong. Without a function there is none.
pub(crate) fn declaration(
    mut shared: Shared,
    function: Option<Function>,
    subject: Subject,
    diagnostics: &mut Diagnostics,
) -> Option<(Declaration, Option<(Registered, Signature)>)> {
    let reversal = reversal(&mut shared, diagnostics);
    let databases = values::databases(shared.database.take(), shared.databases.take(), diagnostics);
    let function = function?;
    let requires = others(
        shared.requires,
        &function.name,
        subject,
        "require",
        diagnostics,
    );
    let registered = function
        .signature
        .filter(|_| diagnostics.is_empty())
        .map(|signature| {
            let registered = Registered {
                id: id(shared.id, &function.name),
                description: function.description,
                fingerprint: signature.fingerprint,
                was: shared.was.map_or_else(Vec::new, |it| it.value),
                reversal,
                databases,
            };
            (registered, signature)
        });
    let declaration = Declaration {
        runtime: shared.runtime.unwrap_or_default(),
        cfg: function.cfg,
        visibility: function.visibility,
        name: function.name,
        requires,
    };
    Some((declaration, registered))
}

/// The paths, without that of the migration itself.
pub(crate) fn others(
    written: Vec<Path>,
    name: &Ident,
    subject: Subject,
    verb: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<TokenStream> {
    let mut paths = Vec::new();
    for path in written {
        if let [TokenTree::Ident(only)] = path.as_slice()
            && only == name
        {
            let noun = subject.noun;
            diagnostics.error(only.span(), format!("{noun} cannot {verb} itself"));
        } else {
            paths.push(path.into_iter().collect());
        }
    }
    paths
}

fn reversal(shared: &mut Shared, diagnostics: &mut Diagnostics) -> Reversal {
    match (shared.down.take(), shared.irreversible.take()) {
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
