//! [`Reader`]: what can be said about a database without writing to it.

use migrate_core::{
    Descriptor, Graph, History, Plan, Standing, State, TransactionMode, drift,
    frontend::{DownRequest, UpRequest},
    report::{
        Action, Blocked, CheckReport, LogEntry, MigrationStatus, PlanReport, PlannedStep,
        StatusReport,
    },
};

use crate::{
    backend::{Driver, ImplicitCommit, LockKey},
    error::Error,
    history::{Sight, Store},
    migration::Migration,
    runner::wrong_backend,
};

/// Reads one database; takes no lock.
pub(crate) struct Reader<'r> {
    pub(crate) driver: &'r mut dyn Driver,
    pub(crate) graph: &'r Graph,
    pub(crate) migrations: &'r [&'static Migration],
    pub(crate) store: &'r Store,
    pub(crate) database: &'r str,
}

impl Reader<'_> {
    pub(crate) fn status(&mut self) -> Result<StatusReport, Error> {
        let sight = self.sight()?;
        let history = self.store.details(self.driver, sight)?;
        let standing = Standing::new(self.graph, &history);
        let mut report = StatusReport::new(self.database, self.driver.dialect().name);
        report.migrations = self
            .graph
            .iter()
            .enumerate()
            .map(|(at, descriptor)| status(at, descriptor, &standing))
            .collect();
        report.problems = drift::problems(self.graph, &standing, &history);
        // Not knowing who holds the lock is no reason to show nothing.
        report.locked_by = self
            .driver
            .lock_holder(&LockKey::new(&self.store.table))
            .ok()
            .flatten();
        Ok(report)
    }

    pub(crate) fn plan(&mut self, request: &UpRequest) -> Result<PlanReport, Error> {
        let history = self.history()?;
        let standing = Standing::new(self.graph, &history);
        let plan = Plan::up(self.graph, &standing, &request.target)?;
        Ok(self.plan_report(&plan, &standing, &history))
    }

    pub(crate) fn plan_down(&mut self, request: &DownRequest) -> Result<PlanReport, Error> {
        let history = self.history()?;
        let standing = Standing::new(self.graph, &history);
        let plan = Plan::down(self.graph, &standing, &request.target, &history)?;
        Ok(self.plan_report(&plan, &standing, &history))
    }

    fn plan_report(
        &mut self,
        plan: &Plan,
        standing: &Standing<'_>,
        history: &History,
    ) -> PlanReport {
        let dialect = self.driver.dialect();
        let mut report = PlanReport::new(self.database, dialect.name);
        let steps = plan.steps.iter().filter_map(|step| {
            let descriptor = self.graph.get(step.at)?;
            let atomic = descriptor.transaction == TransactionMode::Atomic
                && dialect.implicit_commit == ImplicitCommit::Never;
            Some(planned(descriptor, step.action, step.state, atomic))
        });
        report.steps = steps.collect();
        let blocked = plan.blocked.iter().filter_map(|obstacle| {
            let id = self.graph.get(obstacle.at)?.id.to_string();
            Some(Blocked {
                id,
                because: obstacle.because(self.graph),
            })
        });
        report.blocked = blocked.collect();
        report.problems = drift::problems(self.graph, standing, history);
        report
            .problems
            .extend(wrong_backend(self.driver, self.graph, self.migrations));
        report
    }

    pub(crate) fn check(&mut self) -> Result<CheckReport, Error> {
        let history = self.history()?;
        let standing = Standing::new(self.graph, &history);
        let mut report = CheckReport::new(self.database, self.driver.dialect().name);
        report.carried = self.graph.len();
        let unapplied = self
            .graph
            .iter()
            .enumerate()
            .filter(|(at, _)| standing.state(*at) != State::Applied);
        report.pending = unapplied
            .map(|(_, descriptor)| descriptor.id.to_string())
            .collect();
        report.problems = drift::problems(self.graph, &standing, &history);
        report
            .problems
            .extend(wrong_backend(self.driver, self.graph, self.migrations));
        Ok(report)
    }

    pub(crate) fn log(&mut self, limit: usize) -> Result<Vec<LogEntry>, Error> {
        self.store.log(self.driver, limit)
    }

    fn history(&mut self) -> Result<History, Error> {
        let sight = self.sight()?;
        Ok(self.store.read(self.driver, sight)?.history)
    }

    /// A row says `running`: whether its process may be alive shows the lock.
    fn sight(&mut self) -> Result<Sight, Error> {
        if !self.store.read(self.driver, Sight::Live)?.running {
            return Ok(Sight::Live);
        }
        let holder = self
            .driver
            .lock_holder(&LockKey::new(&self.store.table))
            .map_err(Error::database("ask who holds the deploy lock"))?;
        Ok(if holder.is_some() {
            Sight::Live
        } else {
            Sight::Settled
        })
    }
}

fn requires(descriptor: &Descriptor) -> Vec<String> {
    descriptor
        .requires
        .iter()
        .map(|node| node.get().id.to_string())
        .collect()
}

fn status(at: usize, descriptor: &Descriptor, standing: &Standing<'_>) -> MigrationStatus {
    let details = standing.row(at).and_then(|row| row.details.as_deref());
    let state = standing.state(at);
    MigrationStatus {
        id: descriptor.id.to_string(),
        package: descriptor.id.package().to_owned(),
        name: descriptor.id.name().to_owned(),
        description: descriptor.description.to_owned(),
        state,
        requires: requires(descriptor),
        applied_at: details
            .filter(|_| state == State::Applied)
            .and_then(|details| details.at.clone()),
        duration_ms: details.and_then(|details| details.duration_ms),
        location: descriptor.location,
        fingerprint: descriptor.fingerprint.to_string(),
        detail: details.and_then(|details| details.detail.clone()),
    }
}

fn planned(descriptor: &Descriptor, action: Action, state: State, atomic: bool) -> PlannedStep {
    PlannedStep {
        id: descriptor.id.to_string(),
        action,
        description: descriptor.description.to_owned(),
        requires: requires(descriptor),
        location: descriptor.location,
        atomic,
        state,
        views: Vec::new(),
        sql: None,
    }
}
