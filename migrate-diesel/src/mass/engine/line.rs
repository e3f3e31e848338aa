//! [`Line`]: a worker's connection, and what a body leaves in its session.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, PoisonError},
};

use diesel::QueryResult;

use super::Connect;
use crate::{
    backend::{Driver, Endings, ImplicitCommit, LockKey, Only, SessionState, StatementLog},
    error::Error,
    history::Store,
};

/// A question that is of no consequence.
const NOTHING: &str =
    "SELECT '1' AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5";

/// A connection that batches run on, one after the other.
pub(super) struct Line<'l> {
    driver: Ownership<'l>,
    session: SessionState,
    /// Hears what bodies send, on a connection of our own.
    heard: Option<StatementLog>,
    /// Whether a body may have left something in the session.
    used: bool,
    /// Whether the session is to be left as it was found.
    found: Found,
}

enum Ownership<'l> {
    Own(Box<dyn Driver + Send>),
    Lent(&'l mut dyn Driver),
}

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Of a connection of our own, or of one whose owner takes no care.
    Ours,
    /// Its owner has remembered it and brings it back at the end, locks that it holds included.
    Kept,
}

impl<'l> Line<'l> {
    /// A connection of our own.
    pub(super) fn open(connect: &Connect<'_>, store: &Store) -> Result<Self, Error> {
        let mut driver = connect()?;
        ready(&mut *driver).map_err(Error::database("ready a connection for a worker"))?;
        let session = remember(&mut *driver, store)?;
        let heard = StatementLog::default();
        {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.only = Some(Only {
                is_one: may_change_session,
                was_one: false,
            });
        }
        driver.listen(Some(Arc::clone(&heard)));
        Ok(Self {
            driver: Ownership::Own(driver),
            session,
            heard: Some(heard),
            used: false,
            found: Found::Ours,
        })
    }

    /// Somebody else's, with what they remember of their session, if they do.
    pub(super) fn lent(
        driver: &'l mut dyn Driver,
        session: Option<&SessionState>,
        store: &Store,
    ) -> Result<Self, Error> {
        let (session, found) = match session {
            Some(session) => (session.clone(), Found::Kept),
            None => (remember(driver, store)?, Found::Ours),
        };
        Ok(Self {
            driver: Ownership::Lent(driver),
            session,
            heard: None,
            used: false,
            found,
        })
    }

    /// Whether a new session can be had when this one is lost.
    pub(super) fn is_own(&self) -> bool {
        matches!(self.driver, Ownership::Own(_))
    }

    /// Whether the end of the transaction by a body would not be heard: then it has to be marked.
    pub(super) fn is_marked(&self) -> bool {
        match self.driver().dialect().implicit_commit {
            // DDL, also in a procedure.
            ImplicitCommit::OnDdl => true,
            ImplicitCommit::Never => {
                self.heard.is_none() && !self.driver().dialect().mark.is_empty()
            }
        }
    }

    /// A body begins: what it sends is heard.
    pub(super) fn begin_body(&mut self) {
        self.hear(Endings::Refused);
    }

    /// It has ended. Whether it tried to end its transaction.
    pub(super) fn end_body(&mut self) -> bool {
        let (endings, changed) = self.hear(Endings::Allowed);
        self.used |= changed;
        endings == Endings::Met
    }

    fn hear(&mut self, endings: Endings) -> (Endings, bool) {
        let Some(heard) = &self.heard else {
            return (Endings::Allowed, true);
        };
        // Poisoned where it refused a statement.
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut heard.endings, endings);
        let changed = heard
            .only
            .as_mut()
            .is_some_and(|only| std::mem::take(&mut only.was_one));
        (before, changed)
    }

    /// Brings the session back, where the last body may have changed it.
    pub(super) fn bring_back(
        &mut self,
        connect: Option<&Connect<'_>>,
        store: &Store,
    ) -> Result<(), Error> {
        if !std::mem::take(&mut self.used) {
            return Ok(());
        }
        if self.dialect().implicit_commit == ImplicitCommit::OnDdl
            && let (Ownership::Own(_), Some(connect)) = (&self.driver, connect)
        {
            // Only a new session is free of temporary tables.
            *self = Line::open(connect, store)?;
            return Ok(());
        }
        let session = self.session.clone();
        let script = match self.found {
            Found::Kept => self.isolation_sql(&session),
            Found::Ours => session.restore_finally.clone(),
        };
        let result = if script.is_empty() {
            self.isolate(&session)
        } else {
            self.batch(&format!("BEGIN;\n{script};\nCOMMIT"))
        };
        result.map_err(Error::database("bring the session back"))
    }

    /// Leaves a lent session as it was found.
    pub(super) fn leave(&mut self) {
        let (is_lent, session) = (!self.is_own(), self.session.clone());
        if !is_lent || self.found == Found::Kept || self.depth().is_err() {
            return;
        }
        let names = match std::mem::take(&mut self.used) {
            true => self
                .isolate(&session)
                .map(|()| session.restore_finally.clone()),
            false => Ok(session.restore_names.clone()),
        };
        let result = names.and_then(|sql| {
            if sql.is_empty() {
                Ok(())
            } else {
                self.batch(&sql)
            }
        });
        if let Err(error) = result {
            tracing::warn!(%error, "the session could not be brought back");
        }
    }

    /// Rolls back what may be open, and tells whether the connection still works.
    pub(super) fn roll_back(&mut self, store: &Store) -> bool {
        if self.depth().is_err() {
            return false;
        }
        let rolled_back = self.batch(store.dialect.rollback);
        self.set_depth(0);
        // SQLite rolls some failures back by itself, and has nothing to roll back then.
        rolled_back.is_ok() || self.rows(NOTHING).is_ok()
    }

    fn driver(&self) -> &dyn Driver {
        match &self.driver {
            Ownership::Own(driver) => &**driver,
            Ownership::Lent(driver) => &**driver,
        }
    }
}

