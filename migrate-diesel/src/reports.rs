//! [`Reader`]: what can be said about a database without writing to it.

use migrate_core::{
    Descriptor, Graph, History, Obstacle, Plan, Scale, Settings, Standing, State, TransactionMode,
    drift,
    frontend::{DownRequest, Repeats, Target, UpRequest},
    mass::MassState,
    report::{
        Action, Blocked, BlockedElsewhere, CheckReport, LogEntry, MigrationStatus, PlanReport,
        PlannedStep, PlannedView, Problem, StatusReport, ViewAction, ViewStatus,
    },
};

use crate::{
    backend::{Driver, ImplicitCommit, LockKey},
    elsewhere,
    error::Error,
    guard::{Declared, Pending},
    history::{RecordedViews, Sight, Store},
    mass::desk::Desk,
    migration::Migration,
    runner::{applied, pending_names, reading, recorded_views, unsupported_views, wrong_backend},
};

/// Reads one database; takes no lock.
pub(crate) struct Reader<'r> {
    pub(crate) driver: &'r mut dyn Driver,
    pub(crate) graph: &'r Graph,
    pub(crate) views: &'r Declared,
    pub(crate) migrations: &'r [&'static Migration],
    pub(crate) store: &'r Store,
    pub(crate) database: &'r str,
    pub(crate) settings: &'r Settings,
}

