//! The runner: ask, decide in core, act, record.
//!
//! One run has one [`Runner`]. It reads the history without a lock; when there is something to do
//! it takes the lock, reads again, and works through the plan. Recording and acting share a
//! transaction wherever the database allows it.

mod advance;
mod body;
mod ending;
mod group;
mod interrupt;
mod limits;
mod lock;
mod mass;
mod phases;
mod record;
mod rehearse;
mod restore;
mod revert;
mod settle;
mod step;
mod views;

use std::{
    collections::HashMap,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use migrate_core::{
    DatabaseUrl, Descriptor, Graph, History, Interrupt, MigrationId, Plan, Scale, Settings,
    Standing, State, drift,
    frontend::{Grouping, Repeats, Target, UpRequest, Waiting},
    report::{Event, Problem, ProblemKind, Summary},
};

use crate::{
    backend::{Driver, Held, ImplicitCommit, LockKey, SessionState},
    carried::Resolved,
    error::Error,
    guard::Declared,
    history::{Sight, Store},
    migration::Migration,
};

pub(crate) use body::catch;
pub(crate) use views::{applied, pending_names, reading, recorded_views, unsupported_views};

/// One run on one connection.
pub(crate) struct Runner<'r> {
    pub(crate) driver: &'r mut dyn Driver,
    pub(crate) resolved: &'r Resolved,
    pub(crate) graph: &'r Graph,
    pub(crate) views: &'r Declared,
    pub(crate) migrations: &'r [&'static Migration],
    pub(crate) settings: &'r Settings,
    /// Where the database is, if a new session may be opened.
    pub(crate) url: Option<&'r DatabaseUrl>,
    pub(crate) store: &'r Store,
    pub(crate) observer: &'r mut (dyn FnMut(Event) + Send),
    state: RunState,
}

/// How a run went: what was done is known also when it failed.
pub(crate) struct Run {
    pub(crate) summary: Summary,
    pub(crate) result: Result<(), Error>,
}

/// What a run keeps in mind.
#[derive(Debug, Default)]
struct RunState {
    held: Option<Held>,
    session: SessionState,
    /// Whether a body has run since the session was last brought back (and may have changed it).
    used: Used,
    /// Whether any body has run.
    ran: Used,
    /// Says so, where statements are watched.
    watch: Option<Arc<AtomicBool>>,
    /// Of what was applied with its claim alone (SQLite).
    durations: Vec<(MigrationId, Duration)>,
    /// By position in the graph, whether it is applied.
    applied: Vec<bool>,
    /// What guards hold down.
    held_views: crate::guard::Held,
    /// Whether views may be down that no rollback brings back.
    views_at_risk: Used,
    /// Asks this run to end.
    interrupt: Interrupt,
    by: String,
    summary: Summary,
}

/// Whether the session may differ from how it was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Used {
    #[default]
    No,
    Yes,
}

/// Whether a plan was worked through.
enum Progress {
    Done,
    /// Somebody else changed the history: read and plan again.
    Replan,
}

