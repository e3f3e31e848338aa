//! Redis after a run. That its keys are to go is noted with the history before they do: what fails, or dies
//! on the way, is made up for by the next `up`.

use std::{
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use migrate_core::{DatabaseSettings, Failure, FailureKind, restore::Restored};

use super::{Applied, Context, Done};
use crate::{
    config::{Keys, Redis},
    exit,
    render::count,
    request::Flush,
    startup,
};

/// The note's name.
const OWED: &str = "redis_flush";

/// How the run ended that this is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    Well,
    Badly,
}

/// Flushes Redis, where something was applied, an earlier run did not come to it, or a person asks for it.
pub(super) fn run(
    context: &mut Context<'_, '_>,
    targets: &[DatabaseSettings],
    redis: Option<&Redis>,
    asked: Flush,
    ran: Ran,
) -> Done {
    let Some(redis) = redis else {
        if asked == Flush::Always {
            return Err(
                Failure::new(FailureKind::Usage, "there is no Redis to flush")
                    .next("configure `redis_url` and `redis_flush`, or leave out `--flush-redis`"),
            );
        }
        return Ok(exit::DONE);
    };
    let mut debts = match ran {
        Ran::Well => debts(context, targets)?,
        // Whatever failed would fail here once more.
        Ran::Badly => Vec::new(),
    };
    if context.applied.anything() {
        debts.extend(note(context, targets));
    } else if debts.is_empty() && asked == Flush::AfterChanges {
        return Ok(exit::DONE);
    } else if !debts.is_empty() {
        context.console.note(
            "Redis was not flushed after an earlier run that applied something: trying again\n",
        );
    }
    let owed = !debts.is_empty();
    let removed =
        startup::flush(redis).map_err(|failure| after(context.applied, redis, owed, failure))?;
    let what = match &redis.keys {
        Keys::Database => "all keys".to_owned(),
        Keys::Matching(pattern) => format!("`{pattern}`"),
    };
    let keys = count(usize::try_from(removed).unwrap_or(usize::MAX), "key");
    context.console.note(&format!(
        "flushed {what} from {}: {keys} removed\n",
        redis.url
    ));
    for (database, value) in debts {
        context.open(&database)?.remove_note(OWED, &value)?;
    }
    Ok(exit::DONE)
}

/// A database, and what is noted there.
type Debt = (DatabaseSettings, String);

/// What earlier runs did not come to.
fn debts(context: &Context<'_, '_>, targets: &[DatabaseSettings]) -> Result<Vec<Debt>, Failure> {
    let mut debts = Vec::new();
    for database in targets {
        if let Some(value) = context.open(database)?.note(OWED)? {
            debts.push((database.clone(), value));
        }
    }
    Ok(debts)
}

/// Notes it in the first database that can keep it.
fn note(context: &Context<'_, '_>, targets: &[DatabaseSettings]) -> Option<Debt> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    // Another run's note is not ours to take away.
    let value = format!("{} {}", process::id(), now.unwrap_or_default().as_nanos());
    for database in targets {
        let noted = context
            .open(database)
            .and_then(|mut deployment| deployment.set_note(OWED, &value));
        match noted {
            Ok(true) => return Some((database.clone(), value)),
            Ok(false) => {}
            // It is only for when the flush fails, too.
            Err(failure) => {
                tracing::warn!(database = database.name, %failure, "could not note that Redis is to be flushed");
            }
        }
    }
    None
}

/// What was applied stays so, and is said.
fn after(applied: Applied, redis: &Redis, owed: bool, failure: Failure) -> Failure {
    let Applied {
        migrations,
        views,
        restored,
    } = applied;
    let before = match (migrations, views) {
        (0, 0) if restored == Restored::Done => "the database was restored".to_owned(),
        (0, 0) => "nothing was applied".to_owned(),
        (0, views) => format!("{} built", count(views, "view")),
        (migrations, _) => format!("{} applied", count(migrations, "migration")),
    };
    let mut said = Failure::new(
        FailureKind::Migration,
        format!(
            "{before}, and then Redis could not be flushed: {}",
            redis.url
        ),
    );
    said.causes.push(failure.message);
    said.causes.extend(failure.causes);
    said.next(if owed {
        "what was applied stays applied; the next `up` tries to flush it again, also with nothing else to do"
    } else {
        "what was applied stays applied; when Redis can be reached, run `up --flush-redis`"
    })
}
