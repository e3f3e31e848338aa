//! The statements that write history: a claim before a body, an ending after it.
//!
//! A claim inserts the migration's row *before* its body runs, so that the key decides who runs it:
//! a second runner waits for the first one's transaction and then meets a duplicate key, whatever
//! happened to the lock.
//!
//! | body | claim | ending |
//! |---|---|---|
//! | SQLite, in a transaction | inserts `applied` in it | none: `COMMIT` says it |
//! | PostgreSQL, in a transaction | inserts `running` in it | updates to `applied` in it |
//! | MySQL | inserts `running` before it; in it, sets `detail` | updates to `applied` in it |
//! | outside a transaction | inserts `running` with `detail` | updates to `applied` |
//!
//! A `running` row with a detail is the mark of something permanent: on MySQL the detail is written
//! inside the transaction, and only survives a crash when DDL has committed it.

use std::time::{Duration, SystemTime};

use migrate_core::{Fingerprint, MigrationId, State};

use super::Store;
use crate::backend::ImplicitCommit;

/// The detail of a row whose body may have done something permanent.
const PERMANENT: &str = "what it did may be permanent";

/// The detail of a row whose revert was announced, and of one whose revert may have done something
/// permanent. Reverting outside a single transaction goes `applied`, `running` with the first, then
/// with the second (on MySQL inside the transaction), then no row.
pub(crate) const REVERT_ANNOUNCED: &str = "its revert was announced";
pub(crate) const REVERT_BEGUN: &str = "its revert was begun";

/// A migration about to be started.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// Its id, live.
    pub(crate) id: MigrationId,
    /// The id of the row that it replaces: of an earlier attempt, perhaps under a former id.
    pub(crate) replaces: Option<String>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) attempt: u32,
    /// Whether that row says `applied`: a repeatable migration runs again.
    pub(crate) again: Again,
    /// Whether the body runs in a transaction of ours.
    pub(crate) transaction: bool,
    pub(crate) started: SystemTime,
    pub(crate) by: String,
}

/// Whether what is claimed is applied already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    Yes,
}

/// How an attempt ended, other than well.
#[derive(Clone, Debug)]
pub(crate) struct Ending<'e> {
    pub(crate) state: State,
    pub(crate) duration: Duration,
    pub(crate) detail: &'e str,
}

impl Store {
    fn text(&self, text: &str) -> String {
        (self.dialect.text)(text)
    }

    /// The statement that inserts the row; `condition` has to hold for it to do so.
    ///
    /// With literals, not prepared: on SQLite every CREATE TABLE outdates what was prepared, and to
    /// prepare again and bind costs twice as much as to prepare.
    pub(crate) fn claim(&self, claim: &Claim, condition: Option<&str>) -> String {
        let values = self.claim_values(claim);
        match condition {
            Some(condition) => {
                format!("{} SELECT {values} WHERE {condition}", self.insert())
            }
            None => format!("{} VALUES ({values})", self.insert()),
        }
    }

    /// The statement that inserts the rows of several.
    pub(crate) fn claim_all(&self, claims: &[Claim]) -> String {
        let rows: Vec<String> = claims
            .iter()
            .map(|claim| format!("({})", self.claim_values(claim)))
            .collect();
        format!("{} VALUES {}", self.insert(), rows.join(", "))
    }

    fn insert(&self) -> String {
        format!(
            "INSERT INTO {} (id, state, fingerprint, attempt, started_at, ended_at, run_by, detail)",
            self.history
        )
    }

    fn claim_values(&self, claim: &Claim) -> String {
        let started = self.dialect.timestamp(claim.started);
        let own_update =
            self.dialect.implicit_commit == ImplicitCommit::OnDdl || self.dialect.pipelined;
        let (state, ended, detail) = match (claim.transaction, own_update) {
            (true, false) => (State::Applied, started.as_str(), "NULL".to_owned()),
            (true, true) => (State::Running, "NULL", "NULL".to_owned()),
            (false, _) => (State::Running, "NULL", self.text(PERMANENT)),
        };
        format!(
            "{}, '{state}', '{}', {}, {started}, {ended}, {}, {detail}",
            self.text(&claim.id.to_string()),
            claim.fingerprint,
            claim.attempt,
            self.text(&claim.by),
        )
    }

