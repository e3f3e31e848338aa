//! Mass migrations of a [`Migrator`]: started, watched, changed and worked on by a program.

use diesel::ConnectionResult;
use migrate_core::{
    Interrupt,
    mass::{
        Quarantined,
        frontend::{MassDetail, MassEvent, MassStatus, Order, StartRequest, Stay, WorkRequest},
    },
};

use super::{Migrator, prepare};
use crate::{
    backend::{Driver, MigrationConnection, configure},
    error::{Error, Redacted},
    history::Store,
    mass::{
        ShardEnd,
        desk::Desk,
        engine::{self, Work},
    },
};

/// Mass migrations: see [`mass`](crate::mass).
impl Migrator {
    /// Every mass migration with its state. Writes nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn mass_list<C: MigrationConnection>(
        &self,
        connection: &mut C,
    ) -> Result<Vec<MassStatus>, Error> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is for one lifetime, the closure for all"
        )]
        self.desk(connection, |desk| desk.list())
    }

    /// One of them, with its shards. Writes nothing.
    ///
    /// # Errors
    /// As [`mass_list`](Self::mass_list); when no mass migration is called so.
    pub fn mass_status<C: MigrationConnection>(
        &self,
        connection: &mut C,
        id: &str,
    ) -> Result<MassDetail, Error> {
        self.desk(connection, |desk| desk.status(id))
    }

    /// Starts a run, for workers. What is started (or applied) already stays as it is: its status is the
    /// answer.
    ///
    /// # Errors
    /// [`Error::Mass`] when its parameters do not fit, something that it requires is not applied, or a
    /// person has paused or cancelled it.
    pub fn mass_start<C: MigrationConnection>(
        &self,
        connection: &mut C,
        request: &StartRequest,
    ) -> Result<MassStatus, Error> {
        if !self.has_tables(connection)? {
            self.run(connection, &mut |_| {}, |runner| runner.make_tables(None))??;
        }
        let by = crate::who::whoami();
        self.desk(connection, |desk| desk.enqueue(request, &by))
    }

    /// Changes a run, and logs who and why: it takes effect within one batch. Returns where it stands then.
    ///
    /// # Errors
    /// [`Error::Mass`] when that is not legal in the state it is in.
    pub fn mass_control<C: MigrationConnection>(
        &self,
        connection: &mut C,
        id: &str,
        order: &Order,
        reason: Option<&str>,
    ) -> Result<MassStatus, Error> {
        let by = crate::who::whoami();
        let status = self.desk(connection, |desk| desk.control(id, order, reason, &by))?;
        let Some(run) = status
            .run
            .as_ref()
            .filter(|_| matches!(order, Order::Skip(_)))
        else {
            return Ok(status);
        };
        // What was skipped may have been the last that kept it from its end.
        let store = Store::new(connection.dialect(), &self.settings.history_table)?;
        let work = self.work_of(&store, None, &WorkRequest::default())?;
        engine::settle(&work, connection, run.run, &Interrupt::new(), &mut |_| {})?;
        Ok(self.mass_status(connection, &status.id)?.status)
    }

    /// What is or was in quarantine, the newest `limit`, oldest first.
    ///
    /// # Errors
    /// As [`mass_status`](Self::mass_status).
    pub fn mass_failures<C: MigrationConnection>(
        &self,
        connection: &mut C,
        id: &str,
        limit: usize,
    ) -> Result<Vec<Quarantined>, Error> {
        self.desk(connection, |desk| desk.failures(id, limit))
    }

    /// Works, on connections that `connect` makes: one for each worker, one for their heartbeat. Starts what
    /// `request` names and works until that has come to its end; without, serves what is enqueued. Blocks;
    /// ends within a batch once `interrupt` is requested.
    ///
    /// A run that fails is no error: see what [`mass_status`](Self::mass_status) says of it.
    ///
    /// # Errors
    /// Why it could not go on. What was done is done.
    pub fn mass_work<C: MigrationConnection + Send>(
        &self,
        connect: impl Fn() -> ConnectionResult<C> + Sync,
        request: &WorkRequest,
        interrupt: &Interrupt,
        on_event: &mut (dyn FnMut(MassEvent) + Send),
    ) -> Result<(), Error> {
        let connect = || self.connect(&connect);
        let mut connection = connect()?;
        let mut runs = Vec::new();
        for start in &request.runs {
            let status = self.mass_start(&mut connection, start)?;
            runs.extend(status.run.map(|run| run.run));
        }
        if !self.has_tables(&mut connection)? {
            self.run(&mut connection, &mut |_| {}, |runner| {
                runner.make_tables(None)
            })??;
        }
        let store = Store::new(connection.dialect(), &self.settings.history_table)?;
        drop(connection);
        let runs = (!request.runs.is_empty()).then_some(runs.as_slice());
        let work = self.work_of(&store, runs, request)?;
        let connect = || -> Result<Box<dyn Driver + Send>, Error> { Ok(Box::new(connect()?)) };
        engine::work(&work, &connect, interrupt, on_event)
    }

    /// Claims one shard of a run and works on it until it is done or somebody else's: for a job engine that
    /// hands shards out. What it hands out twice, or to somebody who dies, does no harm.
    ///
    /// # Errors
    /// Why it could not go on. What was done is done.
    pub fn mass_work_shard<C: MigrationConnection + Send>(
        &self,
        connect: impl Fn() -> ConnectionResult<C> + Sync,
        (run, shard): (i64, u32),
        request: &WorkRequest,
        interrupt: &Interrupt,
        on_event: &mut (dyn FnMut(MassEvent) + Send),
    ) -> Result<ShardEnd, Error> {
        let connect = || self.connect(&connect);
        let store = Store::new(connect()?.dialect(), &self.settings.history_table)?;
        let work = self.work_of(&store, None, request)?;
        let connect = || -> Result<Box<dyn Driver + Send>, Error> { Ok(Box::new(connect()?)) };
        engine::work_shard(&work, &connect, (run, shard), interrupt, on_event)
    }

    fn connect<C: MigrationConnection>(
        &self,
        connect: impl Fn() -> ConnectionResult<C>,
    ) -> Result<C, Error> {
        let mut connection = connect().map_err(|error| Error::Connect {
            url: "the database".to_owned(),
            source: Redacted(error.to_string()),
        })?;
        prepare(&mut connection)?;
        configure(&mut connection, &self.settings.session)?;
        Ok(connection)
    }

    fn work_of<'w>(
        &'w self,
        store: &'w Store,
        runs: Option<&'w [i64]>,
        request: &WorkRequest,
    ) -> Result<Work<'w>, Error> {
        Ok(Work {
            store,
            resolved: self.resolved()?,
            migrations: &self.carried.migrations,
            settings: &self.settings,
            runs,
            workers: request.workers,
            stay: if runs.is_some() {
                Stay::UntilIdle
            } else {
                request.stay
            },
            lease: request.lease,
        })
    }

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method is for one lifetime, the closure for all"
    )]
    fn has_tables<C: MigrationConnection>(&self, connection: &mut C) -> Result<bool, Error> {
        self.desk(connection, |desk| desk.is_ready())
    }

    fn desk<C: MigrationConnection, T>(
        &self,
        connection: &mut C,
        work: impl FnOnce(&mut Desk<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let resolved = self.resolved()?;
        let store = Store::new(connection.dialect(), &self.settings.history_table)?;
        prepare(connection)?;
        work(&mut Desk {
            driver: connection,
            graph: &resolved.graph,
            migrations: &self.carried.migrations,
            store: &store,
        })
    }
}