impl<'r> Runner<'r> {
    pub(crate) fn new(
        driver: &'r mut dyn Driver,
        resolved: &'r Resolved,
        migrations: &'r [&'static Migration],
        settings: &'r Settings,
        url: Option<&'r DatabaseUrl>,
        store: &'r Store,
        observer: &'r mut (dyn FnMut(Event) + Send),
    ) -> Self {
        Self {
            driver,
            resolved,
            graph: &resolved.graph,
            views: &resolved.views,
            migrations,
            settings,
            url,
            store,
            observer,
            state: RunState {
                interrupt: settings.interrupt.clone(),
                ..RunState::default()
            },
        }
    }

    /// Applies what is pending.
    pub(crate) fn up(mut self, request: &UpRequest) -> Run {
        let began = Instant::now();
        let result = self.try_up(request);
        self.report(began, result)
    }

    fn report(mut self, began: Instant, result: Result<(), Error>) -> Run {
        self.state.summary.duration = began.elapsed();
        crate::observe::finished(&self.state.summary, &result);
        Run {
            summary: self.state.summary,
            result,
        }
    }

    fn try_up(&mut self, request: &UpRequest) -> Result<(), Error> {
        self.check_ready()?;
        let read = self.read_patiently(request.wait)?;
        let standing = self.standing(&read.history, request);
        let drift = drift::problems(self.graph, &standing, &read.history);
        let changed = drift
            .iter()
            .filter(|problem| problem.kind == ProblemKind::Changed)
            .cloned();
        let changed: Vec<Problem> = changed.collect();
        refuse_unsafe(self.graph, drift, self.settings)?;
        let mut plan = Plan::up(self.graph, &standing, &request.target, request.repeats)?
            .with_mass(self.graph, self.mass_in_up(request.mass));
        self.leave_waiting(request, &mut plan);
        self.count_before(&standing, &plan);
        for problem in changed {
            (self.observer)(Event::Warning { problem });
        }
        self.note_applied(&standing);
        if plan.is_empty() && plan.blocked.is_empty() && !self.views_are_pending(read.version)? {
            return Ok(());
        }
        if request.grouping == Grouping::Atomic {
            self.check_groupable(&plan)?;
        }
        let migrations = by_descriptor(self.migrations);
        self.locked(request.wait, |runner| {
            runner.store.ensure(runner.driver)?;
            runner.recover_views_of_others(read.version)?;
            runner.up_locked(request, &migrations)
        })
    }

    fn up_locked(&mut self, request: &UpRequest, migrations: &Bodies) -> Result<(), Error> {
        let mut repeats = request.repeats;
        let mut steps_left = match request.target {
            Target::Steps(steps) => Some(steps),
            _ => None,
        };
        // Each turn but the last means that somebody else got further; the bound is for a database
        // whose answers contradict each other.
        for _ in 0..1_000 {
            let read = self.store.read(self.driver, Sight::Settled)?;
            let standing = self.standing(&read.history, request);
            let drift = drift::problems(self.graph, &standing, &read.history);
            refuse_unsafe(self.graph, drift, self.settings)?;
            let target = steps_left.map_or_else(|| request.target.clone(), Target::Steps);
            let mut plan = Plan::up(self.graph, &standing, &target, repeats)?
                .with_mass(self.graph, self.mass_in_up(request.mass));
            self.leave_waiting(request, &mut plan);
            self.count_before(&standing, &plan);
            self.note_applied(&standing);
            if !plan.is_empty() {
                self.create_missing_views()?;
                self.check_views(&plan)?;
            }
            let applied_before = self.state.summary.applied;
            let progress = match request.grouping {
                Grouping::Each => self.run_phases(&plan, &standing, request, migrations)?,
                Grouping::Atomic => self.run_grouped(&plan, &standing, migrations)?,
            };
            // Forced once is enough.
            repeats = Repeats::AsNeeded;
            let applied = self.state.summary.applied - applied_before;
            self.state.summary.pending = self.state.summary.pending.saturating_sub(applied);
            steps_left = steps_left.map(|steps| steps.saturating_sub(applied));
            match progress {
                Progress::Done => {
                    self.rebuild_views()?;
                    return self.refuse_blocked(&plan);
                }
                Progress::Replan => tracing::debug!("the history changed under us; planning again"),
            }
        }
        Err(Error::Unstable)
    }

    /// Where each migration stands, what it requires of other databases included.
    fn standing<'h>(&self, history: &'h History, request: &UpRequest) -> Standing<'h>
    where
        'r: 'h,
    {
        crate::elsewhere::standing(self.graph, history, self.settings, &request.planned)
    }

    /// What waits for another database is left, where that comes next.
    fn leave_waiting(&mut self, request: &UpRequest, plan: &mut Plan) {
        if request.waiting == Waiting::Leave {
            self.state.summary.waiting = plan.leave_waiting();
        }
    }

    /// Runs `work` with the lock held, and gives everything back on every path.
    fn locked(
        &mut self,
        wait: Option<Duration>,
        work: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let application = self.settings.session.application_name.as_deref();
        let key = LockKey::new(&self.store.table).of_application(application);
        self.may_begin("anything was done")?;
        self.lock(&key, wait.unwrap_or(self.settings.lock_wait))?;
        self.state.by = crate::who::whoami();
        // A panic can only come from the observer: bodies are caught where they are called.
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            self.state.session = self
                .driver
                .remember_session(&key)
                .map_err(Error::database("read the session's settings"))?;
            if self.url.is_some() {
                self.state.watch = self.driver.watch();
            }
            work(self)
        }));
        let released = self.release(&key);
        match result {
            Ok(Ok(())) => released,
            Ok(Err(error)) => Err(error),
            Err(payload) => panic::resume_unwind(payload),
        }
    }

    /// Everything that can be refused without asking the history.
    fn check_ready(&mut self) -> Result<(), Error> {
        match self.driver.depth() {
            Ok(None) => {}
            Ok(Some(_)) => return Err(Error::OpenTransaction),
            Err(source) => {
                return Err(Error::Database {
                    doing: "use the connection".to_owned(),
                    source,
                });
            }
        }
        self.check_limits()?;
        let backend = self.driver.dialect().name;
        let mut problems = wrong_backend(self.driver, self.graph, self.migrations);
        problems.extend(views::unsupported_views(self.driver, self.views));
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Error::WrongBackend { backend, problems })
        }
    }

    fn count_before(&mut self, standing: &Standing<'_>, plan: &Plan) {
        let applied = (0..self.graph.len())
            .filter(|&at| standing.state(at) == State::Applied)
            .count();
        // What is squashed never runs: its squash does.
        let pending = (0..self.graph.len())
            .filter(|&at| {
                standing.state(at) != State::Applied && standing.replaced_by(at).is_none()
            })
            .count();
        self.state.summary.pending = pending;
        if self.state.summary.applied == 0 {
            self.state.summary.already_applied = applied;
        }
        self.state.summary.skipped = plan.blocked.len();
        self.state.summary.left = plan.left.len();
    }

    /// What is blocked by something interrupted is told, and is a failure.
    fn refuse_blocked(&mut self, plan: &Plan) -> Result<(), Error> {
        if plan.blocked.is_empty() {
            return Ok(());
        }
        let mut blocked = Vec::new();
        let mut interrupted: Vec<String> = Vec::new();
        let mut elsewhere = Vec::new();
        let mut mass = Vec::new();
        for obstacle in &plan.blocked {
            let Some(descriptor) = self.graph.get(obstacle.at) else {
                continue;
            };
            let because = obstacle.because(self.graph);
            (self.observer)(Event::Skipped {
                id: descriptor.id.to_string(),
                because: because.clone(),
            });
            blocked.push((descriptor.id.to_string(), because));
            if let Some(unmet) = &obstacle.elsewhere {
                elsewhere.push(unmet.clone());
            } else if obstacle.at == obstacle.on {
                interrupted.push(descriptor.id.to_string());
            } else if let Some(on) = self.graph.get(obstacle.on)
                && on.scale == Scale::Mass
                && !mass.contains(&on.id.to_string())
            {
                mass.push(on.id.to_string());
            }
        }
        Err(Error::Blocked {
            blocked,
            interrupted,
            elsewhere,
            mass,
        })
    }

    /// Why these steps cannot be one transaction, if so.
    fn check_groupable(&self, plan: &Plan) -> Result<(), Error> {
        let dialect = self.driver.dialect();
        if dialect.implicit_commit == ImplicitCommit::OnDdl {
            return Err(Error::NotAtomic(format!(
                "{} commits DDL by itself",
                dialect.name
            )));
        }
        let outside: Vec<String> = plan
            .steps
            .iter()
            .filter_map(|step| self.graph.get(step.at))
            .filter(|descriptor| descriptor.transaction == migrate_core::TransactionMode::None)
            .map(|descriptor| {
                format!(
                    "`{}` ({}) says `transaction = none`",
                    descriptor.id, descriptor.location
                )
            })
            .collect();
        let mass = plan
            .steps
            .iter()
            .filter_map(|step| self.graph.get(step.at))
            .filter(|descriptor| descriptor.scale == Scale::Mass)
            .map(|descriptor| format!("`{}` is a mass migration", descriptor.id));
        let outside: Vec<String> = outside.into_iter().chain(mass).collect();
        if outside.is_empty() {
            Ok(())
        } else {
            Err(Error::NotAtomic(outside.join("; ")))
        }
    }
}

