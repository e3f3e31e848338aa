//! What a session is set to for a run, or for one body, and what takes that back.

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use std::time::Duration;

use migrate_core::SessionSettings;

use super::{Dialect, Driver};
use crate::error::Error;

/// Sets a session to what is configured. Returns what takes it back; empty where nothing is configured.
///
/// # Errors
/// The database cannot do it, or refuses.
pub(crate) fn configure(
    driver: &mut dyn Driver,
    wanted: &SessionSettings,
) -> Result<Vec<String>, Error> {
    let mut undo = Vec::new();
    if let Some(path) = &wanted.search_path {
        undo.extend(driver.search_in(path)?);
    }
    if !wanted.limits.is_none() {
        undo.extend(driver.limit(wanted.limits)?);
    }
    Ok(undo)
}

/// Takes it back. What cannot be taken back is the caller's to see, and no failure of the run.
pub(crate) fn take_back(driver: &mut dyn Driver, undo: &[String]) {
    for statement in undo {
        if let Err(error) = driver.batch(statement) {
            tracing::debug!(%error, "could not bring the session back");
        }
    }
}

/// `key` is not to be had of this database.
pub(super) fn unsupported(dialect: &Dialect, key: &str, instead: &str) -> Error {
    Error::Setting(format!(
        "`{key}` is set, and {} has no such thing: {instead}",
        dialect.name
    ))
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(super) fn milliseconds(limit: Duration) -> u128 {
    // Nothing would be no limit.
    limit.as_millis().max(1)
}
