//! `up --dry-run --sql`: the statements of what is pending, by running it and rolling it back.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use migrate_core::{Descriptor, Plan, Standing, TransactionMode, frontend::UpRequest};

use super::{Bodies, Runner, body::Direction, by_descriptor};
use crate::{
    backend::{ImplicitCommit, StatementLog},
    error::{Error, Undone},
    history::Sight,
};

/// The statements of each step; `None` where it could not be run inside a transaction.
type Statements = Vec<Option<Vec<String>>>;

impl Runner<'_> {
    /// Runs the plan of `request` in one transaction, and rolls it back. Nothing is recorded.
    pub(crate) fn rehearse(mut self, request: &UpRequest) -> Result<Statements, Error> {
        self.check_ready()?;
        let dialect = self.driver.dialect();
        if dialect.implicit_commit == ImplicitCommit::OnDdl {
            return Err(Error::NotRehearsable(dialect.name));
        }
        let migrations = by_descriptor(self.migrations);
        let mut statements = Vec::new();
        self.locked(request.wait, |runner| {
            let read = runner.store.read(runner.driver, Sight::Settled)?;
            let standing = Standing::new(runner.graph, &read.history);
            let plan = Plan::up(runner.graph, &standing, &request.target, request.repeats)?;
            runner.note_applied(&standing);
            // The log takes the place of the watch.
            runner.state.watch = None;
            let log = StatementLog::default();
            runner.driver.listen(Some(Arc::clone(&log)));
            let result = runner.rehearse_steps(&plan, &standing, &migrations, &log);
            runner.driver.listen(None);
            runner.roll_back();
            statements = result?;
            Ok(())
        })?;
        Ok(statements)
    }

    fn rehearse_steps(
        &mut self,
        plan: &Plan,
        standing: &Standing<'_>,
        migrations: &Bodies,
        log: &Mutex<Vec<String>>,
    ) -> Result<Statements, Error> {
        let mut statements: Statements = Vec::new();
        self.driver
            .batch(self.driver.dialect().begin)
            .map_err(Error::database("begin a transaction"))?;
        self.driver.set_depth(1);
        for step in &plan.steps {
            let Some(descriptor) = self.graph.get(step.at) else {
                continue;
            };
            let migration = migrations.get(&(descriptor as *const Descriptor));
            let inside = descriptor.transaction == TransactionMode::Atomic;
            // What comes after one that is left out may need what that does.
            let Some(migration) = migration.filter(|_| inside) else {
                break;
            };
            let claim = self.claim(descriptor, step, standing);
            taken(log);
            let end = self.call_with_views(migration.up, &claim, Direction::Apply, step.at);
            let said = taken(log);
            match end.result {
                Ok(None) => {
                    self.note(step.at, Direction::Apply);
                    statements.push(Some(said));
                }
                // Deferred: a run would roll it back and leave out what requires it.
                Ok(Some(_)) => break,
                Err(source) => {
                    return Err(Error::Migration {
                        id: claim.id.to_string(),
                        location: descriptor.location,
                        undone: Undone::Everything,
                        source,
                    });
                }
            }
        }
        statements.resize(plan.steps.len(), None);
        Ok(statements)
    }
}

fn taken(log: &Mutex<Vec<String>>) -> Vec<String> {
    mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner))
}
