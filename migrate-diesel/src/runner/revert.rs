//! `down` and `redo`.

use std::time::{Duration, Instant, SystemTime};

use diesel::result::Error as DieselError;
use migrate_core::{
    Descriptor, Plan, Standing, TransactionMode, error_chain,
    frontend::{DownRequest, Grouping, OnFailure, Repeats, Target, UpRequest},
    report::{Action, Event},
};

use super::{Bodies, Run, Runner, body::Direction, by_descriptor};
use crate::{
    backend::ImplicitCommit,
    error::{BodyError, Error, Undone},
    history::{self, Claim, REVERT_ANNOUNCED, REVERT_BEGUN, Sight},
    migration::Migration,
};

impl Runner<'_> {
    /// Reverts.
    pub(crate) fn down(mut self, request: &DownRequest) -> Run {
        let began = Instant::now();
        let result = self.try_down(request, Again::No);
        self.report(began, result)
    }

    /// Reverts, and applies again what was reverted.
    pub(crate) fn redo(mut self, request: &DownRequest) -> Run {
        let began = Instant::now();
        let result = self.try_down(request, Again::Yes);
        self.report(began, result)
    }

    fn try_down(&mut self, request: &DownRequest, again: Again) -> Result<(), Error> {
        self.check_ready()?;
        let read = self.store.read(self.driver, Sight::Live)?;
        // While something is running, only the lock tells whether that is so or its process is dead.
        if !read.running {
            let standing = Standing::new(self.graph, &read.history);
            let plan = Plan::down(self.graph, &standing, &request.target, &read.history)?;
            crate::elsewhere::allow_down(self.graph, &plan, self.settings)?;
            self.count_before(&standing, &plan);
            if plan.is_empty() {
                return Ok(());
            }
        }
        let migrations = by_descriptor(self.migrations);
        self.locked(request.wait, |runner| {
            runner.store.ensure(runner.driver)?;
            runner.recover_views_of_others(read.version)?;
            let reverted = runner.down_locked(request, &migrations)?;
            if again == Again::No {
                return Ok(());
            }
            let up = UpRequest {
                target: Target::Ids(reverted),
                grouping: Grouping::Each,
                on_failure: OnFailure::Stop,
                wait: request.wait,
                repeats: Repeats::AsNeeded,
                ..UpRequest::default()
            };
            runner.up_locked(&up, &migrations)
        })
    }

    /// Full ids of what was reverted.
    fn down_locked(
        &mut self,
        request: &DownRequest,
        migrations: &Bodies,
    ) -> Result<Vec<String>, Error> {
        // Again, now that nobody else changes it.
        let read = self.store.read(self.driver, Sight::Settled)?;
        let standing = Standing::new(self.graph, &read.history);
        let plan = Plan::down(self.graph, &standing, &request.target, &read.history)?;
        crate::elsewhere::allow_down(self.graph, &plan, self.settings)?;
        self.count_before(&standing, &plan);
        self.note_applied(&standing);
        self.check_views(&plan)?;
        let mut reverted = Vec::new();
        for (position, step) in plan.steps.iter().enumerate() {
            let (Some(descriptor), Some(row)) = (self.graph.get(step.at), standing.row(step.at))
            else {
                continue;
            };
            let Some(migration) = migrations.get(&(descriptor as *const Descriptor)) else {
                continue;
            };
            self.may_begin(format_args!("`{}` was reverted", descriptor.id))?;
            let id = descriptor.id.to_string();
            (self.observer)(Event::Started {
                id: id.clone(),
                action: Action::Revert,
                position: position + 1,
                total: plan.steps.len(),
            });
            let duration = self.revert(migration, &row.id, step.at)?;
            self.note(step.at, Direction::Revert);
            self.state.summary.reverted += 1;
            self.state.summary.pending += 1;
            (self.observer)(Event::Reverted {
                id: id.clone(),
                duration,
            });
            reverted.push(id);
        }
        Ok(reverted)
    }

    /// Reverts one migration, whose history row has the id `row`.
    fn revert(
        &mut self,
        migration: &'static Migration,
        row: &str,
        at: usize,
    ) -> Result<Duration, Error> {
        let descriptor = &migration.descriptor;
        let doing = || Error::database(format!("revert `{}`", descriptor.id));
        let Some(down) = migration.down else {
            return Err(Error::Setting(format!("`{}` has no `down`", descriptor.id)));
        };
        let closing = self.close_mass_upon(at)?;
        self.isolate()?;
        let claim = Claim {
            id: descriptor.id,
            replaces: None,
            fingerprint: descriptor.fingerprint,
            attempt: 1,
            again: history::Again::No,
            transaction: descriptor.transaction == TransactionMode::Atomic,
            started: SystemTime::now(),
            by: self.state.by.clone(),
        };
        let dialect = self.driver.dialect();
        let whole = claim.transaction && dialect.implicit_commit == ImplicitCommit::Never;
        let begun = if whole {
            self.begin_revert(row)
        } else {
            self.announce_revert(row, claim.transaction)
        };
        match begun {
            Ok(true) => {}
            // Somebody else has reverted it.
            Ok(false) => {
                self.roll_back();
                return Err(Error::Unstable);
            }
            Err(source) => {
                self.roll_back();
                return Err(doing()(source));
            }
        }
        let end = self.call_with_views(down, &claim, Direction::Revert, at);
        let result = end.result.and_then(|not_yet| match not_yet {
            None => Ok(()),
            Some(reason) => Err(BodyError::Returned(format!("not yet: {reason}").into())),
        });
        let result = result.and_then(|()| {
            self.finish_revert(row, whole, &claim, (end.duration, closing))
                .map_err(BodyError::Commit)
        });
        match result {
            Ok(()) => Ok(end.duration),
            Err(error) => Err(self.revert_failed(&claim, row, whole, end.duration, error)),
        }
    }

    /// Begins the transaction and removes the row in it; `false` when it is not there.
    fn begin_revert(&mut self, row: &str) -> Result<bool, DieselError> {
        let dialect = self.driver.dialect();
        self.driver.batch(dialect.begin)?;
        self.driver.set_depth(1);
        self.driver.batch(&self.store.archive(row))?;
        if self.driver.count(&self.store.remove_applied(row))? != 1 {
            return Ok(false);
        }
        if !dialect.mark.is_empty() {
            self.driver.batch(dialect.mark)?;
        }
        Ok(true)
    }

    /// Says in the row that it is being reverted; `false` when it is not there.
    fn announce_revert(&mut self, row: &str, transaction: bool) -> Result<bool, DieselError> {
        if self.driver.count(&self.store.announce_revert(row))? != 1 {
            return Ok(false);
        }
        if transaction {
            let begin = self.driver.dialect().begin;
            self.driver.batch(begin)?;
            self.driver.set_depth(1);
        }
        self.driver
            .batch(&self.store.set_detail(row, REVERT_BEGUN))?;
        Ok(true)
    }

    fn finish_revert(
        &mut self,
        row: &str,
        whole: bool,
        claim: &Claim,
        (duration, closing): (Duration, Vec<String>),
    ) -> Result<(), DieselError> {
        let dialect = self.driver.dialect();
        let mut script = Vec::new();
        if !claim.transaction {
            script.push(dialect.begin.to_owned());
        }
        if whole {
            if !dialect.unmark.is_empty() {
                script.push(dialect.unmark.to_owned());
            }
            script.extend(self.isolation());
        } else {
            script.extend(self.isolation());
            script.push(self.store.archive(row));
            script.push(self.store.remove(row));
        }
        script.push(self.store.forget_steps(&claim.id.to_string()));
        script.push(
            self.store
                .note(&claim.id.to_string(), "reverted", Some(duration), ""),
        );
        script.extend(closing);
        script.push(dialect.commit.to_owned());
        self.driver.batch(&script.join(";\n"))?;
        self.driver.set_depth(0);
        if dialect.pipelined {
            self.state.used = super::Used::No;
        }
        Ok(())
    }

    fn revert_failed(
        &mut self,
        claim: &Claim,
        row: &str,
        whole: bool,
        duration: Duration,
        mut error: BodyError,
    ) -> Error {
        self.roll_back();
        if let Err(error) = self.bring_back() {
            tracing::warn!(migration = %claim.id, %error, "could not bring the session back");
        }
        self.recover_views();
        self.name_holders(&mut error);
        let chain = error_chain(&error);
        let found = self.store.row(self.driver, row).ok().flatten();
        // On MySQL the rollback took the mark with it, unless DDL has committed it.
        let unmarked = found
            .and_then(|row| row.detail)
            .is_some_and(|detail| detail == REVERT_ANNOUNCED);
        let undone = if whole || unmarked {
            Undone::Everything
        } else {
            Undone::NotEverything
        };
        let said = chain.join(": ");
        let mut script = vec![self.store.note(
            &claim.id.to_string(),
            "failed",
            Some(duration),
            &format!("down: {said}"),
        )];
        if unmarked {
            script.push(self.store.still_applied(row));
        } else if !whole {
            script.push(
                self.store
                    .set_detail(row, &format!("{REVERT_BEGUN} and failed: {said}")),
            );
        }
        for statement in script {
            if let Err(error) = self.driver.batch(&statement) {
                tracing::warn!(migration = %claim.id, %error, "could not record the failure");
            }
        }
        self.tell_failure(claim, duration, undone, error)
    }
}

/// Whether what was reverted is applied again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    No,
    Yes,
}
