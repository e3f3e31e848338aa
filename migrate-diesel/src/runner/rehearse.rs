//! `up --dry-run`: what is pending is run, in one transaction that is rolled back.

use std::{
    collections::{HashMap, HashSet},
    mem,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, MutexGuard, PoisonError},
    time::Instant,
};

use diesel::QueryResult;
use migrate_core::{
    Descriptor, Plan, Scale, Standing, Step, TransactionMode, drift,
    frontend::UpRequest,
    report::{Rehearsal, Rehearsals, Rehearsed, Statement},
};

use super::{
    Bodies, Runner, Used,
    body::Direction,
    by_descriptor,
    group::{RELEASE, ROLLBACK_TO, SAVEPOINT},
    refuse_unsafe,
    views::keeper,
};
use crate::{
    backend::{Endings, Heard, ImplicitCommit, Origin, Sent, StatementLog},
    error::{BodyError, Error, Undone},
    guard::{Keeper, Patience, Pending, unmanaged_of},
    history::Sight,
};

/// What came of a rehearsal.
#[derive(Default)]
pub(crate) struct Rehearsing {
    /// By id.
    pub(crate) steps: HashMap<String, Rehearsal>,
    pub(crate) beside: Rehearsals,
}

/// Which views are built for no migration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    /// What is missing, before the first.
    First,
    /// What changed, after the last.
    Last,
}

/// What becomes of a savepoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Kept,
    Undone,
}