impl<'l> Deref for Line<'l> {
    type Target = dyn Driver + 'l;

    fn deref(&self) -> &(dyn Driver + 'l) {
        match &self.driver {
            Ownership::Own(driver) => &**driver,
            Ownership::Lent(driver) => &**driver,
        }
    }
}

impl<'l> DerefMut for Line<'l> {
    fn deref_mut(&mut self) -> &mut (dyn Driver + 'l) {
        match &mut self.driver {
            Ownership::Own(driver) => &mut **driver,
            Ownership::Lent(driver) => &mut **driver,
        }
    }
}

/// A connection's first statements.
fn ready(driver: &mut dyn Driver) -> QueryResult<()> {
    driver.prepare()?;
    let sql = driver.dialect().read_committed;
    if sql.is_empty() || logs_statements(driver) {
        return Ok(());
    }
    driver.batch(sql)
}

/// Whether a server replicates statements as they are: MySQL with `binlog_format = STATEMENT` refuses to
/// change rows under READ COMMITTED.
fn logs_statements(driver: &mut dyn Driver) -> bool {
    driver.dialect().implicit_commit == ImplicitCommit::OnDdl
        && driver
            .rows(
                "SELECT CAST(@@log_bin AS CHAR) AS c0, @@session.binlog_format AS c1, NULL AS c2, NULL AS c3, \
                 NULL AS c4, NULL AS c5",
            )
            .is_ok_and(|rows| {
                rows.first().is_some_and(|row| {
                    row.c0.as_deref() != Some("0")
                        && row.c1.as_deref().is_some_and(|it| it.eq_ignore_ascii_case("statement"))
                })
            })
}

fn remember(driver: &mut dyn Driver, store: &Store) -> Result<SessionState, Error> {
    driver
        .remember_session(&LockKey::new(&store.table))
        .map_err(Error::database("read the session's settings"))
}

/// Whether a text of statements may do something that outlives its transaction in the session. Rather
/// once too often: bringing a clean session back costs little.
fn may_change_session(sql: &str) -> bool {
    /// What can be a statement's first word without consequence, if none of the words below follow.
    const HARMLESS: [&str; 15] = [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "WITH",
        "MERGE",
        "REPLACE",
        "VALUES",
        "TABLE",
        "SAVEPOINT",
        "RELEASE",
        "ROLLBACK",
        "EXPLAIN",
        "LOCK",
        "TRUNCATE",
    ];
    const TELLING: [&str; 8] = [
        "TEMP",
        "TEMPORARY",
        "SET_CONFIG",
        "PRAGMA",
        "ATTACH",
        "GET_LOCK",
        "SETVAL",
        "PG_TEMP",
    ];
    // Diesel's text has the parameters behind it.
    let sql = sql.split_once(" -- binds: ").map_or(sql, |(sql, _)| sql);
    sql.split(';').any(|statement| {
        let mut words = statement
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '@'))
            .filter(|word| !word.is_empty());
        let Some(first) = words.next() else {
            return false;
        };
        !HARMLESS.iter().any(|it| first.eq_ignore_ascii_case(it))
            || words.any(|word| {
                TELLING.iter().any(|it| word.eq_ignore_ascii_case(it))
                    || word.starts_with('@')
                    || starts_with(word, "pg_advisory_lock")
                    || starts_with(word, "pg_try_advisory_lock")
                    || starts_with(word, "pragma_")
            })
    })
}

fn starts_with(word: &str, beginning: &str) -> bool {
    word.get(..beginning.len())
        .is_some_and(|it| it.eq_ignore_ascii_case(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_a_session() {
        for sql in [
            "SET work_mem = '1GB'",
            "UPDATE a SET b = 1; SET search_path = x",
            "SELECT set_config('a.b', 'c', false)",
            "CREATE TEMPORARY TABLE t (a int)",
            "SELECT 1 INTO TEMP t",
            "SELECT pg_advisory_lock(1)",
            "SELECT @a := 1",
            "CALL f()",
            "DO $$ BEGIN END $$",
            "PRAGMA foreign_keys = 0",
            "LISTEN x",
        ] {
            assert!(may_change_session(sql), "{sql}");
        }
        for sql in [
            "UPDATE users SET template = 'x' WHERE id > 1",
            "SAVEPOINT a; UPDATE t SET set_id = 1;",
            "UPDATE t SET a = ? -- binds: [\"SET x; PRAGMA\"]",
            "SELECT pg_advisory_xact_lock(1)",
            "",
        ] {
            assert!(!may_change_session(sql), "{sql}");
        }
    }
}
