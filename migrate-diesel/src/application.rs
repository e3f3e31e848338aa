//! A program with its migrations, as a front end drives it.

use std::{path::Path, time::Duration};

use migrate_core::{
    Application, DatabaseSettings, DatabaseUrl, Deployment, Failure, SessionSettings, Settings,
    adopt::{AdoptRequest, Adoption},
    frontend::{DownRequest, Resolution, RunReport, UpRequest},
    mass::frontend::MassOperations,
    record::{AcceptRequest, MarkRequest},
    report::{CheckReport, Event, GraphReport, LogEntry, PlanReport, Rehearsal, StatusReport},
    restore::{Dump, RestoreRequest, Restored},
    unlock::{Force, LockSession},
};

use crate::{
    backend::{AnyConnection, Driver as _, MigrationConnection as _, configure, registered},
    carried::{Carried, Resolved},
    error::Error,
    history::Store,
    migration::Migration,
    migrator::prepare,
    observe,
    reports::Reader,
    runner::{Run, Runner},
    unlock,
};

/// A program with the migrations of its crates, for a front end: the command line that
/// [`main!`](crate::main) starts drives one.
#[derive(Debug)]
pub struct Program {
    carried: Carried,
    backends: Vec<&'static str>,
}

impl Program {
    /// Everything that is linked; each of `crates` has to contribute, and they come first, in this order.
    #[must_use]
    pub fn new(crates: &[&str]) -> Self {
        let own = AnyConnection::BACKENDS.iter().copied();
        Self {
            carried: Carried::by_crates(crates),
            backends: own.chain(registered::schemes()).collect(),
        }
    }
}

impl Application for Program {
    fn backends(&self) -> &[&'static str] {
        &self.backends
    }

    fn databases(&self) -> Vec<String> {
        let mut names: Vec<&str> = Vec::new();
        for migration in &self.carried.migrations {
            match migration.descriptor.databases {
                [] => names.push(migrate_core::DEFAULT_DATABASE),
                some => names.extend(some),
            }
        }
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(str::to_owned).collect()
    }

    fn graph(&self, settings: &Settings) -> Result<GraphReport, Failure> {
        registered::check()?;
        let resolved = self.carried.resolve_all(settings.ordering)?;
        let mut report = resolved.graph.report();
        report.views = resolved.views.views.report(&resolved.graph);
        Ok(report)
    }

    fn open(
        &self,
        settings: &Settings,
        database: &DatabaseSettings,
    ) -> Result<Box<dyn Deployment>, Failure> {
        let resolved = self.carried.resolve(settings.ordering, &database.name)?;
        let (connection, there) = connect_to_read(
            &database.url,
            &settings.for_database(&database.name).session,
        )?;
        let store = Store::new(connection.dialect(), &settings.history_table)?;
        let mut open = OpenDatabase {
            resolved,
            migrations: self.carried.migrations.clone(),
            settings: settings.for_database(&database.name),
            database: database.clone(),
            connection,
            there,
            store,
        };
        prepare(&mut open.connection)?;
        if open.there == There::Yes {
            configure(&mut open.connection, &open.settings.session)?;
        }
        Ok(Box::new(open))
    }
}

/// Whether a database is there, or would only come with its first migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum There {
    Yes,
    NotYet,
}

/// One open database.
pub(crate) struct OpenDatabase {
    pub(crate) resolved: Resolved,
    pub(crate) migrations: Vec<&'static Migration>,
    pub(crate) settings: Settings,
    pub(crate) database: DatabaseSettings,
    pub(crate) connection: AnyConnection,
    there: There,
    pub(crate) store: Store,
}

impl OpenDatabase {
    fn reader(&mut self) -> Reader<'_> {
        Reader {
            driver: &mut self.connection,
            graph: &self.resolved.graph,
            views: &self.resolved.views,
            migrations: &self.migrations,
            store: &self.store,
            database: &self.database.name,
            settings: &self.settings,
        }
    }

    pub(crate) fn run<T>(
        &mut self,
        observer: &mut (dyn FnMut(Event) + Send),
        work: impl FnOnce(Runner<'_>) -> T,
    ) -> Result<T, Error> {
        if self.there == There::NotYet {
            self.connection = connect(&self.database.url, &self.settings.session)?;
            self.there = There::Yes;
        }
        let backend = self.connection.dialect().name;
        let _run = observe::run_span(&self.database.name, backend).entered();
        Ok(work(Runner::new(
            &mut self.connection,
            &self.resolved,
            &self.migrations,
            &self.settings,
            Some(&self.database.url),
            &self.store,
            &mut observe::telling(observer, Some(&self.database.url)),
        )))
    }

    /// Without the password, also where a body makes its error of it.
    fn report(&self, run: Result<Run, Error>) -> RunReport {
        let url = &self.database.url;
        let failure = |error: Error| {
            let mut failure = Failure::from(error);
            for cause in &mut failure.causes {
                *cause = url.redact(cause);
            }
            failure
        };
        match run {
            Ok(run) => RunReport {
                summary: run.summary,
                failure: run.result.err().map(failure),
            },
            Err(error) => RunReport {
                failure: Some(failure(error)),
                ..RunReport::default()
            },
        }
    }
}

impl Deployment for OpenDatabase {
    fn status(&mut self) -> Result<StatusReport, Failure> {
        Ok(self.reader().status()?)
    }

