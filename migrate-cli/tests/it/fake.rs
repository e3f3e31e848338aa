//! A program and its databases in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use migrate_core::{
    Application, DatabaseSettings, Deployment, Failure, FailureKind, Location, Scale, Settings,
    State,
    adopt::{AdoptRequest, Adoption},
    frontend::{
        DownRequest, DownTarget, Grouping, OnFailure, Resolution, RunReport, Target, UpRequest,
    },
    record::{AcceptRequest, MarkRequest, Marked},
    report::{
        Action, CheckReport, Event, GraphNode, GraphReport, LogEntry, MigrationStatus, PlanReport,
        PlannedStep, Problem, Rehearsals, StatusReport, ViewStatus,
    },
    restore::{Dump, Occupied, RestoreRequest, Restored, Trigger},
    unlock::{Force, LockSession},
};

// Named, because the benchmark includes this file from elsewhere.
#[path = "fake/mass.rs"]
pub(crate) mod mass;
#[path = "fake/rehearsal.rs"]
pub(crate) mod rehearsal;
#[path = "fake/views.rs"]
pub(crate) mod views;

use views::tell_views;

/// How the body of a fake migration ends.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Ok,
    Fails(Vec<String>),
    NotYet(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Fake {
    pub(crate) id: String,
    pub(crate) description: String,
    pub(crate) requires: Vec<String>,
    pub(crate) database: String,
    pub(crate) body: Body,
    pub(crate) atomic: bool,
    pub(crate) line: u32,
}

pub(crate) fn migration(id: &str, requires: &[&str]) -> Fake {
    Fake {
        id: id.to_owned(),
        description: format!("What {} does.", id.split_once(':').unwrap().1),
        requires: requires.iter().map(|&id| id.to_owned()).collect(),
        database: "default".to_owned(),
        body: Body::Ok,
        atomic: true,
        line: 5,
    }
}

/// What clones have in common, also in other threads.
#[derive(Debug, Default)]
pub(crate) struct Shared<T>(Arc<RwLock<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Shared<T> {
    pub(crate) fn borrow(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn borrow_mut(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one database remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) states: BTreeMap<String, (State, Option<String>)>,
    pub(crate) order: Vec<String>,
    pub(crate) log: Vec<LogEntry>,
    pub(crate) notes: BTreeMap<String, String>,
}

/// A program in memory. Its fields are what a test wants to be so.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeApp {
    pub(crate) migrations: Vec<Fake>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) views: Vec<ViewStatus>,
    pub(crate) mass: mass::FakeMass,
    /// `(migration, view)`: the one suspends the other.
    pub(crate) suspends: Vec<(String, String)>,
    pub(crate) locked_by: Option<migrate_core::report::LockHolder>,
    /// Which session holds the deploy lock.
    pub(crate) lock: Shared<Option<LockSession>>,
    /// Said before everything else by `up`.
    pub(crate) first_events: Vec<Event>,
    /// `up`, `down`, `resolve` end with it, before doing anything.
    pub(crate) refusal: Option<Failure>,
    /// What `up --dry-run` says beside its steps.
    pub(crate) rehearsals: Rehearsals,
    /// What was restored, and how it was asked for.
    pub(crate) restored: Shared<Option<(String, RestoreRequest)>>,
    /// The same by database, without how.
    pub(crate) restored_into: Shared<BTreeMap<String, String>>,
    /// How many more times a database that is starting cannot be opened.
    pub(crate) starting: Shared<usize>,
    /// Databases that cannot be opened.
    pub(crate) closed: BTreeMap<String, Failure>,
    pub(crate) invalid: Option<Failure>,
    pub(crate) memory: Shared<BTreeMap<String, Memory>>,
    /// What it was opened with, in order.
    pub(crate) opened: Shared<Vec<(Settings, DatabaseSettings)>>,
    pub(crate) asked: Shared<Vec<UpRequest>>,
    /// What another tool's history holds, and how it was asked for.
    pub(crate) adoption: Adoption,
    pub(crate) adopting: Shared<Option<AdoptRequest>>,
    /// Called before each `plan_down` but the first: what others do meanwhile.
    pub(crate) meanwhile: Option<fn(&mut Memory)>,
}

impl FakeApp {
    /// Three migrations, one after the other.
    pub(crate) fn three() -> Self {
        Self::of(vec![
            migration("shop:create_users", &[]),
            migration("shop:index_email", &["shop:create_users"]),
            migration("shop:split_names", &["shop:index_email"]),
        ])
    }

    pub(crate) fn of(migrations: Vec<Fake>) -> Self {
        Self {
            migrations,
            ..Self::default()
        }
    }

    pub(crate) fn set(&self, id: &str, state: State, detail: Option<&str>) {
        let migration = self.migrations.iter().find(|m| m.id == id).unwrap();
        let mut memory = self.memory.borrow_mut();
        let memory = memory.entry(migration.database.clone()).or_default();
        memory
            .states
            .insert(id.to_owned(), (state, detail.map(str::to_owned)));
        if state == State::Applied {
            memory.order.push(id.to_owned());
        }
    }

    pub(crate) fn state(&self, id: &str) -> State {
        let memory = self.memory.borrow();
        memory
            .values()
            .find_map(|memory| memory.states.get(id))
            .map_or(State::Pending, |(state, _)| *state)
    }

    /// Applies everything without telling.
    pub(crate) fn applied(self) -> Self {
        for migration in &self.migrations {
            self.set(&migration.id, State::Applied, None);
        }
        self
    }
}

pub(crate) fn place(line: u32) -> Location {
    Location {
        file: "src/migrations.rs",
        line,
        column: 1,
    }
}

impl Application for FakeApp {
    fn backends(&self) -> &[&'static str] {
        &["sqlite"]
    }

    fn databases(&self) -> Vec<String> {
        let mut names: Vec<String> = self.migrations.iter().map(|m| m.database.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    fn graph(&self, _: &Settings) -> Result<GraphReport, Failure> {
        if let Some(failure) = &self.invalid {
            return Err(failure.clone());
        }
        let mut graph = GraphReport::default();
        for migration in &self.migrations {
            graph.nodes.push(GraphNode {
                id: migration.id.clone(),
                description: migration.description.clone(),
                location: place(migration.line),
                databases: vec![migration.database.clone()],
                scale: match self.mass.all.iter().any(|it| it.id == migration.id) {
                    true => Scale::Mass,
                    false => Scale::Step,
                },
                state: None,
            });
            for requirement in &migration.requires {
                graph
                    .edges
                    .push((migration.id.clone(), requirement.clone()));
            }
        }
        graph.views = self.graph_views();
        Ok(graph)
    }

    fn open(
        &self,
        settings: &Settings,
        database: &DatabaseSettings,
    ) -> Result<Box<dyn Deployment>, Failure> {
        self.opened
            .borrow_mut()
            .push((settings.clone(), database.clone()));
        if let Some(failure) = self.invalid.as_ref().or(self.closed.get(&database.name)) {
            return Err(failure.clone());
        }
        let starting = *self.starting.borrow();
        if starting > 0 {
            *self.starting.borrow_mut() -= 1;
            return Err(Failure::new(FailureKind::Unreachable, "it is starting up"));
        }
        let mut app = self.clone();
        app.migrations
            .retain(|m| migrate_core::databases::matches(&m.database, &database.name));
        Ok(Box::new(FakeDeployment {
            app,
            database: database.name.clone(),
            plans: 0,
        }))
    }
}

struct FakeDeployment {
    app: FakeApp,
    database: String,
    plans: usize,
}

impl FakeDeployment {
    fn find(&self, text: &str) -> Result<&Fake, Failure> {
        self.app
            .migrations
            .iter()
            .find(|m| m.id == text || m.id.ends_with(&format!(":{text}")))
            .ok_or_else(|| {
                Failure::new(
                    FailureKind::Usage,
                    format!("no migration is called `{text}`"),
                )
                .next("`status` lists all")
            })
    }

    fn pending(&self) -> Vec<Fake> {
        let pending = |m: &&Fake| self.app.state(&m.id) != State::Applied;
        self.app
            .migrations
            .iter()
            .filter(pending)
            .cloned()
            .collect()
    }

    fn steps(&self, request: &UpRequest) -> Result<Vec<Fake>, Failure> {
        let pending = self.pending();
        Ok(match &request.target {
            Target::All => pending,
            Target::Steps(n) => pending.into_iter().take(*n).collect(),
            Target::Ids(ids) => {
                let mut wanted = Vec::new();
                for id in ids {
                    wanted.push(self.find(id)?.id.clone());
                }
                let mut at = 0;
                while let Some(id) = wanted.get(at).cloned() {
                    wanted.extend(self.find(&id)?.requires.clone());
                    at += 1;
                }
                let asked = |m: &Fake| wanted.contains(&m.id);
                pending.into_iter().filter(asked).collect()
            }
        })
    }

    fn planned(&self, migration: &Fake, action: Action, state: State) -> PlannedStep {
        PlannedStep {
            id: migration.id.clone(),
            action,
            description: migration.description.clone(),
            requires: migration.requires.clone(),
            location: place(migration.line),
            atomic: migration.atomic,
            state,
            views: self.app.around(&migration.id, action),
            rehearsal: None,
        }
    }

    fn reverting(&self, request: &DownRequest) -> Result<Vec<String>, Failure> {
        let memory = self.app.memory.borrow();
        let order = memory
            .get(&self.database)
            .map(|memory| memory.order.clone())
            .unwrap_or_default();
        let last = order.iter().rev();
        Ok(match &request.target {
            DownTarget::Steps(n) => last.take(*n).cloned().collect(),
            DownTarget::Id(id) => vec![self.find(id)?.id.clone()],
            DownTarget::To(id) => {
                let id = self.find(id)?.id.clone();
                last.take_while(|other| **other != id).cloned().collect()
            }
        })
    }
}

impl Deployment for FakeDeployment {
    fn status(&mut self) -> Result<StatusReport, Failure> {
        let mut report = StatusReport::new(&self.database, "sqlite");
        for migration in &self.app.migrations {
            let state = self.app.state(&migration.id);
            let applied = state == State::Applied;
            let (package, name) = migration.id.split_once(':').unwrap();
            let memory = self.app.memory.borrow();
            let detail = memory
                .get(&self.database)
                .and_then(|memory| memory.states.get(&migration.id)?.1.clone());
            report.migrations.push(MigrationStatus {
                mass: None,
                id: migration.id.clone(),
                package: package.to_owned(),
                name: name.to_owned(),
                description: migration.description.clone(),
                state,
                requires: migration.requires.clone(),
                applied_at: applied.then(|| "2026-11-20T09:30:00Z".to_owned()),
                duration_ms: applied.then_some(1.3),
                location: place(migration.line),
                fingerprint: "0123456789abcdef".to_owned(),
                detail,
            });
        }
        report.views = self.app.views.clone();
        report.problems = self.app.problems.clone();
        report.locked_by = self.app.locked_by.clone();
        Ok(report)
    }

    fn plan(&mut self, request: &UpRequest) -> Result<PlanReport, Failure> {
        let mut report = PlanReport::new(&self.database, "sqlite");
        for migration in self.steps(request)? {
            let state = self.app.state(&migration.id);
            let step = self.planned(&migration, Action::Apply, state);
            report.steps.push(step);
        }
        report.views = self.app.rebuilds();
        report.problems = self.app.problems.clone();
        Ok(report)
    }

    fn rehearse(&mut self, request: &UpRequest) -> Result<PlanReport, Failure> {
        let mut report = self.plan(request)?;
        for step in &mut report.steps {
            step.rehearsal = Some(self.app.rehearsal(&step.id));
        }
        report.rehearsal = Some(self.app.rehearsals.clone());
        Ok(report)
    }

    fn up(&mut self, request: &UpRequest, on_event: &mut (dyn FnMut(Event) + Send)) -> RunReport {
        self.app.asked.borrow_mut().push(request.clone());
        let mut report = RunReport::default();
        report.summary.already_applied = self.app.migrations.len() - self.pending().len();
        report.summary.duration = Duration::from_millis(34);
        self.app
            .first_events
            .iter()
            .cloned()
            .for_each(&mut *on_event);
        report.failure = self.app.refusal.clone();
        let steps = match self.steps(request) {
            Ok(steps) if report.failure.is_none() => steps,
            Ok(_) => Vec::new(),
            Err(failure) => {
                report.failure = Some(failure);
                Vec::new()
            }
        };
        let mut undone: Vec<String> = Vec::new();
        for (at, migration) in steps.iter().enumerate() {
            let id = migration.id.clone();
            if let Some(because) = migration.requires.iter().find(|id| undone.contains(id)) {
                undone.push(id.clone());
                report.summary.skipped += 1;
                let because = format!("it requires {because}");
                on_event(Event::Skipped { id, because });
                continue;
            }
            on_event(Event::Started {
                id: id.clone(),
                action: Action::Apply,
                position: at + 1,
                total: steps.len(),
            });
            tell_views(&self.app.around(&id, Action::Apply), Some(&id), on_event);
            let duration = Duration::from_micros(1_300);
            match &migration.body {
                Body::Ok => {
                    self.app.set(&id, State::Applied, None);
                    report.summary.applied += 1;
                    on_event(Event::Applied { id, duration });
                }
                Body::NotYet(reason) => {
                    undone.push(id.clone());
                    report.summary.deferred += 1;
                    self.app.set(&id, State::Deferred, Some(reason));
                    let reason = reason.clone();
                    on_event(Event::Deferred { id, reason });
                }
                Body::Fails(error) => {
                    undone.push(id.clone());
                    report.summary.failed += 1;
                    self.app
                        .set(&id, State::Failed, error.first().map(String::as_str));
                    let failure =
                        Failure::new(FailureKind::Migration, format!("migration `{id}` failed"))
                            .next("correct it and run `up` again");
                    report.failure.get_or_insert(failure);
                    on_event(Event::Failed {
                        id,
                        duration,
                        error: error.clone(),
                        location: place(migration.line),
                        rolled_back: migration.atomic,
                    });
                    if request.on_failure == OnFailure::Stop {
                        break;
                    }
                }
            }
        }
        if report.failure.is_none() {
            tell_views(&self.app.rebuilds(), None, on_event);
            report.summary.views = self.app.rebuilds().len();
        }
        if request.grouping == Grouping::Atomic && report.failure.is_some() {
            report.summary.applied = 0;
            self.app.memory.borrow_mut().clear();
        }
        report.summary.pending = self.pending().len();
        report
    }

    fn plan_down(&mut self, request: &DownRequest) -> Result<PlanReport, Failure> {
        if let Some(meanwhile) = self.app.meanwhile.filter(|_| self.plans > 0) {
            let mut memory = self.app.memory.borrow_mut();
            meanwhile(memory.entry(self.database.clone()).or_default());
        }
        self.plans += 1;
        let mut report = PlanReport::new(&self.database, "sqlite");
        for id in self.reverting(request)? {
            let step = self.planned(self.find(&id)?, Action::Revert, State::Applied);
            report.steps.push(step);
        }
        Ok(report)
    }

    fn down(
        &mut self,
        request: &DownRequest,
        on_event: &mut (dyn FnMut(Event) + Send),
    ) -> RunReport {
        let mut report = RunReport {
            failure: self.app.refusal.clone(),
            ..RunReport::default()
        };
        report.summary.duration = Duration::from_millis(2);
        if report.failure.is_none() {
            for id in self.reverting(request).unwrap() {
                self.app.set(&id, State::Pending, None);
                let mut memory = self.app.memory.borrow_mut();
                let memory = memory.get_mut(&self.database).unwrap();
                memory.order.retain(|other| *other != id);
                report.summary.reverted += 1;
                tell_views(&self.app.around(&id, Action::Revert), Some(&id), on_event);
                let duration = Duration::from_micros(900);
                on_event(Event::Reverted { id, duration });
            }
        }
        report.summary.pending = self.pending().len();
        report
    }

    fn redo(
        &mut self,
        request: &DownRequest,
        on_event: &mut (dyn FnMut(Event) + Send),
    ) -> RunReport {
        let down = self.down(request, on_event);
        let mut report = self.up(&UpRequest::default(), on_event);
        report.summary.reverted = down.summary.reverted;
        report
    }

    fn check(&mut self) -> Result<CheckReport, Failure> {
        let mut report = CheckReport::new(&self.database, "sqlite");
        report.carried = self.app.migrations.len();
        report.failed = self
            .pending()
            .iter()
            .filter(|m| self.app.state(&m.id) == State::Failed)
            .count();
        report.pending = self.pending().into_iter().map(|m| m.id).collect();
        let rebuilds = self.app.rebuilds().into_iter();
        let mass = self.app.mass.all.iter().map(|it| it.id.clone());
        report.pending_mass = mass.filter(|id| report.pending.contains(id)).collect();
        report.pending_views = rebuilds.map(|view| view.id).collect();
        report.problems = self.app.problems.clone();
        Ok(report)
    }

    fn resolve(
        &mut self,
        id: &str,
        decision: Resolution,
        _: Option<Duration>,
    ) -> Result<String, Failure> {
        if let Some(failure) = &self.app.refusal {
            return Err(failure.clone());
        }
        let id = self.find(id)?.id.clone();
        let state = match decision {
            Resolution::Applied => State::Applied,
            Resolution::Retry | Resolution::Reverted => State::Pending,
        };
        self.app.set(&id, state, None);
        Ok(id)
    }

    fn restore(
        &mut self,
        request: &RestoreRequest,
        dump: &mut dyn Dump,
    ) -> Result<Restored, Failure> {
        let holds = self.app.restored_into.borrow().contains_key(&self.database)
            || self.pending().len() < self.app.migrations.len();
        match (request.trigger, request.occupied) {
            (Trigger::NoHistory, _) if holds => return Ok(Restored::NotNeeded),
            (Trigger::Asked, Occupied::Refuse) if holds => {
                return Err(Failure::new(
                    FailureKind::Usage,
                    "the database is not empty",
                ));
            }
            _ => {}
        }
        let failed = |error: std::io::Error| {
            let mut failure = Failure::new(FailureKind::Migration, "the dump cannot be read");
            failure.causes.push(error.to_string());
            failure
        };
        dump.open().map_err(failed)?;
        let mut text = String::new();
        dump.read_to_string(&mut text).map_err(failed)?;
        let mut into = self.app.restored_into.borrow_mut();
        into.insert(self.database.clone(), text.clone());
        *self.app.restored.borrow_mut() = Some((text, request.clone()));
        Ok(Restored::Done)
    }

    fn plan_mark(&mut self, request: &MarkRequest) -> Result<Vec<String>, Failure> {
        if let Some(failure) = &self.app.refusal {
            return Err(failure.clone());
        }
        match &request.marked {
            Marked::These(ids) | Marked::UpTo(ids) => {
                let found = ids.iter().map(|id| Ok(self.find(id)?.id.clone()));
                found.collect()
            }
            Marked::All => Ok(self.pending().into_iter().map(|it| it.id).collect()),
        }
    }

    fn mark(&mut self, request: &MarkRequest) -> Result<Vec<String>, Failure> {
        let ids = self.plan_mark(request)?;
        for id in &ids {
            self.app.set(id, State::Applied, None);
        }
        Ok(ids)
    }

    fn accept(&mut self, request: &AcceptRequest) -> Result<Vec<String>, Failure> {
        if let Some(failure) = &self.app.refusal {
            return Err(failure.clone());
        }
        let found = request.ids.iter().map(|id| Ok(self.find(id)?.id.clone()));
        found.collect()
    }

    fn plan_adoption(&mut self, request: &AdoptRequest) -> Result<Adoption, Failure> {
        if let Some(failure) = &self.app.refusal {
            return Err(failure.clone());
        }
        *self.app.adopting.borrow_mut() = Some(request.clone());
        Ok(self.app.adoption.clone())
    }

    fn adopt(&mut self, request: &AdoptRequest) -> Result<Adoption, Failure> {
        let adoption = self.plan_adoption(request)?;
        for id in adoption.rows.iter().filter_map(|row| row.id.as_ref()) {
            self.app.set(id, State::Applied, None);
        }
        Ok(adoption)
    }

    fn lock_session(&mut self) -> Result<Option<LockSession>, Failure> {
        Ok(self.app.lock.borrow().clone())
    }

    fn unlock(&mut self, force: Force) -> Result<Option<LockSession>, Failure> {
        let mut lock = self.app.lock.borrow_mut();
        if let Some(held) = lock.as_ref() {
            held.may_be_ended(force)?;
        }
        Ok(lock.take())
    }

    fn note(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let memory = self.app.memory.borrow();
        let notes = memory.get(&self.database).map(|memory| &memory.notes);
        Ok(notes.and_then(|notes| notes.get(name).cloned()))
    }

    fn set_note(&mut self, name: &str, value: &str) -> Result<bool, Failure> {
        let mut memory = self.app.memory.borrow_mut();
        // As with a history: none before something was applied.
        let Some(memory) = memory.get_mut(&self.database) else {
            return Ok(false);
        };
        memory.notes.insert(name.to_owned(), value.to_owned());
        Ok(true)
    }

    fn remove_note(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let mut memory = self.app.memory.borrow_mut();
        if let Some(memory) = memory.get_mut(&self.database)
            && memory.notes.get(name).is_some_and(|it| it == value)
        {
            memory.notes.remove(name);
        }
        Ok(())
    }

    fn log(&mut self, limit: usize) -> Result<Vec<LogEntry>, Failure> {
        let memory = self.app.memory.borrow();
        let log = memory.get(&self.database).map(|memory| memory.log.clone());
        let log = log.unwrap_or_default();
        Ok(log[log.len().saturating_sub(limit)..].to_vec())
    }

    fn mass(&mut self) -> &mut dyn migrate_core::mass::frontend::MassOperations {
        self
    }
}
