//! Mass migrations in a run: started, for workers, or run in their place.

use std::time::{Duration, Instant};

use migrate_core::{
    Scale,
    frontend::MassInUp,
    mass::{
        MassState,
        frontend::{MassEvent, MassStatus, StartRequest, Stay},
    },
    report::Event,
};

use super::{Runner, Used};
use crate::{
    error::Error,
    mass::{
        MassError,
        desk::Desk,
        engine::{self, Work},
    },
    migration::Migration,
};

/// The lease of a run on one connection: nobody extends it while a batch takes its time, and the deploy
/// lock keeps other deploys away.
const ALONE: Duration = Duration::from_secs(300);

impl Runner<'_> {
    /// Makes the tables of the history, and nothing else.
    pub(crate) fn make_tables(mut self, wait: Option<Duration>) -> Result<(), Error> {
        self.check_ready()?;
        self.locked(wait, |runner| runner.store.ensure(runner.driver))
    }

    /// What this run does about mass migrations.
    pub(super) fn mass_in_up(&self, asked: Option<MassInUp>) -> MassInUp {
        asked.unwrap_or(self.settings.mass_in_up)
    }

    /// Starts one for workers. What has been started stays as it is, also paused or failed: a deploy does
    /// not overrule who did that.
    pub(super) fn enqueue_mass(&mut self, migration: &'static Migration) -> Result<(), Error> {
        let id = migration.descriptor.id.to_string();
        let request = StartRequest {
            id: id.clone(),
            ..StartRequest::default()
        };
        let by = self.state.by.clone();
        let mut desk = self.desk();
        let (status, reason) = match desk.enqueue(&request, &by) {
            Err(Error::Mass(MassError::Refused { .. })) => (desk.status(&id)?.status, None),
            // It takes somebody who knows what to say; the others need not wait for them.
            Err(Error::Mass(error @ (MassError::Parameters { .. } | MassError::Start { .. }))) => {
                (desk.status(&id)?.status, Some(by_hand(&error)))
            }
            other => (other?, None),
        };
        if status.state.is_open_to_workers() {
            self.state.summary.enqueued += 1;
        }
        (self.observer)(Event::Enqueued {
            id,
            state: status.state,
            reason: reason.or_else(|| remark(&status)),
        });
        Ok(())
    }
}

impl Runner<'_> {
    /// Runs what is left of one, on this run's connection.
    ///
    /// # Errors
    /// It did not come to its end.
    pub(super) fn run_mass_here(&mut self, migration: &'static Migration) -> Result<(), Error> {
        let id = migration.descriptor.id.to_string();
        let began = Instant::now();
        let request = StartRequest {
            id: id.clone(),
            ..StartRequest::default()
        };
        let by = self.state.by.clone();
        let run = self.desk().enqueue(&request, &by)?.run;
        let runs: Vec<i64> = run.iter().map(|run| run.run).collect();
        let work = Work {
            store: self.store,
            resolved: self.resolved,
            migrations: self.migrations,
            settings: self.settings,
            runs: Some(&runs),
            workers: 1,
            stay: Stay::UntilIdle,
            lease: ALONE,
        };
        let (observer, name) = (&mut *self.observer, id.clone());
        let mut tell = |event| {
            if let MassEvent::Progress { progress, .. } = event {
                observer(Event::Progress {
                    id: name.clone(),
                    done: progress.units,
                    total: progress.total,
                });
            }
        };
        let interrupt = self.state.interrupt.clone();
        let session = self.state.session.clone();
        engine::work_on(&work, self.driver, Some(&session), &interrupt, &mut tell)?;
        self.state.used = Used::Yes;
        let status = self.desk().status(&id)?.status;
        if status.state != MassState::Succeeded {
            let (state, reason) = (status.state, status.reason);
            return Err(MassError::NotFinished { id, state, reason }.into());
        }
        self.state.summary.applied += 1;
        (self.observer)(Event::Applied {
            id,
            duration: began.elapsed(),
        });
        Ok(())
    }

    /// The statements that close the runs of those of these that are mass migrations.
    pub(super) fn close_mass(&self, positions: &[usize], why: &str) -> Vec<String> {
        let descriptors = positions.iter().filter_map(|&at| self.graph.get(at));
        let mass: Vec<_> = descriptors.filter(|it| it.scale == Scale::Mass).collect();
        self.store.close_runs(&mass, &self.state.by, why)
    }

    /// The statements that close what has been begun on the ground of something that is reverted: what its
    /// cursors say is done is not any more.
    pub(super) fn close_mass_upon(&mut self, at: usize) -> Result<Vec<String>, Error> {
        let mut upon = vec![at];
        let mut looked = 0;
        while let Some(&next) = upon.get(looked) {
            for &on in self.graph.dependants(next) {
                let on = on as usize;
                if !upon.contains(&on) {
                    upon.push(on);
                }
            }
            looked += 1;
        }
        let reverted = self
            .graph
            .get(at)
            .map(|it| format!("`{}` was reverted", it.id));
        let statements = self.close_mass(&upon, &reverted.unwrap_or_default());
        if statements.is_empty() || self.desk().is_ready()? {
            return Ok(statements);
        }
        Ok(Vec::new())
    }

    fn desk(&mut self) -> Desk<'_> {
        Desk {
            driver: self.driver,
            graph: self.graph,
            migrations: self.migrations,
            store: self.store,
        }
    }
}

/// Why it is not started by a deploy, and who starts it.
fn by_hand(error: &MassError) -> String {
    let why = match error {
        MassError::Parameters { source, .. } => source.to_string(),
        MassError::Start { why, .. } => why.clone(),
        other => other.to_string(),
    };
    match error.next_step() {
        Some(next) => format!("{why}; {next}"),
        None => why,
    }
}

/// How far it is, and why it does not go on.
fn remark(status: &MassStatus) -> Option<String> {
    let progress = &status.progress;
    let far = progress.total.filter(|total| *total > 0).map(|total| {
        let percent = u128::from(progress.units) * 100 / u128::from(total);
        format!("{} %", percent.min(100))
    });
    let why = status.reason.clone();
    match status.state {
        MassState::Enqueued => None,
        _ => match (far, why) {
            (Some(far), Some(why)) => Some(format!("{far}, {why}")),
            (far, why) => far.or(why),
        },
    }
}
