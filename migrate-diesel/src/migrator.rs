//! [`Migrator`]: migrations as a library.

mod mass;

use std::time::Duration;

use migrate_core::{
    DEFAULT_DATABASE, DatabaseSettings, DatabaseUrl, Graph, Interrupt, NodeRef, OnChanged,
    Ordering, Settings, Views,
    adopt::{AdoptRequest, Adoption},
    frontend::{DownRequest, DownTarget, Resolution, UpRequest},
    record::{AcceptRequest, MarkRequest, Marked},
    report::{CheckReport, Event, LogEntry, PlanReport, StatusReport, Summary},
};
use once_cell::sync::OnceCell;

use crate::{
    backend::{Driver, MigrationConnection, configure, take_back},
    carried::{Carried, Resolved},
    error::Error,
    history::Store,
    observe,
    reports::Reader,
    runner::Runner,
    view::View,
};

/// The migrations of a program and how to run them: plain data out, nothing printed.
///
/// ```
/// # #[cfg(feature = "sqlite")] mod example {
/// use diesel::sqlite::SqliteConnection;
/// use migrate_diesel::{Migrator, migrations, prelude::*};
///
/// #[migration]
/// pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
///     db.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
/// }
///
/// pub fn run() -> Result<(), Box<dyn std::error::Error>> {
///     let mut db = SqliteConnection::establish(":memory:")?;
///     let migrator = Migrator::new(migrations![create_users])?;
///     assert_eq!(migrator.up(&mut db)?.applied, 1);
///     assert_eq!(migrator.up(&mut db)?.applied, 0);
///     Ok(())
/// }
/// # }
/// # #[cfg(feature = "sqlite")] example::run().unwrap();
/// ```
#[doc = include_str!("docs/programs.md")]
#[derive(Debug)]
pub struct Migrator {
    carried: Carried,
    pub(crate) settings: Settings,
    pub(crate) database: String,
    resolved: OnceCell<Resolved>,
}

impl Migrator {
    /// Everything that is linked into this program.
    ///
    /// # Errors
    /// [`Error::Graph`] when nothing is linked, or the migrations do not fit together: a duplicate
    /// id, a requirement that is not carried, a cycle.
    pub fn linked() -> Result<Self, Error> {
        Self::from_carried(Carried::linked())
    }

    /// Those of a list, which [`migrations!`](crate::migrations) makes.
    ///
    /// # Errors
    /// As [`linked`](Self::linked).
    pub fn new(migrations: impl IntoIterator<Item = NodeRef>) -> Result<Self, Error> {
        Self::from_carried(Carried::listed(migrations))
    }

    /// With these views instead of those that are linked: for tests that make views as they run.
    ///
    /// # Errors
    /// [`Error::Graph`] when they do not fit to the migrations.
    #[doc(hidden)]
    pub fn with_views(
        mut self,
        views: impl IntoIterator<Item = &'static View>,
    ) -> Result<Self, Error> {
        self.carried.views = views.into_iter().collect();
        self.resolved = OnceCell::new();
        self.resolved()?;
        Ok(self)
    }

    fn from_carried(carried: Carried) -> Result<Self, Error> {
        let migrator = Self {
            carried,
            settings: Settings::default(),
            database: DEFAULT_DATABASE.to_owned(),
            resolved: OnceCell::new(),
        };
        migrator.resolved()?;
        Ok(migrator)
    }

    /// With another history table than `migrate_history`; perhaps in a schema: `ops.history`.
    #[must_use]
    pub fn history_table(mut self, name: impl Into<String>) -> Self {
        self.settings.history_table = name.into();
        self
    }

    /// With another order among migrations that are ready.
    #[must_use]
    pub fn ordering(mut self, ordering: Ordering) -> Self {
        self.settings.ordering = ordering;
        self.resolved = OnceCell::new();
        self
    }

    /// With another time to wait for those who read a view that has to go down than a minute.
    #[must_use]
    pub fn view_lock_wait(mut self, wait: Duration) -> Self {
        self.settings.view_lock_wait = wait;
        self
    }

