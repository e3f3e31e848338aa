//! The rules that concern more than one part.

use super::{
    SUBJECT,
    model::{Arguments, Body, Migration, Repeat},
};
use crate::{
    declaration::{Function, validate},
    diagnostics::Diagnostics,
};

/// The declaration. Without a function there is none; with errors, it registers nothing.
pub(crate) fn migration(
    arguments: Arguments,
    function: Option<Function>,
    diagnostics: &mut Diagnostics,
) -> Option<Migration> {
    let repeat = repeat(&arguments, diagnostics);
    let replaces = function.as_ref().map(|function| {
        validate::others(
            arguments.replaces,
            &function.name,
            SUBJECT,
            "replace",
            diagnostics,
        )
    });
    let (declaration, registered) =
        validate::declaration(arguments.shared, function, SUBJECT, diagnostics)?;
    Some(Migration {
        declaration,
        replaces: replaces?,
        body: registered.map(|(registered, signature)| Body {
            registered,
            signature,
            transaction_none: arguments.transaction_none,
            statement_timeout: arguments.statement_timeout,
            lock_timeout: arguments.lock_timeout,
            suspends: arguments.suspends,
            restore_unmanaged: arguments.restore_unmanaged,
            repeat,
        }),
    })
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
    let reverts = arguments.shared.down.as_ref().map(|it| ("down", it.key));
    let reason = arguments.shared.irreversible.as_ref();
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