    fn plan(&mut self, request: &UpRequest) -> Result<PlanReport, Failure> {
        Ok(self.reader().plan(request)?)
    }

    fn up(&mut self, request: &UpRequest, on_event: &mut (dyn FnMut(Event) + Send)) -> RunReport {
        let run = self.run(on_event, |runner| runner.up(request));
        self.report(run)
    }

    fn rehearse(&mut self, request: &UpRequest) -> Result<PlanReport, Failure> {
        let mut report = self.reader().plan(request)?;
        // Of a SQLite file that does not exist yet, the empty database in memory stands for it.
        let mut rehearsing = Runner::new(
            &mut self.connection,
            &self.resolved,
            &self.migrations,
            &self.settings,
            Some(&self.database.url),
            &self.store,
            &mut |_| {},
        )
        .rehearse(request)?;
        for step in &mut report.steps {
            let why = || match rehearsing.beside.not_shown.clone() {
                Some(why) => why,
                None => "what comes before it failed".to_owned(),
            };
            let rehearsal = rehearsing.steps.remove(&step.id);
            step.rehearsal = Some(rehearsal.unwrap_or_else(|| Rehearsal::NotShown(why())));
        }
        report.rehearsal = Some(rehearsing.beside);
        Ok(report)
    }

    fn plan_down(&mut self, request: &DownRequest) -> Result<PlanReport, Failure> {
        Ok(self.reader().plan_down(request)?)
    }

    fn down(
        &mut self,
        request: &DownRequest,
        on_event: &mut (dyn FnMut(Event) + Send),
    ) -> RunReport {
        let run = self.run(on_event, |runner| runner.down(request));
        self.report(run)
    }

    fn redo(
        &mut self,
        request: &DownRequest,
        on_event: &mut (dyn FnMut(Event) + Send),
    ) -> RunReport {
        let run = self.run(on_event, |runner| runner.redo(request));
        self.report(run)
    }

    fn check(&mut self) -> Result<CheckReport, Failure> {
        Ok(self.reader().check()?)
    }

    fn resolve(
        &mut self,
        id: &str,
        decision: Resolution,
        wait: Option<Duration>,
    ) -> Result<String, Failure> {
        Ok(self.run(&mut |_| {}, |runner| runner.resolve(id, decision, wait))??)
    }

    fn plan_mark(&mut self, request: &MarkRequest) -> Result<Vec<String>, Failure> {
        Ok(self.reader().plan_mark(request)?)
    }

    fn mark(&mut self, request: &MarkRequest) -> Result<Vec<String>, Failure> {
        Ok(self.run(&mut |_| {}, |runner| runner.mark(request))??)
    }

    fn accept(&mut self, request: &AcceptRequest) -> Result<Vec<String>, Failure> {
        Ok(self.run(&mut |_| {}, |runner| runner.accept(request))??)
    }

    fn plan_adoption(&mut self, request: &AdoptRequest) -> Result<Adoption, Failure> {
        Ok(self.reader().plan_adoption(request)?)
    }

    fn adopt(&mut self, request: &AdoptRequest) -> Result<Adoption, Failure> {
        Ok(self.run(&mut |_| {}, |runner| runner.adopt(request))??)
    }

    fn lock_session(&mut self) -> Result<Option<LockSession>, Failure> {
        Ok(unlock::session(&mut self.connection, &self.store.table)?)
    }

    fn unlock(&mut self, force: Force) -> Result<Option<LockSession>, Failure> {
        unlock::end(&mut self.connection, &self.store, force)
    }

    fn note(&mut self, name: &str) -> Result<Option<String>, Failure> {
        Ok(self.store.read_note(&mut self.connection, name)?)
    }

    fn set_note(&mut self, name: &str, value: &str) -> Result<bool, Failure> {
        Ok(self.store.write_note(&mut self.connection, name, value)?)
    }

    fn remove_note(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        Ok(self.store.remove_note(&mut self.connection, name, value)?)
    }

    fn log(&mut self, limit: usize) -> Result<Vec<LogEntry>, Failure> {
        Ok(self.reader().log(limit)?)
    }

    fn restore(
        &mut self,
        request: &RestoreRequest,
        dump: &mut dyn Dump,
    ) -> Result<Restored, Failure> {
        Ok(self.run(&mut |_| {}, |runner| runner.restore(request, dump))??)
    }

    fn mass(&mut self) -> &mut dyn MassOperations {
        self
    }
}

/// A connection that is ready, and has the settings of its session.
pub(crate) fn connect(
    url: &DatabaseUrl,
    session: &SessionSettings,
) -> Result<AnyConnection, Error> {
    let mut connection = AnyConnection::open_for(url, session)?;
    prepare(&mut connection)?;
    configure(&mut connection, session)?;
    Ok(connection)
}

/// Connects, except to a SQLite file that does not exist: to look at it must not create it.
pub(crate) fn connect_to_read(
    url: &DatabaseUrl,
    session: &SessionSettings,
) -> Result<(AnyConnection, There), Error> {
    let absent = crate::url::sqlite_path(url).is_some_and(|path| {
        !path.is_empty()
            && path != ":memory:"
            && !path.starts_with("file:")
            && !Path::new(&path).exists()
    });
    if absent {
        let empty = AnyConnection::open(&DatabaseUrl::new("sqlite://:memory:"))?;
        return Ok((empty, There::NotYet));
    }
    Ok((AnyConnection::open_for(url, session)?, There::Yes))
}