/// Stops where going on would be unsafe.
fn refuse_unsafe(graph: &Graph, drift: Vec<Problem>, settings: &Settings) -> Result<(), Error> {
    let changed = drift::refused_changes(graph, &drift, settings.on_changed);
    if !changed.is_empty() {
        return Err(Error::Changed(changed));
    }
    let unsafe_ones: Vec<Problem> = drift
        .into_iter()
        .filter(|problem| migrate_core::drift::is_unsafe(problem.kind))
        .collect();
    if unsafe_ones.is_empty() {
        Ok(())
    } else {
        Err(Error::Missing(unsafe_ones))
    }
}

/// Migrations by the address of their descriptor.
pub(crate) type Bodies = HashMap<*const Descriptor, &'static Migration>;

fn by_descriptor(migrations: &[&'static Migration]) -> Bodies {
    migrations
        .iter()
        .map(|&migration| (&raw const migration.descriptor, migration))
        .collect()
}

/// Bodies of this graph that take a connection which `driver` is not.
pub(crate) fn wrong_backend(
    driver: &mut dyn Driver,
    graph: &Graph,
    migrations: &[&'static Migration],
) -> Vec<Problem> {
    let backend = driver.dialect().name;
    let mut accepted: Vec<(std::any::TypeId, bool)> = Vec::new();
    let mut problems = Vec::new();
    for &migration in migrations {
        let descriptor = &migration.descriptor;
        for kind in migration.connections() {
            let known = accepted
                .iter()
                .find(|(id, _)| *id == kind.type_id)
                .map(|(_, accepted)| *accepted);
            let accepts = known.unwrap_or_else(|| {
                if kind.is_sql() {
                    // Of one type, and for different backends.
                    return kind.is_sql_for(backend);
                }
                let accepts = driver.connection_mut(kind.type_id).is_some();
                accepted.push((kind.type_id, accepts));
                accepts
            });
            if !accepts && graph.position(descriptor.id).is_some() {
                let what = if kind.is_sql() {
                    format!("is SQL of {}", kind.backends.join(", "))
                } else {
                    format!("takes a `{}`", (kind.type_name)())
                };
                // The same database by another crate's connection.
                let through = if kind.backends.contains(&backend) && !kind.is_sql() {
                    " through another connection"
                } else {
                    ""
                };
                let message = format!(
                    "`{}` ({}) {what}, and this database is {backend}{through}",
                    descriptor.id, descriptor.location,
                );
                problems.push(
                    Problem::new(
                        ProblemKind::WrongBackend,
                        descriptor.id.to_string(),
                        message,
                    )
                    .at(descriptor.location),
                );
                break;
            }
        }
    }
    problems.sort_by(|a, b| a.id.cmp(&b.id));
    problems
}
