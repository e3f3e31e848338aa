//! One transaction per migration.

use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant, SystemTime},
};

use diesel::{
    QueryResult,
    result::{DatabaseErrorKind, Error as DieselError},
};
use migrate_core::{
    Descriptor, Plan, Standing, State, Step, TransactionMode, error_chain,
    frontend::OnFailure,
    report::{Action, Event},
};

use super::{Bodies, Progress, Runner, body::Direction};
use crate::{
    backend::ImplicitCommit,
    error::{BodyError, Error, Undone},
    history::{Claim, Ending},
};

/// A migration whose body has run and which is not recorded yet.
pub(super) struct Open {
    claim: Claim,
    duration: Duration,
    recorded_steps: bool,
    at: usize,
}

/// Where the way from one body to the next ended early.
enum Stumble {
    /// The previous migration could not be completed.
    Previous(DieselError),
    /// The next one is somebody else's.
    Fenced,
    /// The next one could not be started.
    Next(Error),
}

impl Runner<'_> {
    pub(super) fn run_each(
        &mut self,
        plan: &Plan,
        standing: &Standing<'_>,
        on_failure: OnFailure,
        migrations: &Bodies,
    ) -> Result<Progress, Error> {
        let mut open: Option<Open> = None;
        let mut first_failure: Option<Error> = None;
        // What failed, was deferred or waits for one of these.
        let mut held_back: HashSet<usize> = HashSet::new();
        for (position, step) in plan.steps.iter().enumerate() {
            let (Some(descriptor), Some(waits_for)) =
                (self.graph.get(step.at), self.waits_for(step.at, &held_back))
            else {
                continue;
            };
            if let Some(on) = waits_for {
                held_back.insert(step.at);
                self.skip(descriptor, on);
                continue;
            }
            let Some(migration) = migrations.get(&(descriptor as *const Descriptor)) else {
                continue;
            };
            let mut claim = self.claim(descriptor, step, standing);
            loop {
                match self.advance(open.take(), Some(&mut claim)) {
                    Ok(()) => break,
                    Err((Stumble::Previous(source), previous)) => {
                        if let Some(previous) = previous {
                            held_back.insert(previous.at);
                            let failure = self.commit_failed(&previous, source);
                            if on_failure == OnFailure::Stop {
                                return Err(failure);
                            }
                            first_failure.get_or_insert(failure);
                        }
                        if self.waits_for(step.at, &held_back).flatten().is_some() {
                            break;
                        }
                    }
                    Err((Stumble::Fenced, _)) => return Ok(Progress::Replan),
                    Err((Stumble::Next(error), _)) => return Err(error),
                }
            }
            if let Some(on) = self.waits_for(step.at, &held_back).flatten() {
                held_back.insert(step.at);
                self.skip(descriptor, on);
                continue;
            }
            let id = descriptor.id.to_string();
            (self.observer)(Event::Started {
                id,
                action: Action::Apply,
                position: position + 1,
                total: plan.steps.len(),
            });
            let end = self.call(migration.up, &claim, Direction::Apply);
            match end.result {
                Ok(None) => {
                    open = Some(Open {
                        claim,
                        duration: end.duration,
                        recorded_steps: end.recorded_steps,
                        at: step.at,
                    });
                }
                Ok(Some(reason)) => {
                    held_back.insert(step.at);
                    self.deferred(&claim, end.duration, &reason)?;
                }
                Err(error) => {
                    held_back.insert(step.at);
                    let failure = self.failed(&claim, end.duration, error);
                    if on_failure == OnFailure::Stop
                        || matches!(
                            &failure,
                            Error::Migration {
                                source: BodyError::ConnectionLost,
                                ..
                            }
                        )
                    {
                        return Err(failure);
                    }
                    first_failure.get_or_insert(failure);
                }
            }
        }
        if let Err((Stumble::Previous(source), Some(previous))) = self.advance(open.take(), None) {
            let failure = self.commit_failed(&previous, source);
            return Err(first_failure.unwrap_or(failure));
        }
        first_failure.map_or(Ok(Progress::Done), Err)
    }

    /// `None`: no such migration. `Some(Some(at))`: it waits for that one.
    pub(super) fn waits_for(&self, at: usize, held_back: &HashSet<usize>) -> Option<Option<usize>> {
        self.graph.get(at)?;
        let requirements = self.graph.requirements(at);
        Some(
            requirements
                .iter()
                .map(|&on| on as usize)
                .find(|on| held_back.contains(on)),
        )
    }

    pub(super) fn skip(&mut self, descriptor: &'static Descriptor, on: usize) {
        self.state.summary.skipped += 1;
        let on = self
            .graph
            .get(on)
            .map_or_else(String::new, |on| on.id.to_string());
        (self.observer)(Event::Skipped {
            id: descriptor.id.to_string(),
            because: format!("requires `{on}`, which was not applied"),
        });
    }

    pub(super) fn claim(
        &self,
        descriptor: &'static Descriptor,
        step: &Step,
        standing: &Standing<'_>,
    ) -> Claim {
        let row = standing.row(step.at);
        Claim {
            id: descriptor.id,
            replaces: row.map(|row| row.id.clone()),
            fingerprint: descriptor.fingerprint,
            attempt: row.map_or(1, |row| row.attempt.saturating_add(1)),
            transaction: descriptor.transaction == TransactionMode::Atomic,
            started: SystemTime::now(),
            by: self.state.by.clone(),
        }
    }

    /// Completes the previous migration and starts the next: on PostgreSQL in one round trip.
    fn advance(
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
                .map_err(|error| (Stumble::Next(error), None))?,
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
                .map_err(|error| (Stumble::Next(error), None))?;
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
            self.isolate().map_err(Stumble::Next)?;
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
                        return Err(Stumble::Next(Error::Database {
                            doing: "begin a transaction".to_owned(),
                            source: error,
                        }));
                    }
                    (self.observer)(Event::Waiting {
                        holder: None,
                        waited,
                    });
                    thread::sleep(Duration::from_millis(50));
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

    fn commit_failed(&mut self, open: &Open, source: DieselError) -> Error {
        let lost = crate::error::is_connection_loss(&source) || self.driver.depth().is_err();
        let error = if lost {
            BodyError::ConnectionLost
        } else if ended_by_body(&source) || self.ended_itself(&open.claim) {
            BodyError::EndedTransaction
        } else {
            BodyError::Commit(source)
        };
        self.failed(&open.claim, open.duration, error)
    }

    /// Whether the claim is there although its transaction was rolled back: then the body has committed it.
    fn ended_itself(&mut self, claim: &Claim) -> bool {
        let own_transaction =
            claim.transaction && self.driver.dialect().implicit_commit == ImplicitCommit::Never;
        let row = self.store.row(self.driver, &claim.id.to_string());
        own_transaction
            && matches!(row, Ok(Some(row)) if row.attempt == claim.attempt && row.by == claim.by && row.state != State::Failed.as_str())
    }

    /// Records a failure and tells of it.
    pub(super) fn failed(&mut self, claim: &Claim, duration: Duration, error: BodyError) -> Error {
        self.roll_back();
        if let Err(error) = self.bring_back() {
            tracing::warn!(migration = %claim.id, %error, "could not bring the session back");
        }
        let chain = error_chain(&error);
        let undone = match &error {
            BodyError::ConnectionLost => Undone::Everything,
            // What came after the end of the transaction was permanent at once.
            BodyError::EndedTransaction
                if self.driver.dialect().implicit_commit == ImplicitCommit::Never =>
            {
                Undone::NotEverything
            }
            _ => self.undone(claim),
        };
        let ended = claim.transaction
            && self.driver.dialect().implicit_commit == ImplicitCommit::Never
            && undone == Undone::NotEverything;
        let state = if ended { State::Running } else { State::Failed };
        let detail = chain.join(": ");
        if !matches!(error, BodyError::ConnectionLost)
            && let Err(error) = self.record(
                claim,
                &Ending {
                    state,
                    duration,
                    detail: &detail,
                },
            )
        {
            tracing::warn!(migration = %claim.id, %error, "could not record the failure");
        }
        self.state.summary.failed += 1;
        let location = self.location(claim);
        let rolled_back = undone == Undone::Everything;
        (self.observer)(Event::Failed {
            id: claim.id.to_string(),
            duration,
            error: chain,
            location,
            rolled_back,
        });
        Error::Migration {
            id: claim.id.to_string(),
            location,
            undone,
            source: error,
        }
    }

    /// What became of the effects, after the rollback.
    fn undone(&mut self, claim: &Claim) -> Undone {
        let row = self
            .store
            .row(self.driver, &claim.id.to_string())
            .ok()
            .flatten();
        let ours = row.filter(|row| row.by == claim.by && row.attempt == claim.attempt);
        match (claim.transaction, self.driver.dialect().implicit_commit) {
            (false, _) => Undone::NotEverything,
            // The mark is gone with the transaction, unless DDL has committed it.
            (true, ImplicitCommit::OnDdl)
                if ours.as_ref().is_some_and(|row| row.detail.is_none()) =>
            {
                Undone::Everything
            }
            (true, ImplicitCommit::OnDdl) => Undone::NotEverything,
            (true, ImplicitCommit::Never) if ours.is_none() => Undone::Everything,
            // The claim survived: the body has committed it.
            (true, ImplicitCommit::Never) => Undone::NotEverything,
        }
    }

    fn deferred(&mut self, claim: &Claim, duration: Duration, reason: &str) -> Result<(), Error> {
        self.roll_back();
        self.bring_back()?;
        self.record(
            claim,
            &Ending {
                state: State::Deferred,
                duration,
                detail: reason,
            },
        )
        .map_err(Error::database("record that a migration was deferred"))?;
        self.state.summary.deferred += 1;
        (self.observer)(Event::Deferred {
            id: claim.id.to_string(),
            reason: reason.to_owned(),
        });
        Ok(())
    }

    pub(super) fn record(&mut self, claim: &Claim, ending: &Ending<'_>) -> QueryResult<()> {
        let dialect = self.driver.dialect();
        let begin = if dialect.implicit_commit == ImplicitCommit::OnDdl {
            "START TRANSACTION"
        } else {
            dialect.begin
        };
        let mut script = vec![begin.to_owned()];
        if self.ended_itself(claim) {
            // What the body committed on its own may be anything: a person has to look.
            script.push(self.store.remove(&claim.id.to_string()));
        }
        script.extend(self.store.end(claim, ending));
        script.push("COMMIT".to_owned());
        let result = self.driver.batch(&script.join(";\n"));
        if result.is_err() {
            self.roll_back();
        }
        self.driver.set_depth(0);
        result
    }

    pub(super) fn location(&self, claim: &Claim) -> migrate_core::Location {
        let descriptor = self
            .graph
            .position(claim.id)
            .and_then(|at| self.graph.get(at));
        descriptor.map_or(
            migrate_core::Location {
                file: "",
                line: 0,
                column: 0,
            },
            |descriptor| descriptor.location,
        )
    }
}

/// Whether a commit failed because there was nothing to commit any more.
fn ended_by_body(error: &DieselError) -> bool {
    matches!(error, DieselError::NotInTransaction)
        || error.to_string().contains("no transaction is active")
}

fn next_stumble(error: DieselError) -> Stumble {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Stumble::Fenced,
        source => Stumble::Next(Error::Database {
            doing: "start a migration".to_owned(),
            source,
        }),
    }
}
