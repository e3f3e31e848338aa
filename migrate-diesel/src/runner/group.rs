//! `up --atomic`: one transaction for everything, a savepoint per migration.

use std::{collections::HashSet, time::Duration};

use diesel::{
    QueryResult,
    result::{DatabaseErrorKind, Error as DieselError},
};
use migrate_core::{Descriptor, Plan, Standing, State, report::Event};

use super::{Bodies, Progress, Runner, Used, body::Direction};
use crate::{
    error::{BodyError, Error},
    history::{Claim, Ending},
};

pub(super) const SAVEPOINT: &str = "SAVEPOINT migrate_step";
pub(super) const RELEASE: &str = "RELEASE SAVEPOINT migrate_step";
pub(super) const ROLLBACK_TO: &str =
    "ROLLBACK TO SAVEPOINT migrate_step; RELEASE SAVEPOINT migrate_step";

impl Runner<'_> {
    pub(super) fn run_grouped(
        &mut self,
        plan: &Plan,
        standing: &Standing<'_>,
        migrations: &Bodies,
    ) -> Result<Progress, Error> {
        if plan.steps.is_empty() {
            return Ok(Progress::Done);
        }
        // Together where nothing has a row yet; else one by one, so that rows stand in the order of
        // application.
        let all_new = plan
            .steps
            .iter()
            .all(|step| standing.row(step.at).is_none());
        let claims = if all_new {
            Claims::Together
        } else {
            Claims::OneByOne
        };
        if let Err(error) = self.begin_group(plan, standing, claims) {
            self.roll_back();
            return replan_or("begin the transaction", error);
        }
        let mut done: Vec<(Claim, Duration)> = Vec::new();
        let mut deferred: Vec<(Claim, Duration, String)> = Vec::new();
        let mut held_back: HashSet<usize> = HashSet::new();
        // What completes the previous migration; travels with the claim of the next.
        let mut ending: Vec<String> = Vec::new();
        for (position, step) in plan.steps.iter().enumerate() {
            let Some(descriptor) = self.graph.get(step.at) else {
                continue;
            };
            if let Some(Some(on)) = self.waits_for(step.at, &held_back) {
                held_back.insert(step.at);
                self.skip(descriptor, on);
                self.give_back(&self.claim(descriptor, step, standing), claims)?;
                continue;
            }
            let Some(migration) = migrations.get(&(descriptor as *const Descriptor)) else {
                continue;
            };
            // What was done so far goes with the transaction.
            self.may_begin(format_args!("`{}`", descriptor.id))?;
            let claim = self.claim(descriptor, step, standing);
            if let Err(error) = self.enter_group(&claim, std::mem::take(&mut ending), claims) {
                self.roll_back();
                return replan_or(&format!("start `{}`", claim.id), error);
            }
            let id = descriptor.id.to_string();
            (self.observer)(Event::Started {
                id,
                action: step.action,
                position: position + 1,
                total: plan.steps.len(),
            });
            let end = self.call_with_views(migration.up, &claim, Direction::Apply, step.at);
            match end.result {
                Ok(None) => {
                    self.note(step.at, Direction::Apply);
                    ending = self.ending_in_group(&claim, end.duration);
                    done.push((claim, end.duration));
                }
                Ok(Some(reason)) => {
                    self.driver
                        .batch(ROLLBACK_TO)
                        .map_err(Error::database("roll back to the savepoint"))?;
                    self.give_back(&claim, claims)?;
                    held_back.insert(step.at);
                    deferred.push((claim, end.duration, reason.into_owned()));
                }
                Err(error) => return Err(self.failed(&claim, end.duration, error)),
            }
        }
        self.commit_group(&ending, done, deferred)?;
        Ok(Progress::Done)
    }

    /// Begins, and claims everything where that is done together.
    fn begin_group(
        &mut self,
        plan: &Plan,
        standing: &Standing<'_>,
        claims: Claims,
    ) -> QueryResult<()> {
        self.driver.batch(self.driver.dialect().begin)?;
        self.driver.set_depth(1);
        if claims == Claims::OneByOne {
            return Ok(());
        }
        let steps = plan.steps.iter();
        let all: Vec<Claim> = steps
            .filter_map(|step| Some(self.claim(self.graph.get(step.at)?, step, standing)))
            .collect();
        for some in all.chunks(500) {
            self.driver.batch(&self.store.claim_all(some))?;
        }
        Ok(())
    }

    /// Removes the claim of what is not applied after all and has no savepoint to take it back.
    fn give_back(&mut self, claim: &Claim, claims: Claims) -> Result<(), Error> {
        if claims == Claims::OneByOne {
            return Ok(());
        }
        self.driver
            .batch(&self.store.remove(&claim.id.to_string()))
            .map_err(Error::database(format!("leave out `{}`", claim.id)))
    }

    /// Begins the savepoint of a migration, in a session as it was found.
    fn enter_group(
        &mut self,
        claim: &Claim,
        mut script: Vec<String>,
        claims: Claims,
    ) -> QueryResult<()> {
        script.push(SAVEPOINT.to_owned());
        if claims == Claims::OneByOne {
            script.extend(self.store.archive_earlier(claim));
            script.extend(self.store.forget_earlier(claim));
            script.push(self.store.claim(claim, None));
        }
        self.driver.batch(&script.join(";\n"))?;
        if self.state.used == Used::Yes && !self.driver.dialect().pipelined && !self.is_clean()? {
            self.driver.isolate(&self.state.session)?;
        }
        self.state.used = Used::No;
        Ok(())
    }

    /// Whether the session is as it was found, where that can be asked.
    pub(super) fn is_clean(&mut self) -> QueryResult<bool> {
        let Some(condition) = self.clean_condition() else {
            return Ok(false);
        };
        let question = format!(
            "SELECT '1' AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 WHERE {condition}"
        );
        Ok(!self.driver.rows(&question)?.is_empty())
    }

    fn ending_in_group(&self, claim: &Claim, duration: Duration) -> Vec<String> {
        let mut script = vec![RELEASE.to_owned()];
        if self.driver.dialect().pipelined {
            script.extend(self.isolation());
            script.push(self.store.complete(claim, duration));
        }
        script
    }

    fn commit_group(
        &mut self,
        ending: &[String],
        done: Vec<(Claim, Duration)>,
        deferred: Vec<(Claim, Duration, String)>,
    ) -> Result<(), Error> {
        let mut script = ending.to_vec();
        script.push("COMMIT".to_owned());
        if let Err(source) = self.driver.batch(&script.join(";\n")) {
            self.roll_back();
            return Err(match done.into_iter().next_back() {
                Some((claim, duration)) => self.failed(&claim, duration, BodyError::Commit(source)),
                None => Error::Database {
                    doing: "commit".to_owned(),
                    source,
                },
            });
        }
        self.driver.set_depth(0);
        for (claim, duration) in done {
            self.state.summary.applied += 1;
            if !self.driver.dialect().pipelined {
                self.state.durations.push((claim.id, duration));
            }
            (self.observer)(Event::Applied {
                id: claim.id.to_string(),
                duration,
            });
        }
        for (claim, duration, reason) in deferred {
            self.record(
                &claim,
                &Ending {
                    state: State::Deferred,
                    duration,
                    detail: &reason,
                },
            )
            .map_err(Error::database("record that a migration was deferred"))?;
            self.state.summary.deferred += 1;
            (self.observer)(Event::Deferred {
                id: claim.id.to_string(),
                reason,
            });
        }
        Ok(())
    }
}

/// When the rows of a group are inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claims {
    /// All at the beginning: one statement instead of one per migration.
    Together,
    /// Each before its body.
    OneByOne,
}

/// A key that is there already means that somebody else was faster.
fn replan_or(doing: &str, error: DieselError) -> Result<Progress, Error> {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Ok(Progress::Replan),
        source => Err(Error::Database {
            doing: doing.to_owned(),
            source,
        }),
    }
}