impl Runner<'_> {
    /// Runs the plan of `request` in one transaction, and rolls it back. Nothing is recorded.
    pub(crate) fn rehearse(mut self, request: &UpRequest) -> Result<Rehearsing, Error> {
        self.check_ready()?;
        let dialect = self.driver.dialect();
        let mut rehearsing = Rehearsing::default();
        if dialect.implicit_commit == ImplicitCommit::OnDdl {
            let why = format!(
                "{} commits DDL by itself, so that nothing can be tried and rolled back",
                dialect.name
            );
            rehearsing.beside.not_shown = Some(why);
            return Ok(rehearsing);
        }
        let read = self.store.read(self.driver, Sight::Live)?;
        let standing = self.standing(&read.history, request);
        let plan = Plan::up(self.graph, &standing, &request.target, request.repeats)?
            .with_mass(self.graph, self.mass_in_up(request.mass));
        self.note_applied(&standing);
        if plan.is_empty() && !self.views_are_pending(read.version)? {
            return Ok(rehearsing);
        }
        let migrations = by_descriptor(self.migrations);
        self.locked(request.wait, |runner| {
            let read = runner.store.read(runner.driver, Sight::Settled)?;
            let standing = runner.standing(&read.history, request);
            let drift = drift::problems(runner.graph, &standing, &read.history);
            refuse_unsafe(runner.graph, drift, runner.settings)?;
            let plan = Plan::up(runner.graph, &standing, &request.target, request.repeats)?
                .with_mass(runner.graph, runner.mass_in_up(request.mass));
            runner.note_applied(&standing);
            // The log takes the place of the watch.
            runner.state.watch = None;
            let log = StatementLog::default();
            let result = runner.begin_rehearsal(&log).and_then(|()| {
                runner.rehearse_plan(&plan, &standing, &migrations, &log, &mut rehearsing)
            });
            // First, because it does not let a ROLLBACK pass.
            runner.driver.listen(None);
            runner.roll_back();
            runner.state.held_views = Default::default();
            if let Err(error) = result {
                rehearsing.beside.failure = Some(error.into());
            }
            Ok(())
        })?;
        Ok(rehearsing)
    }

    fn begin_rehearsal(&mut self, log: &StatementLog) -> Result<(), Error> {
        self.driver
            .batch(self.driver.dialect().begin)
            .map_err(Error::database("begin a transaction"))?;
        self.driver.set_depth(1);
        // Bodies and guards find the tables that a run would make.
        self.store.ensure_inside(self.driver)?;
        heard(log).endings = Endings::Refused;
        self.driver.listen(Some(Arc::clone(log)));
        Ok(())
    }

    fn rehearse_plan(
        &mut self,
        plan: &Plan,
        standing: &Standing<'_>,
        migrations: &Bodies,
        log: &StatementLog,
        rehearsing: &mut Rehearsing,
    ) -> Result<(), Error> {
        if !plan.is_empty() {
            rehearsing.beside.before = self.rehearse_views(Round::First, log)?;
            self.check_views(plan)?;
        }
        let mut held_back: HashSet<usize> = HashSet::new();
        for step in &plan.steps {
            let Some(descriptor) = self.graph.get(step.at) else {
                continue;
            };
            self.may_begin(format_args!("`{}`", descriptor.id))?;
            let (rehearsal, failure) = match self.not_shown(step, descriptor, &held_back) {
                Some(why) => (Rehearsal::NotShown(why), None),
                None => self.rehearse_step(step, descriptor, standing, migrations, log),
            };
            if !matches!(&rehearsal, Rehearsal::Ran(ran) if ran.deferred.is_none()) {
                held_back.insert(step.at);
            }
            rehearsing
                .steps
                .insert(descriptor.id.to_string(), rehearsal);
            if let Some(error) = failure {
                return Err(error);
            }
        }
        // What is not shown may be what they are to read.
        if held_back.is_empty() {
            rehearsing.beside.after = self.rehearse_views(Round::Last, log)?;
        }
        Ok(())
    }

    /// Why a step cannot be shown, if so.
    fn not_shown(
        &self,
        step: &Step,
        descriptor: &Descriptor,
        held_back: &HashSet<usize>,
    ) -> Option<String> {
        if descriptor.transaction == TransactionMode::None {
            return Some("it runs outside a transaction (`transaction = none`)".to_owned());
        }
        if descriptor.scale == Scale::Mass {
            return Some("it is a mass migration, which workers run".to_owned());
        }
        let on = self.graph.get(self.waits_for(step.at, held_back)??)?;
        Some(format!("it requires `{}`, which would not be there", on.id))
    }

    /// What it did, and why that went wrong, if it did.
    fn rehearse_step(
        &mut self,
        step: &Step,
        descriptor: &'static Descriptor,
        standing: &Standing<'_>,
        migrations: &Bodies,
        log: &StatementLog,
    ) -> (Rehearsal, Option<Error>) {
        let Some(migration) = migrations.get(&(descriptor as *const Descriptor)) else {
            return (Rehearsal::NotShown("it has no body".to_owned()), None);
        };
        let failed = |source| Error::Migration {
            id: descriptor.id.to_string(),
            location: descriptor.location,
            undone: Undone::Everything,
            source,
        };
        let mut ran = Rehearsed::default();
        let before = match self.enter().and_then(|()| self.driver.rows_changed()) {
            Ok(before) => before,
            Err(source) => return (Rehearsal::Ran(ran), Some(failed(BodyError::Commit(source)))),
        };
        let claim = self.claim(descriptor, step, standing);
        heard(log).sent.clear();
        let began = Instant::now();
        let called = panic::catch_unwind(AssertUnwindSafe(|| {
            self.call_with_views(migration.up, &claim, Direction::Apply, step.at)
        }));
        ran.duration = began.elapsed();
        ran.statements = self.taken(log);
        let result = match called {
            _ if heard(log).endings == Endings::Met => Err(BodyError::EndedTransaction),
            Ok(end) => end.result,
            // Of the observer, which is ours.
            Err(payload) => panic::resume_unwind(payload),
        };
        let result = result.and_then(|deferred| {
            // The rows that record views are none of its own.
            let records = self.views.views.change(self.graph, step.at, step.action);
            if records.is_none() && deferred.is_none() {
                ran.rows = before
                    .zip(self.rows_changed())
                    .map(|(a, b)| b.saturating_sub(a));
            }
            let outcome = match deferred {
                None => Outcome::Kept,
                Some(_) => Outcome::Undone,
            };
            self.leave(outcome).map_err(BodyError::Commit)?;
            Ok(deferred)
        });
        let failure = match result {
            Ok(None) => {
                self.note(step.at, Direction::Apply);
                None
            }
            Ok(Some(reason)) => {
                ran.deferred = Some(reason.into_owned());
                None
            }
            Err(source) => Some(failed(source)),
        };
        (Rehearsal::Ran(ran), failure)
    }

    fn rows_changed(&mut self) -> Option<u64> {
        // Not to know is no failure of the rehearsal.
        self.driver.rows_changed().ok().flatten()
    }

    /// Begins the savepoint of a step, in a session as it was found.
    fn enter(&mut self) -> QueryResult<()> {
        if self.state.used == Used::Yes && !self.driver.dialect().pipelined && !self.is_clean()? {
            self.driver.isolate(&self.state.session)?;
        }
        let mut script: Vec<String> = self.isolation().into_iter().collect();
        script.push(SAVEPOINT.to_owned());
        self.driver.batch(&script.join(";\n"))?;
        self.state.used = Used::No;
        Ok(())
    }

    /// Ends it; what the database checks at a commit is checked now where it can be.
    fn leave(&mut self, outcome: Outcome) -> QueryResult<()> {
        if outcome == Outcome::Undone {
            self.driver.batch(ROLLBACK_TO)?;
            self.driver.set_depth(1);
            return Ok(());
        }
        let mut script = vec![RELEASE.to_owned()];
        if let Some(isolation) = self.isolation() {
            script.push(isolation);
            self.state.used = Used::No;
        }
        self.driver.batch(&script.join(";\n"))
    }

    /// As [`create_missing_views`](Self::create_missing_views) and [`rebuild_views`](Self::rebuild_views) do it in
    /// transactions of their own.
    fn rehearse_views(
        &mut self,
        round: Round,
        log: &StatementLog,
    ) -> Result<Vec<Statement>, Error> {
        if self.views.is_empty() {
            return Ok(Vec::new());
        }
        let recorded = self.store.recorded_views(self.driver, None)?;
        let mut pending: Pending = keeper!(self, None).pending(self.driver, &recorded)?;
        if round == Round::First {
            pending.changed.clear();
            pending.ended.clear();
        }
        if pending.is_empty() {
            return Ok(Vec::new());
        }
        let doing = || Error::database("use a savepoint for views");
        self.enter().map_err(doing())?;
        heard(log).sent.clear();
        let keeper = keeper!(self, None);
        let observer = &mut *self.observer;
        let result = keeper.rebuild(self.driver, &pending, &mut |event| observer(event));
        let statements = self.taken(log);
        self.state.used = Used::Yes;
        match (result, round) {
            (Ok(()), _) => {
                self.leave(Outcome::Kept).map_err(doing())?;
                Ok(statements)
            }
            // What cannot be yet is left for the end.
            (Err(_), Round::First) => {
                self.leave(Outcome::Undone).map_err(doing())?;
                Ok(Vec::new())
            }
            (Err(error), Round::Last) => Err(error.into()),
        }
    }

    /// What was sent since the last time, without migrate's own.
    fn taken(&self, log: &StatementLog) -> Vec<Statement> {
        let sent = mem::take(&mut heard(log).sent);
        let is_work =
            |sent: &Sent| sent.origin == Origin::Work && !self.store.is_record_of_views(&sent.sql);
        sent.into_iter()
            .filter(is_work)
            .map(|sent| Statement {
                sql: sent.sql,
                duration: sent.duration,
            })
            .collect()
    }
}

fn heard(log: &StatementLog) -> MutexGuard<'_, Heard> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}
