//! `unlock`: who holds the deploy lock, and with `--yes` the end of that session.

use migrate_core::unlock::{Force, LockSession};

use super::{Context, Done};
use crate::{
    exit,
    render::json::{self, LockJson},
};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unlock {
    Show,
    /// `--yes`
    End(Force),
}

pub(super) fn run(context: &mut Context<'_, '_>, unlock: Unlock) -> Done {
    match unlock {
        Unlock::Show => show(context),
        Unlock::End(force) => end(context, force),
    }
}

fn show(context: &mut Context<'_, '_>) -> Done {
    let mut sessions = Vec::new();
    for database in context.targets()? {
        let session = context.open(&database)?.lock_session()?;
        if !context.is_json() {
            let text = describe(&database.name, session.as_ref());
            context.console.out(&text);
        }
        sessions.push((database.name, session));
    }
    if context.is_json() {
        let locks: Vec<LockJson<'_>> = sessions
            .iter()
            .map(|(database, session)| LockJson::shown(database, session.as_ref()))
            .collect();
        context.console.out(&json::document(&locks));
    }
    let Some((_, held)) = sessions.iter().find(|(_, session)| session.is_some()) else {
        return Ok(exit::DONE);
    };
    if !context.is_json() && held.as_ref().is_some_and(|held| held.session.is_some()) {
        context
            .console
            .note("`unlock --yes` ends a session that is not at work any more\n");
    }
    Ok(exit::LOCK)
}

fn describe(database: &str, session: Option<&LockSession>) -> String {
    match session {
        None => format!("database `{database}`: nobody holds the deploy lock\n"),
        Some(LockSession {
            holder,
            session,
            activity,
        }) => {
            // Of a file there is nothing more to see.
            let activity = match session {
                Some(_) => format!("; {activity}"),
                None => String::new(),
            };
            format!("database `{database}`: the deploy lock is held by {holder}{activity}\n")
        }
    }
}

fn end(context: &mut Context<'_, '_>, force: Force) -> Done {
    let database = context.only_target("unlock --yes")?;
    let name = &database.name;
    let ended = context.open(&database)?.unlock(force)?;
    if context.is_json() {
        let lock = LockJson::ended(name, ended.as_ref());
        context.console.out(&json::document(&[lock]));
        return Ok(exit::DONE);
    }
    let text = match &ended {
        None => describe(name, None),
        Some(session) => format!(
            "database `{name}`: ended the session of {}; what it had not committed is rolled back\n\
             `status` shows whether a migration was interrupted\n",
            session.holder
        ),
    };
    context.console.out(&text);
    Ok(exit::DONE)
}
