//! `unlock`: ends the session that holds the deploy lock.

use std::{
    thread,
    time::{Duration, Instant},
};

use migrate_core::{
    Failure, FailureKind,
    unlock::{Force, LockSession},
};

use crate::{
    backend::{Driver, LockKey},
    error::Error,
    history::Store,
};

/// For how long to wait until a session that was told to end is gone.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// Who holds the deploy lock of the history table `table`.
pub(crate) fn session(driver: &mut dyn Driver, table: &str) -> Result<Option<LockSession>, Error> {
    driver
        .lock_session(&LockKey::new(table))
        .map_err(Error::database("ask who holds the deploy lock"))
}

/// Ends it, and waits until it is gone.
pub(crate) fn end(
    driver: &mut dyn Driver,
    store: &Store,
    force: Force,
) -> Result<Option<LockSession>, Failure> {
    let table = store.table.as_str();
    let Some(held) = session(driver, table)? else {
        return Ok(None);
    };
    let name = held.may_be_ended(force)?;
    driver
        .end_session(&LockKey::new(table), name)
        .map_err(|error| not_allowed(&held, error))?;
    let began = Instant::now();
    while session(driver, table)?.is_some_and(|now| now.session == held.session) {
        if began.elapsed() >= PATIENCE {
            let holder = &held.holder;
            return Err(Failure::new(
                FailureKind::Lock,
                format!("the session of {holder} was told to end, and still holds the deploy lock"),
            )
            .next("the server is rolling back what it did, which takes its time: look again with `unlock`"));
        }
        thread::sleep(PAUSE);
    }
    write_down(driver, store, &held);
    Ok(Some(held))
}

/// The session is ended, whether that can be written down or not.
fn write_down(driver: &mut dyn Driver, store: &Store, held: &LockSession) {
    let detail = format!("ended the session of {}; {}", held.holder, held.activity);
    if let Err(error) = store.log_ended_session(driver, &detail) {
        tracing::warn!(%error, "the log does not say that a session was ended");
    }
}

fn not_allowed(held: &LockSession, error: diesel::result::Error) -> Failure {
    let doing = format!("end the session of {}", held.holder);
    Failure::from(Error::database(doing)(error)).next(
        "log in as the same role, or as one that may end others' sessions (PostgreSQL: a member of pg_signal_backend; MySQL: CONNECTION_ADMIN, or SUPER)",
    )
}