    /// The statement that removes the row of the earlier attempt that was seen; a later one, of a
    /// runner that we do not know of, stays, and then its key refuses the claim.
    pub(crate) fn forget_earlier(&self, claim: &Claim) -> Option<String> {
        let id = claim.replaces.as_ref()?;
        let unless_applied = match claim.again {
            Again::No => " AND state <> 'applied'",
            Again::Yes => "",
        };
        Some(format!(
            "DELETE FROM {} WHERE id = {}{unless_applied} AND attempt < {}",
            self.history,
            self.text(id),
            claim.attempt
        ))
    }

    /// The statement that keeps the row of the earlier run in the log, where there is one.
    pub(crate) fn archive_earlier(&self, claim: &Claim) -> Option<String> {
        let id = claim.replaces.as_ref()?;
        (claim.again == Again::Yes).then(|| {
            format!(
                "{} AND state = 'applied' AND attempt < {}",
                self.archive(id),
                claim.attempt
            )
        })
    }

    /// The statement that removes the row of this attempt, and earlier ones.
    fn forget_own(&self, claim: &Claim) -> String {
        format!(
            "DELETE FROM {} WHERE id = {} AND state <> 'applied' AND (attempt < {} OR run_by = {})",
            self.history,
            self.text(&claim.id.to_string()),
            claim.attempt,
            self.text(&claim.by)
        )
    }

    /// On MySQL, the first statement in the transaction of a body; the number of rows tells whether
    /// the claim is still ours.
    pub(crate) fn mark_permanent(&self, claim: &Claim) -> String {
        format!(
            "{} AND attempt = {} AND run_by = {}",
            self.set_detail(&claim.id.to_string(), PERMANENT),
            claim.attempt,
            self.text(&claim.by)
        )
    }

    /// A query that has a row while nothing of that transaction is permanent, asked from outside it.
    pub(crate) fn is_unmarked(&self, claim: &Claim) -> String {
        self.has_detail(claim, "IS NULL")
    }

    /// As [`is_unmarked`](Self::is_unmarked), of a revert.
    pub(crate) fn is_revert_unmarked(&self, claim: &Claim) -> String {
        self.has_detail(claim, &format!("= {}", self.text(REVERT_ANNOUNCED)))
    }

    fn has_detail(&self, claim: &Claim, detail: &str) -> String {
        format!(
            "SELECT '1' AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM {} \
             WHERE id = {} AND detail {detail}",
            self.history,
            self.text(&claim.id.to_string())
        )
    }

    /// The statement that says `applied`, where the claim has not.
    pub(crate) fn complete(&self, claim: &Claim, duration: Duration) -> String {
        format!(
            "UPDATE {} SET state = 'applied', ended_at = {}, duration_ms = {}, detail = NULL WHERE id = {}",
            self.history,
            self.dialect.timestamp(claim.started + duration),
            milliseconds(duration),
            self.text(&claim.id.to_string())
        )
    }

    /// As [`complete`](Self::complete), only while the mark of the transaction is there.
    pub(crate) fn complete_marked(&self, claim: &Claim, duration: Duration) -> String {
        format!("{} AND detail IS NOT NULL", self.complete(claim, duration))
    }

    /// Removes the finished steps of a migration that is done with them.
    pub(crate) fn forget_steps(&self, id: &str) -> String {
        format!("DELETE FROM {} WHERE id = {}", self.steps, self.text(id))
    }

