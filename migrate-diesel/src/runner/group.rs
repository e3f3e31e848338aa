//! `up --atomic`: one transaction for everything, a savepoint per migration.

use std::{collections::HashSet, time::Duration};

use diesel::{
    QueryResult,
    result::{DatabaseErrorKind, Error as DieselError},
};
use migrate_core::{
    Descriptor, Plan, Standing, State,
    report::{Action, Event},
};

use super::{Bodies, Progress, Runner, Used, body::Direction};
use crate::{
    error::{BodyError, Error},
    history::{Claim, Ending},
};

const SAVEPOINT: &str = "SAVEPOINT migrate_step";
const RELEASE: &str = "RELEASE SAVEPOINT migrate_step";
const ROLLBACK_TO: &str = "ROLLBACK TO SAVEPOINT migrate_step; RELEASE SAVEPOINT migrate_step";

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
        let begin = self.driver.dialect().begin;
        self.driver
            .batch(begin)
            .map_err(Error::database("begin the transaction"))?;
        self.driver.set_depth(1);
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
                continue;
            }
            let Some(migration) = migrations.get(&(descriptor as *const Descriptor)) else {
                continue;
            };
            let claim = self.claim(descriptor, step, standing);
            if let Err(error) = self.claim_in_group(&claim, std::mem::take(&mut ending)) {
                self.roll_back();
                return match error {
                    DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => {
                        Ok(Progress::Replan)
                    }
                    source => Err(Error::Database {
                        doing: format!("start `{}`", claim.id),
                        source,
                    }),
                };
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
                    ending = self.ending_in_group(&claim, end.duration);
                    done.push((claim, end.duration));
                }
                Ok(Some(reason)) => {
                    self.driver
                        .batch(ROLLBACK_TO)
                        .map_err(Error::database("roll back to the savepoint"))?;
                    held_back.insert(step.at);
                    deferred.push((claim, end.duration, reason.into_owned()));
                }
                Err(error) => return Err(self.failed(&claim, end.duration, error)),
            }
        }
        self.commit_group(&ending, done, deferred)?;
        Ok(Progress::Done)
    }

    fn claim_in_group(&mut self, claim: &Claim, mut script: Vec<String>) -> QueryResult<()> {
        let forget = self.store.forget_earlier(claim);
        if self.driver.dialect().pipelined {
            script.push(SAVEPOINT.to_owned());
            script.extend(forget);
            script.push(self.store.claim(claim, None));
            self.state.used = Used::No;
            return self.driver.batch(&script.join(";\n"));
        }
        script.push(SAVEPOINT.to_owned());
        script.extend(forget);
        self.driver.batch(&script.join(";\n"))?;
        let condition = self.clean_condition();
        let claimed = match condition.as_deref() {
            Some(condition) => self
                .driver
                .count(&self.store.claim(claim, Some(condition)))?,
            None => 0,
        };
        if claimed == 0 {
            if condition.is_some() || self.state.used == Used::Yes {
                self.driver.isolate(&self.state.session)?;
            }
            self.driver.batch(&self.store.claim(claim, None))?;
        }
        self.state.used = Used::No;
        Ok(())
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