impl Reader<'_> {
    pub(crate) fn status(&mut self) -> Result<StatusReport, Error> {
        let sight = self.sight()?;
        let history = self.store.details(self.driver, sight)?;
        let standing = elsewhere::standing(self.graph, &history, self.settings, &[]);
        let mut report = StatusReport::new(self.database, self.driver.dialect().name);
        report.migrations = self
            .graph
            .iter()
            .enumerate()
            .map(|(at, descriptor)| {
                let mut status = status(at, descriptor, &standing);
                let squash = standing.replaced_by(at).and_then(|it| self.graph.get(it));
                if let Some(squash) = squash {
                    status.detail = Some(format!("replaced by `{}`", squash.id));
                } else if standing.stands_for(at) {
                    status.detail = Some("all that it replaces ran".to_owned());
                } else if let Some(unmet) = standing.unmet(at) {
                    let next = unmet.next_step();
                    status.detail = Some(format!("{}; {next}", unmet.because()));
                }
                status
            })
            .collect();
        self.tell_mass(&mut report)?;
        report.problems = drift::problems(self.graph, &standing, &history);
        let applied = applied(&standing, self.graph.len());
        let recorded = self.recorded()?;
        report.views = self.view_statuses(&applied, &recorded)?;
        report
            .problems
            .extend(self.view_problems(&applied, &recorded)?);
        // Not knowing who holds the lock is no reason to show nothing.
        report.locked_by = self
            .driver
            .lock_holder(&LockKey::new(&self.store.table))
            .ok()
            .flatten();
        Ok(report)
    }

    /// Of mass migrations, where their runs stand.
    fn tell_mass(&mut self, report: &mut StatusReport) -> Result<(), Error> {
        let is_mass = |it: &&'static Descriptor| it.scale == Scale::Mass;
        if !self.graph.iter().any(|it| is_mass(&it)) {
            return Ok(());
        }
        let desk = Desk {
            driver: self.driver,
            graph: self.graph,
            migrations: self.migrations,
            store: self.store,
        }
        .list()?;
        for mass in desk {
            let Some(status) = report.migrations.iter_mut().find(|it| it.id == mass.id) else {
                continue;
            };
            status.mass = Some((mass.state, mass.progress));
            if status.state != State::Pending {
                continue;
            }
            status.state = match mass.state {
                MassState::Failed => State::Failed,
                MassState::Running
                | MassState::Throttled
                | MassState::Pausing
                | MassState::Cancelling => State::Running,
                _ => State::Pending,
            };
            status.detail = match mass.state {
                MassState::Pending => Some("mass migration, not started".to_owned()),
                state => Some(match mass.reason {
                    Some(reason) => format!("mass migration, {state}: {reason}"),
                    None => format!("mass migration, {state}"),
                }),
            };
        }
        Ok(())
    }

    pub(crate) fn plan(&mut self, request: &UpRequest) -> Result<PlanReport, Error> {
        let history = self.history()?;
        let planned = &request.planned;
        let standing = elsewhere::standing(self.graph, &history, self.settings, planned);
        let mass = request.mass.unwrap_or(self.settings.mass_in_up);
        let plan = Plan::up(self.graph, &standing, &request.target, request.repeats)?
            .with_mass(self.graph, mass);
        let mut report = self.plan_report(&plan, &standing, &history);
        let mut applied = applied(&standing, self.graph.len());
        self.plan_views(&plan, &mut applied, &mut report);
        let recorded = self.recorded()?;
        self.plan_rebuilds(&plan, &standing, &recorded, &mut report)?;
        Ok(report)
    }

    pub(crate) fn plan_down(&mut self, request: &DownRequest) -> Result<PlanReport, Error> {
        let history = self.history()?;
        let standing = Standing::new(self.graph, &history);
        let plan = Plan::down(self.graph, &standing, &request.target, &history)?;
        elsewhere::allow_down(self.graph, &plan, self.settings)?;
        let mut report = self.plan_report(&plan, &standing, &history);
        let mut applied = applied(&standing, self.graph.len());
        self.plan_views(&plan, &mut applied, &mut report);
        Ok(report)
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
        let blocked = plan.blocked.iter();
        report.blocked = blocked.filter_map(|it| self.blocked(it)).collect();
        let left = plan.left.iter().filter_map(|&at| self.graph.get(at));
        report.left = left.map(|it| it.id.to_string()).collect();
        report.problems = drift::problems(self.graph, standing, history);
        report
            .problems
            .extend(wrong_backend(self.driver, self.graph, self.migrations));
        report
    }

    fn blocked(&self, obstacle: &Obstacle) -> Option<Blocked> {
        Some(Blocked {
            id: self.graph.get(obstacle.at)?.id.to_string(),
            because: obstacle.because(self.graph),
            elsewhere: obstacle.elsewhere.as_ref().map(|unmet| BlockedElsewhere {
                database: unmet.database.clone(),
                id: unmet.id.to_string(),
                next_step: unmet.next_step(),
            }),
        })
    }

    pub(crate) fn check(&mut self) -> Result<CheckReport, Error> {
        let history = self.history()?;
        let standing = elsewhere::standing(self.graph, &history, self.settings, &[]);
        let mut report = CheckReport::new(self.database, self.driver.dialect().name);
        report.carried = self.graph.len();
        let unapplied = self.graph.iter().enumerate().filter(|(at, _)| {
            standing.state(*at) != State::Applied && standing.replaced_by(*at).is_none()
        });
        for (_, descriptor) in unapplied {
            report.pending.push(descriptor.id.to_string());
            if descriptor.scale == Scale::Mass {
                report.pending_mass.push(descriptor.id.to_string());
            }
        }
        report.failed = (0..self.graph.len())
            .filter(|&at| matches!(standing.state(at), State::Failed | State::Interrupted))
            .count();
        let plan = Plan::up(self.graph, &standing, &Target::All, Repeats::AsNeeded)?;
        let blocked = plan.blocked.iter().filter(|it| it.elsewhere.is_some());
        report.blocked = blocked.filter_map(|it| self.blocked(it)).collect();
        report.problems = drift::problems(self.graph, &standing, &history);
        report
            .problems
            .extend(wrong_backend(self.driver, self.graph, self.migrations));
        report
            .problems
            .extend(unsupported_views(self.driver, self.views));
        let applied = applied(&standing, self.graph.len());
        let recorded = self.recorded()?;
        let pending = self.pending_views(&applied, &recorded)?;
        report.pending_views = pending_names(self.views, &pending);
        report
            .problems
            .extend(self.view_problems(&applied, &recorded)?);
        Ok(report)
    }

    /// The rows of views.
    fn recorded(&mut self) -> Result<RecordedViews, Error> {
        let version = self.store.read(self.driver, Sight::Live)?.version;
        recorded_views(self.store, self.driver, version)
    }

    fn pending_views(
        &mut self,
        applied: &[bool],
        recorded: &RecordedViews,
    ) -> Result<Pending, Error> {
        if self.views.is_empty() {
            return Ok(Pending::default());
        }
        Ok(reading(self.views, self.store, applied).pending(self.driver, recorded)?)
    }

    fn view_statuses(
        &mut self,
        applied: &[bool],
        recorded: &RecordedViews,
    ) -> Result<Vec<ViewStatus>, Error> {
        if self.views.is_empty() {
            return Ok(Vec::new());
        }
        let states = reading(self.views, self.store, applied).states(self.driver, recorded)?;
        let views = self.views.iter().zip(states);
        Ok(views
            .map(|(view, state)| {
                let it = &view.descriptor;
                ViewStatus {
                    id: it.id.to_string(),
                    name: it.name.to_owned(),
                    description: it.description.to_owned(),
                    state,
                    since: it.since.get().id.to_string(),
                    until: it.until.map(|until| until.get().id.to_string()),
                    uses: it.uses.iter().map(|it| it.get().id.to_string()).collect(),
                    location: it.location,
                    fingerprint: it.fingerprint().to_string(),
                }
            })
            .collect())
    }

    /// What is wrong with views, apart from what the next `up` does about them.
    fn view_problems(
        &mut self,
        applied: &[bool],
        recorded: &RecordedViews,
    ) -> Result<Vec<Problem>, Error> {
        let keeper = reading(self.views, self.store, applied);
        let mut problems = keeper.undeclared(recorded);
        if !self.views.is_empty() {
            problems.extend(keeper.unnamed_uses(self.driver, recorded)?);
        }
        Ok(problems)
    }

    /// What the steps of a plan do to views.
    fn plan_views(&mut self, plan: &Plan, applied: &mut [bool], report: &mut PlanReport) {
        let views = &self.views.views;
        for (step, planned) in plan.steps.iter().zip(&mut report.steps) {
            if let Some(change) = views.change(self.graph, step.at, step.action) {
                let is_up = |view: usize| {
                    views.is_alive(view, |at| applied.get(at).copied().unwrap_or_default())
                };
                planned.views = views.planned(self.graph, step.at, &change, is_up);
            }
            if let Some(slot) = applied.get_mut(step.at)
                && step.action != Action::Enqueue
            {
                *slot = step.action != Action::Revert;
            }
        }
    }

    /// What a run does to views after its last step: to those that are alive now. What the steps
    /// bring up is as declared already.
    fn plan_rebuilds(
        &mut self,
        plan: &Plan,
        standing: &Standing<'_>,
        recorded: &RecordedViews,
        report: &mut PlanReport,
    ) -> Result<(), Error> {
        let now = applied(standing, self.graph.len());
        let pending = self.pending_views(&now, recorded)?;
        let views = &self.views.views;
        let ends = |view: usize| {
            let until = views.until(view);
            plan.steps.iter().any(|step| Some(step.at) == until)
        };
        let built = pending.changed.iter().map(|&at| (at, ViewAction::Rebuild));
        let created = pending.missing.iter().map(|&at| (at, ViewAction::Up));
        let ended = pending.ended.iter().map(|&at| (at, ViewAction::Down));
        let mut all: Vec<(usize, ViewAction)> = built
            .chain(created)
            .chain(ended)
            .filter(|(at, _)| !ends(*at))
            .collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        let roots = [pending.changed.as_slice(), &pending.ended].concat();
        let dragged = views
            .closure(&roots)
            .into_iter()
            .filter(|at| !all.iter().any(|(listed, _)| listed == at))
            .filter(|&at| views.is_alive(at, |it| now.get(it).copied().unwrap_or_default()));
        let mut planned: Vec<PlannedView> = dragged
            .filter_map(|at| {
                views.planned_view(at, ViewAction::Suspend, views.because_of(at, &roots))
            })
            .collect();
        planned.extend(all.into_iter().filter_map(|(at, action)| {
            let view = views.get(at)?;
            let because = match action {
                ViewAction::Rebuild => "its definition changed",
                ViewAction::Down => "its lifetime is over",
                _ if recorded
                    .get(view.name)
                    .is_some_and(|row| row.saved.is_some()) =>
                {
                    "a run that died left it down"
                }
                _ => "it is missing",
            };
            views.planned_view(at, action, because.to_owned())
        }));
        report.views = planned;
        Ok(())
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
        sight(self.driver, self.store)
    }
}

/// Whether a row that says `running` is to be believed.
pub(crate) fn sight(driver: &mut dyn Driver, store: &Store) -> Result<Sight, Error> {
    if !store.read(driver, Sight::Live)?.running {
        return Ok(Sight::Live);
    }
    let holder = driver
        .lock_holder(&LockKey::new(&store.table))
        .map_err(Error::database("ask who holds the deploy lock"))?;
    Ok(if holder.is_some() {
        Sight::Live
    } else {
        Sight::Settled
    })
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
        mass: None,
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
        rehearsal: None,
    }
}