    /// The statement that adds how long those took that were applied with their claims alone (on
    /// SQLite): one for all of them, with the durations as a JSON object.
    pub(crate) fn took(&self, durations: &[(MigrationId, Duration)]) -> String {
        let members: Vec<String> = durations
            .iter()
            .map(|(id, duration)| {
                let id = id.to_string().replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{id}\":{}", milliseconds(*duration))
            })
            .collect();
        // Materialized: SQLite would rather compare every row with every member.
        format!(
            "WITH took (id, ms) AS MATERIALIZED (SELECT key, value FROM json_each({})) \
             UPDATE {history} SET duration_ms = took.ms FROM took WHERE {history}.id = took.id",
            self.text(&format!("{{{}}}", members.join(","))),
            history = self.history
        )
    }

    /// The statements that record how an attempt ended, other than well: its row and an event.
    pub(crate) fn end(&self, claim: &Claim, ending: &Ending<'_>) -> Vec<String> {
        let id = self.text(&claim.id.to_string());
        let (started, by) = (self.dialect.timestamp(claim.started), self.text(&claim.by));
        let at = self.dialect.timestamp(claim.started + ending.duration);
        let (detail, duration) = (self.text(ending.detail), milliseconds(ending.duration));
        let mut statements = Vec::from_iter(self.forget_earlier(claim));
        statements.push(self.forget_own(claim));
        statements.push(format!(
            "INSERT INTO {} (id, state, fingerprint, attempt, started_at, ended_at, duration_ms, run_by, detail) \
             VALUES ({id}, '{}', '{}', {}, {started}, {at}, {duration}, {by}, {detail})",
            self.history, ending.state, claim.fingerprint, claim.attempt,
        ));
        let event = if ending.state == State::Running {
            State::Interrupted
        } else {
            ending.state
        };
        statements.push(self.event(
            claim.id.to_string().as_str(),
            event.as_str(),
            claim.attempt,
            &at,
            Some(ending.duration),
            &claim.by,
            ending.detail,
        ));
        statements
    }

    #[expect(clippy::too_many_arguments, reason = "one per column")]
    fn event(
        &self,
        id: &str,
        event: &str,
        attempt: u32,
        at: &str,
        duration: Option<Duration>,
        by: &str,
        detail: &str,
    ) -> String {
        format!(
            "INSERT INTO {} (id, event, at, attempt, duration_ms, run_by, detail) VALUES ({}, '{event}', {at}, {attempt}, {}, {}, {})",
            self.log,
            self.text(id),
            duration.map_or_else(|| "NULL".to_owned(), milliseconds),
            self.text(by),
            if detail.is_empty() {
                "NULL".to_owned()
            } else {
                self.text(detail)
            },
        )
    }

    /// The statement that records a finished step.
    pub(crate) fn record_step(&self, id: &str, step: &str) -> String {
        format!(
            "INSERT INTO {} (id, step, ended_at) VALUES ({}, {}, {})",
            self.steps,
            self.text(id),
            self.text(step),
            self.dialect.timestamp(SystemTime::now())
        )
    }

    /// Copies the row of something applied into the log, before it goes.
    pub(crate) fn archive(&self, id: &str) -> String {
        format!(
            "INSERT INTO {} (id, event, at, attempt, duration_ms, run_by, detail) \
             SELECT id, 'applied', COALESCE(ended_at, started_at), attempt, duration_ms, run_by, NULL FROM {} WHERE id = {}",
            self.log,
            self.history,
            self.text(id)
        )
    }

    /// Removes the row of something applied; the number of rows tells whether it was.
    pub(crate) fn remove_applied(&self, id: &str) -> String {
        format!(
            "DELETE FROM {} WHERE id = {} AND state = 'applied'",
            self.history,
            self.text(id)
        )
    }

    /// Removes the row whatever it says.
    pub(crate) fn remove(&self, id: &str) -> String {
        format!("DELETE FROM {} WHERE id = {}", self.history, self.text(id))
    }

    /// Announces a revert in the row of something applied; the number of rows tells whether it was.
    pub(crate) fn announce_revert(&self, id: &str) -> String {
        format!(
            "UPDATE {} SET state = 'running', detail = '{REVERT_ANNOUNCED}' WHERE id = {} \
             AND (state = 'applied' OR (state = 'running' AND detail = '{REVERT_ANNOUNCED}'))",
            self.history,
            self.text(id)
        )
    }

    /// Sets the detail of a row.
    pub(crate) fn set_detail(&self, id: &str, detail: &str) -> String {
        format!(
            "UPDATE {} SET detail = {} WHERE id = {}",
            self.history,
            self.text(detail),
            self.text(id)
        )
    }

    /// Takes back that a revert was begun: applied, and since when it was.
    pub(crate) fn still_applied(&self, id: &str) -> String {
        format!(
            "UPDATE {} SET state = 'applied', detail = NULL WHERE id = {} AND state = 'running'",
            self.history,
            self.text(id)
        )
    }

    /// Sets the state of a row that is in the state `from`; the number of rows tells whether it was.
    pub(crate) fn transition(
        &self,
        id: &str,
        from: State,
        to: State,
        detail: Option<&str>,
    ) -> String {
        format!(
            "UPDATE {} SET state = '{to}', detail = {}, ended_at = {} WHERE id = {} AND state = '{from}'",
            self.history,
            self.dialect.optional_text(detail),
            self.dialect.timestamp(SystemTime::now()),
            self.text(id)
        )
    }

    /// An event that belongs to no attempt of ours: a revert, a decision.
    pub(crate) fn note(
        &self,
        id: &str,
        event: &str,
        duration: Option<Duration>,
        detail: &str,
    ) -> String {
        let at = self.dialect.timestamp(SystemTime::now());
        self.event(id, event, 1, &at, duration, &crate::who::whoami(), detail)
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1_000.0)
}