    /// With another time to wait for the deploy lock than a minute.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.settings.lock_wait = wait;
        self
    }

    /// With another thing to do where something applied has changed since than to warn of code and to refuse SQL text.
    #[must_use]
    pub fn on_changed(mut self, on_changed: OnChanged) -> Self {
        self.settings.on_changed = on_changed;
        self
    }

    /// With another name of its session than `migrate`: who waits for its lock is told it. PostgreSQL only,
    /// where pid and host follow it; at most 28 bytes count.
    #[must_use]
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.settings.session.application_name = Some(name.into());
        self
    }

    /// With names without a schema looked up along `path` (PostgreSQL), its own tables included. The
    /// session gets back what it had.
    #[must_use]
    pub fn search_path(mut self, path: impl Into<String>) -> Self {
        self.settings.session.search_path = Some(path.into());
        self
    }

    /// With a limit of what each statement may take (PostgreSQL, MariaDB). A migration's own comes before
    /// it.
    #[must_use]
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.settings.session.limits.statement = Some(limit);
        self
    }

    /// With a limit of how long a statement may wait for a lock; MySQL and MariaDB count it in whole
    /// seconds. A migration's own comes before it. The deploy lock has [`lock_wait`](Self::lock_wait).
    #[must_use]
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.settings.session.limits.lock = Some(limit);
        self
    }

    /// With a token that asks its runs to end: to be requested where the program hears that it is to stop
    /// (this library installs no signal handler).
    ///
    /// Waits end at once, no further migration is begun, and a body that takes a [`Session`](crate::Session)
    /// ends before its next step, in a transaction before its next statement. The statement that the
    /// database is at is waited for: to cancel it takes a second connection, which only the command line
    /// makes.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] mod example {
    /// use migrate_diesel::{Migrator, core::Interrupt, migrations, prelude::*};
    ///
    /// #[migration]
    /// pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    ///     db.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    /// }
    ///
    /// pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    ///     let stop = Interrupt::new();
    ///     let migrator = Migrator::new(migrations![create_users])?.interrupt(stop.clone());
    ///     // Elsewhere, when the program is asked to end:
    ///     stop.request();
    ///     let mut db = SqliteConnection::establish(":memory:")?;
    ///     let error = migrator.up(&mut db).unwrap_err();
    ///     assert_eq!(error.to_string(), "interrupted before anything was done");
    ///     Ok(())
    /// }
    /// # }
    /// # #[cfg(feature = "sqlite")] example::run().unwrap();
    /// ```
    #[must_use]
    pub fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.settings.interrupt = interrupt;
        self
    }

    /// Only the migrations of the configured database `name`, which is `default` unless said here.
    #[must_use]
    pub fn database(mut self, name: impl Into<String>) -> Self {
        self.database = name.into();
        self.resolved = OnceCell::new();
        self
    }

    /// With the configured database `name` at `url`, which is asked (and only read) where a migration
    /// requires one that belongs to it.
    #[must_use]
    pub fn other_database(mut self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.settings.databases.push(DatabaseSettings {
            name: name.into(),
            url: DatabaseUrl::new(url),
        });
        self
    }

    /// The resolved graph of this database's migrations.
    ///
    /// # Errors
    /// As [`linked`](Self::linked).
    pub fn graph(&self) -> Result<&Graph, Error> {
        Ok(&self.resolved()?.graph)
    }

    /// The views of this database, resolved.
    ///
    /// # Errors
    /// As [`linked`](Self::linked).
    pub fn views(&self) -> Result<&Views, Error> {
        Ok(&self.resolved()?.views.views)
    }

    fn resolved(&self) -> Result<&Resolved, Error> {
        self.resolved
            .get_or_try_init(|| self.carried.resolve(self.settings.ordering, &self.database))
    }

    /// Applies everything that is pending.
    ///
    /// What a body leaves in the session does not reach the next one, nor the caller: settings come
    /// back to what they were. On PostgreSQL temporary tables, cursors, subscriptions and session
    /// advisory locks are dropped for that, the caller's own included; on MySQL temporary tables
    /// stay.
    ///
    /// # Errors
    /// Why not everything was applied; what was applied before the error stays applied.
    pub fn up<C: MigrationConnection>(&self, connection: &mut C) -> Result<Summary, Error> {
        self.up_with(connection, &UpRequest::default(), &mut |_| {})
    }

    /// Applies what `request` asks for, and tells `observer` while it does.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub fn up_with<C: MigrationConnection>(
        &self,
        connection: &mut C,
        request: &UpRequest,
        observer: &mut (dyn FnMut(Event) + Send),
    ) -> Result<Summary, Error> {
        let run = self.run(connection, observer, |runner| runner.up(request))?;
        run.result.map(|()| run.summary)
    }

    /// Reverts.
    ///
    /// # Errors
    /// Before anything is touched, when something on the way cannot be reverted.
    pub fn down<C: MigrationConnection>(
        &self,
        connection: &mut C,
        target: DownTarget,
    ) -> Result<Summary, Error> {
        let request = DownRequest { target, wait: None };
        let run = self.run(connection, &mut |_| {}, |runner| runner.down(&request))?;
        run.result.map(|()| run.summary)
    }

    /// Reverts, and applies again what was reverted.
    ///
    /// # Errors
    /// As [`down`](Self::down) and [`up`](Self::up).
    pub fn redo<C: MigrationConnection>(
        &self,
        connection: &mut C,
        target: DownTarget,
    ) -> Result<Summary, Error> {
        let request = DownRequest { target, wait: None };
        let run = self.run(connection, &mut |_| {}, |runner| runner.redo(&request))?;
        run.result.map(|()| run.summary)
    }

    /// Settles an interrupted migration. Returns its full id.
    ///
    /// # Errors
    /// When there is nothing to settle.
    pub fn resolve<C: MigrationConnection>(
        &self,
        connection: &mut C,
        id: &str,
        decision: Resolution,
    ) -> Result<String, Error> {
        self.run(connection, &mut |_| {}, |runner| {
            runner.resolve(id, decision, None)
        })?
    }

    /// Records migrations as applied without running them: what [`Marked`] says, all or none. Returns
    /// their full ids, in order.
    ///
    /// Views that live since one of them come up with the next [`up`](Self::up).
    ///
    /// # Errors
    /// When one of them is applied, or requires what would not be; when all are meant and there is a
    /// history already.
    pub fn mark<C: MigrationConnection>(
        &self,
        connection: &mut C,
        marked: Marked,
    ) -> Result<Vec<String>, Error> {
        let request = MarkRequest { marked, wait: None };
        self.run(connection, &mut |_| {}, |runner| runner.mark(&request))?
    }

    /// Records as applied what another tool's history in this database says was, all or nothing; their
    /// table is only read. Twice does nothing.
    ///
    /// # Errors
    /// When their table is not there, or of something it cannot be told which of ours it is.
    pub fn adopt<C: MigrationConnection>(
        &self,
        connection: &mut C,
        request: &AdoptRequest,
    ) -> Result<Adoption, Error> {
        self.run(connection, &mut |_| {}, |runner| runner.adopt(request))?
    }

    /// Takes applied migrations whose code changed since for unchanged, all or none; the reason goes to
    /// the log. Returns their full ids, in order.
    ///
    /// # Errors
    /// When one of them did not change, or no reason is given.
    pub fn accept<C: MigrationConnection>(
        &self,
        connection: &mut C,
        ids: &[&str],
        reason: &str,
    ) -> Result<Vec<String>, Error> {
        let request = AcceptRequest {
            ids: ids.iter().map(|&id| id.to_owned()).collect(),
            reason: reason.to_owned(),
            wait: None,
        };
        self.run(connection, &mut |_| {}, |runner| runner.accept(&request))?
    }

    /// What [`up`](Self::up) would do. Writes nothing, takes no lock.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn plan<C: MigrationConnection>(&self, connection: &mut C) -> Result<PlanReport, Error> {
        self.reader(connection, |reader| reader.plan(&UpRequest::default()))
    }

    /// Every migration with its state. Writes nothing, takes no lock.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn status<C: MigrationConnection>(
        &self,
        connection: &mut C,
    ) -> Result<StatusReport, Error> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is for one lifetime, the closure for all"
        )]
        self.reader(connection, |reader| reader.status())
    }

    /// Whether code, history and database agree. Writes nothing, takes no lock.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn check<C: MigrationConnection>(&self, connection: &mut C) -> Result<CheckReport, Error> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is for one lifetime, the closure for all"
        )]
        self.reader(connection, |reader| reader.check())
    }

    /// The newest `limit` events, oldest first.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log<C: MigrationConnection>(
        &self,
        connection: &mut C,
        limit: usize,
    ) -> Result<Vec<LogEntry>, Error> {
        self.reader(connection, |reader| reader.log(limit))
    }

    fn run<C: MigrationConnection, T>(
        &self,
        connection: &mut C,
        observer: &mut (dyn FnMut(Event) + Send),
        work: impl FnOnce(Runner<'_>) -> T,
    ) -> Result<T, Error> {
        let resolved = self.resolved()?;
        let store = Store::new(connection.dialect(), &self.settings.history_table)?;
        prepare(connection)?;
        let _run = observe::run_span(&self.database, connection.dialect().name).entered();
        let undo = configure(connection, &self.settings.session)?;
        let result = work(Runner::new(
            &mut *connection,
            resolved,
            &self.carried.migrations,
            &self.settings,
            None,
            &store,
            &mut observe::telling(observer, None),
        ));
        take_back(connection, &undo);
        Ok(result)
    }

    fn reader<C: MigrationConnection, T>(
        &self,
        connection: &mut C,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let resolved = self.resolved()?;
        let store = Store::new(connection.dialect(), &self.settings.history_table)?;
        prepare(connection)?;
        let undo = configure(connection, &self.settings.session)?;
        let result = work(&mut Reader {
            driver: &mut *connection,
            graph: &resolved.graph,
            views: &resolved.views,
            migrations: &self.carried.migrations,
            store: &store,
            database: &self.database,
            settings: &self.settings,
        });
        take_back(connection, &undo);
        result
    }
}

pub(crate) fn prepare(driver: &mut dyn Driver) -> Result<(), Error> {
    driver
        .prepare()
        .map_err(Error::database("use the connection"))
}
