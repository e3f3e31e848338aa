//! One transaction per migration: which runs, and what becomes of the rest.

use std::{collections::HashSet, time::SystemTime};

use migrate_core::{
    Descriptor, Plan, Standing, Step, TransactionMode,
    frontend::OnFailure,
    report::{Action, Event},
};

use super::{
    Bodies, Progress, Runner,
    advance::{Open, Stumble},
    body::Direction,
};
use crate::{
    error::{BodyError, Error},
    history::{Again, Claim},
};

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
        let mut interrupted = Ok(());
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
            interrupted = self.may_begin(format_args!("`{}`", descriptor.id));
            if interrupted.is_err() {
                break;
            }
            if migration.mass.is_some() {
                // What came before it is committed: a worker may begin at once.
                if let Err((Stumble::Previous(source), Some(previous))) =
                    self.advance(open.take(), None)
                {
                    return Err(self.commit_failed(&previous, source));
                }
                match step.action {
                    Action::Enqueue => self.enqueue_mass(migration)?,
                    // What comes next is planned anew, with its views.
                    _ => return self.run_mass_here(migration).map(|()| Progress::Replan),
                }
                continue;
            }
            let mut claim = self.claim(descriptor, step, standing);
            loop {
                match self.advance(open.take(), Some(&mut claim)) {
                    Ok(()) => break,
                    Err((Stumble::Previous(source), previous)) => {
                        if let Some(previous) = previous {
                            held_back.insert(previous.at);
                            self.note(previous.at, Direction::Revert);
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
                    Err((Stumble::Next(error), _)) => return Err(*error),
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
                action: step.action,
                position: position + 1,
                total: plan.steps.len(),
            });
            let end = self.call_with_views(migration.up, &claim, Direction::Apply, step.at);
            match end.result {
                Ok(None) => {
                    self.note(step.at, Direction::Apply);
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
        first_failure.map_or(interrupted.map(|()| Progress::Done), Err)
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
            again: match step.action {
                Action::Repeat => Again::Yes,
                _ => Again::No,
            },
            transaction: descriptor.transaction == TransactionMode::Atomic,
            started: SystemTime::now(),
            by: self.state.by.clone(),
        }
    }
}
