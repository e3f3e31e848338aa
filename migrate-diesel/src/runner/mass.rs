//! Mass migrations in a run: started, for workers, or run in their place.

use migrate_core::{
    frontend::MassInUp,
    mass::{
        MassState,
        frontend::{MassStatus, StartRequest},
    },
    report::Event,
};

use super::Runner;
use crate::{
    error::Error,
    mass::{MassError, desk::Desk},
    migration::Migration,
};

impl Runner<'_> {
    /// Makes the tables of the history, and nothing else.
    pub(crate) fn make_tables(mut self) -> Result<(), Error> {
        self.check_ready()?;
        self.locked(None, |runner| runner.store.ensure(runner.driver))
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
        let mut desk = Desk {
            driver: self.driver,
            graph: self.graph,
            migrations: self.migrations,
            store: self.store,
        };
        let status = match desk.enqueue(&request, &by) {
            Err(Error::Mass(MassError::Refused { .. } | MassError::Applied { .. })) => {
                desk.status(&id)?.status
            }
            other => other?,
        };
        self.state.summary.enqueued += 1;
        (self.observer)(Event::Enqueued {
            id,
            state: status.state,
            reason: remark(&status),
        });
        Ok(())
    }
}

impl Runner<'_> {
    /// Runs what is left of one, on this run's connection.
    pub(super) fn run_mass_here(&mut self, migration: &'static Migration) -> Result<(), Error> {
        self.enqueue_mass(migration)
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
