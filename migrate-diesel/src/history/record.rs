//! The statements that record what was not run here: marked, adopted, accepted.

use std::time::SystemTime;

use diesel::QueryResult;
use migrate_core::{AppliedMigration, Descriptor, State};

use super::Store;
use crate::backend::Driver;

/// A migration about to be recorded as applied.
#[derive(Clone, Debug)]
pub(crate) struct Recorded<'r> {
    pub(crate) descriptor: &'static Descriptor,
    /// The row of an earlier attempt, perhaps under a former id.
    pub(crate) replaces: Option<&'r AppliedMigration>,
    /// When it was applied, as far as that is known.
    pub(crate) at: SystemTime,
    /// The word of the log.
    pub(crate) event: &'static str,
    pub(crate) detail: &'r str,
    pub(crate) by: &'r str,
}

impl Store {
    /// The statements that record one. The key on `id` refuses what was recorded meanwhile.
    pub(crate) fn record(&self, recorded: &Recorded<'_>) -> Vec<String> {
        let literal = self.dialect.text;
        let id = recorded.descriptor.id.to_string();
        let mut statements = Vec::new();
        let mut attempt = 1;
        if let Some(row) = recorded.replaces {
            attempt = row.attempt + 1;
            if row.state == State::Applied {
                statements.push(self.archive(&row.id));
            }
            statements.push(format!(
                "{} AND attempt <= {}",
                self.remove(&row.id),
                row.attempt
            ));
            statements.push(self.forget_steps(&row.id));
        }
        let at = self.dialect.timestamp(recorded.at);
        statements.push(format!(
            "INSERT INTO {} (id, state, fingerprint, attempt, started_at, ended_at, run_by, detail) \
             VALUES ({}, 'applied', '{}', {attempt}, {at}, {at}, {}, {})",
            self.history,
            literal(&id),
            recorded.descriptor.fingerprint,
            literal(recorded.by),
            literal(recorded.detail),
        ));
        statements.push(self.note(&id, recorded.event, None, recorded.detail));
        statements
    }

    /// Writes into the log that the session which held the deploy lock was ended; nothing where there is no
    /// log yet. It is about no migration, so its id is none.
    pub(crate) fn log_ended_session(
        &self,
        driver: &mut dyn Driver,
        detail: &str,
    ) -> QueryResult<()> {
        if driver.columns(&format!("{}_log", self.table))?.is_empty() {
            return Ok(());
        }
        driver
            .count(&self.note("deploy lock", "unlocked", None, detail))
            .map(drop)
    }

    /// The statements that take the code of something applied for what ran.
    pub(crate) fn accept(
        &self,
        descriptor: &Descriptor,
        row: &AppliedMigration,
        reason: &str,
    ) -> Vec<String> {
        vec![
            format!(
                "UPDATE {} SET fingerprint = '{}' WHERE id = {} AND state = 'applied'",
                self.history,
                descriptor.fingerprint,
                (self.dialect.text)(&row.id)
            ),
            self.note(&row.id, "accepted", None, reason),
        ]
    }
}
