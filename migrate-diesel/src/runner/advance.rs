//! From one body to the next: the statements that complete one migration and start another, in as
//! few round trips as the database allows.

use std::time::{Duration, Instant, SystemTime};

use diesel::{
    QueryResult,
    result::{DatabaseErrorKind, Error as DieselError},
};
use migrate_core::{State, report::Event};

use super::Runner;
use crate::{backend::ImplicitCommit, error::Error, history::Claim};

/// A migration whose body has run and which is not recorded yet.
pub(super) struct Open {
    pub(super) claim: Claim,
    pub(super) duration: Duration,
    pub(super) recorded_steps: bool,
    pub(super) at: usize,
}

/// Where the way from one body to the next ended early.
pub(super) enum Stumble {
    /// The previous migration could not be completed.
    Previous(DieselError),
    /// The next one is somebody else's.
    Fenced,
    /// The next one could not be started.
    Next(Box<Error>),
}

impl Stumble {
    fn next(error: Error) -> Self {
        Self::Next(Box::new(error))
    }
}

impl Runner<'_> {
    /// Completes the previous migration and starts the next: on PostgreSQL in one round trip.
    pub(super) fn advance(
        &mut self,
        previous: Option<Open>,
        next: Option<&mut Claim>,
    ) -> Result<(), (Stumble, Option<Open>)> {
        if self.driver.dialect().pipelined {
            self.advance_together(previous, next)
        } else {
            self.advance_apart(previous, next)
        }
    }

    fn advance_together(
        &mut self,
        previous: Option<Open>,
        next: Option<&mut Claim>,
    ) -> Result<(), (Stumble, Option<Open>)> {
        let mut script: Vec<String> = Vec::new();
        match &previous {
            Some(previous) => script.extend(self.ending_script(previous)),
            None => self
                .bring_back()
                .map_err(|error| (Stumble::next(error), None))?,
        }
        let mut depth = 0;
        if let Some(next) = &next {
            depth = u32::from(next.transaction);
            script.extend(self.opening_script(next));
        }
        if script.is_empty() {
            return Ok(());
        }
        let result = self.driver.batch(&script.join(";\n"));
        let Err(error) = result else {
            self.driver.set_depth(depth);
            self.state.used = super::Used::No;
            if let Some(previous) = previous {
                self.applied(&previous);
            }
            if let Some(next) = next {
                next.started = SystemTime::now();
            }
            return Ok(());
        };
        self.roll_back();
        if let Err(error) = self.bring_back() {
            tracing::debug!(%error, "could not bring the session back");
        }
        match previous {
            // The database knows how far it came.
            Some(previous) if !self.is_applied(&previous) => {
                Err((Stumble::Previous(error), Some(previous)))
            }
            previous => {
                if let Some(previous) = previous {
                    self.applied(&previous);
                }
                Err((next_stumble(error), None))
            }
        }
    }

    fn advance_apart(
        &mut self,
        previous: Option<Open>,
        next: Option<&mut Claim>,
    ) -> Result<(), (Stumble, Option<Open>)> {
        if let Some(previous) = previous {
            if let Err(error) = self.end_apart(&previous) {
                self.roll_back();
                return Err((Stumble::Previous(error), Some(previous)));
            }
            self.driver.set_depth(0);
            if previous.claim.transaction
                && self.driver.dialect().implicit_commit == ImplicitCommit::Never
            {
                self.state
                    .durations
                    .push((previous.claim.id, previous.duration));
            }
            self.applied(&previous);
        }
        let Some(next) = next else { return Ok(()) };
        let condition = self.clean_condition();
        if condition.is_none() || !next.transaction {
            self.isolate()
                .map_err(|error| (Stumble::next(error), None))?;
        }
        next.started = SystemTime::now();
        self.open_apart(next, condition.as_deref())
            .map_err(|error| {
                self.roll_back();
                (error, None)
            })
    }

    /// Completes a migration, statement by statement. On MySQL the mark that the claim left inside
    /// the transaction has to be there still: else the body (or a deadlock whose error it
    /// swallowed) has rolled back what it did.
    fn end_apart(&mut self, open: &Open) -> QueryResult<()> {
        let mut script = self.ending_script(open);
        let marked = open.claim.transaction
            && self.driver.dialect().implicit_commit == ImplicitCommit::OnDdl;
        if marked {
            let complete = self.store.complete_marked(&open.claim, open.duration);
            if self.driver.count(&complete)? != 1 {
                return Err(DieselError::NotInTransaction);
            }
            script.remove(0);
        }
        self.driver.batch(&script.join(";\n"))
    }

    /// Begins and claims, statement by statement.
    fn open_apart(&mut self, next: &Claim, condition: Option<&str>) -> Result<(), Stumble> {
        let dialect = self.driver.dialect();
        // MySQL: the intent stays, whatever happens to the transaction that follows it.
        let intent_first = dialect.implicit_commit == ImplicitCommit::OnDdl || !next.transaction;
        if intent_first {
            // One by one and prepared: only so does MySQL's driver tell a duplicate key from other errors.
            if let Some(archive) = self.store.archive_earlier(next) {
                self.driver.count(&archive).map_err(next_stumble)?;
            }
            if let Some(forget) = self.store.forget_earlier(next) {
                self.driver.count(&forget).map_err(next_stumble)?;
            }
            self.driver
                .count(&self.store.claim(next, None))
                .map_err(next_stumble)?;
            if next.transaction {
                self.driver.batch(dialect.begin).map_err(next_stumble)?;
                self.driver.set_depth(1);
                let mark = self.store.mark_permanent(next);
                if self.driver.count(&mark).map_err(next_stumble)? != 1 {
                    return Err(Stumble::Fenced);
                }
            }
            return Ok(());
        }
        self.begin_patiently(dialect.begin)?;
        self.driver.set_depth(1);
        if let Some(archive) = self.store.archive_earlier(next) {
            self.driver.batch(&archive).map_err(next_stumble)?;
        }
        if let Some(forget) = self.store.forget_earlier(next) {
            self.driver.batch(&forget).map_err(next_stumble)?;
        }
        let claim = self.store.claim(next, condition);
        let claimed = match condition {
            Some(_) => self.driver.count(&claim),
            None => self.driver.batch(&claim).map(|()| 1),
        };
        if claimed.map_err(next_stumble)? == 0 {
            // A body left something behind in the session.
            self.state.used = super::Used::Yes;
            self.isolate().map_err(Stumble::next)?;
            self.driver
                .batch(&self.store.claim(next, None))
                .map_err(next_stumble)?;
        }
        self.state.used = super::Used::No;
        Ok(())
    }

    /// Begins, waiting as long as for the lock when another program writes.
    fn begin_patiently(&mut self, begin: &str) -> Result<(), Stumble> {
        let began = Instant::now();
        loop {
            match self.driver.batch(begin) {
                Err(error) if error.to_string().contains("database is locked") => {
                    let waited = began.elapsed();
                    if waited >= self.settings.lock_wait {
                        return Err(Stumble::next(Error::Database {
                            doing: "begin a transaction".to_owned(),
                            source: error,
                        }));
                    }
                    (self.observer)(Event::Waiting {
                        holder: None,
                        waited,
                    });
                    if self.state.interrupt.wait(Duration::from_millis(50)) {
                        return Err(Stumble::next(Error::Interrupted {
                            when: "while another program wrote".to_owned(),
                        }));
                    }
                }
                result => return result.map_err(next_stumble),
            }
        }
    }

    fn ending_script(&self, open: &Open) -> Vec<String> {
        let dialect = self.driver.dialect();
        let mut script = Vec::new();
        let says_it_itself = open.claim.transaction
            && dialect.implicit_commit == ImplicitCommit::Never
            && !dialect.pipelined;
        // Whole, and by itself: in one message with the next claim, what comes before that one's BEGIN
        // would become part of it and go with it.
        // <https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT>
        let own_transaction = !open.claim.transaction;
        if own_transaction {
            script.push(dialect.begin.to_owned());
        }
        if open.claim.transaction && !dialect.unmark.is_empty() {
            script.push(dialect.unmark.to_owned());
        }
        // Before the record: the body may have changed the role, or where names are looked up.
        script.extend(self.isolation());
        if !says_it_itself {
            script.push(self.store.complete(&open.claim, open.duration));
        }
        if open.recorded_steps {
            script.push(self.store.forget_steps(&open.claim.id.to_string()));
        }
        script.push(dialect.commit.to_owned());
        script
    }

    /// Statements that bring the session back, if it was used and statements can.
    pub(super) fn isolation(&self) -> Option<String> {
        let sql = self.driver.isolation_sql(&self.state.session);
        (self.state.used == super::Used::Yes && !sql.is_empty()).then_some(sql)
    }

    /// Begin, claim, mark: the statements of a pipelined dialect.
    pub(super) fn opening_script(&self, claim: &Claim) -> Vec<String> {
        let dialect = self.driver.dialect();
        let mut script = Vec::new();
        if claim.transaction {
            script.push(dialect.begin.to_owned());
        }
        script.extend(self.store.archive_earlier(claim));
        script.extend(self.store.forget_earlier(claim));
        script.push(self.store.claim(claim, None));
        if claim.transaction && !dialect.mark.is_empty() {
            script.push(dialect.mark.to_owned());
        }
        script
    }

    fn is_applied(&mut self, open: &Open) -> bool {
        let row = self.store.row(self.driver, &open.claim.id.to_string());
        matches!(row, Ok(Some(row)) if row.state == State::Applied.as_str() && row.attempt == open.claim.attempt)
    }

    fn applied(&mut self, open: &Open) {
        self.state.summary.applied += 1;
        (self.observer)(Event::Applied {
            id: open.claim.id.to_string(),
            duration: open.duration,
        });
    }

    /// Rolls back whatever is open; says nothing, because something else went wrong before.
    pub(super) fn roll_back(&mut self) {
        let broken = self.driver.depth().is_err();
        if !broken {
            if let Err(error) = self.driver.batch(self.driver.dialect().rollback) {
                tracing::debug!(%error, "nothing to roll back");
            }
            self.driver.set_depth(0);
        }
    }
}

fn next_stumble(error: DieselError) -> Stumble {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Stumble::Fenced,
        source => Stumble::next(Error::Database {
            doing: "start a migration".to_owned(),
            source,
        }),
    }
}
