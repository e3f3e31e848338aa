//! A queue in PostgreSQL.

use std::{fmt, sync::Arc};

use apalis_core::{
    backend::{
        TaskSink as _, TaskSinkError,
        ext::{
            BackendExt as _,
            poll_strategy::{IntervalStrategy, PollWith},
        },
        finalize::DurableBackend,
    },
    task::Task,
    worker::builder::WorkerBuilder,
};
use apalis_postgres::{Config, PgPool, PostgresStorage};
use tower::{
    layer::util::{Identity, Stack},
    limit::ConcurrencyLimitLayer,
};

use crate::{
    QUEUE,
    databases::Databases,
    dispatch::{Dispatcher, Push, Sent},
    error::Error,
    handler::Handler,
    hint::Hint,
    name,
    options::Options,
};

/// What [`Queue::worker`] makes, for a `Monitor`.
pub type Worker = apalis_core::worker::Worker<
    Hint,
    DurableBackend<PollWith<PostgresStorage<Hint>, IntervalStrategy>, Hint>,
    Handler,
    Stack<ConcurrencyLimitLayer, Identity>,
>;

/// A queue in PostgreSQL: in the schema `apalis` of a database, best one of its own.
#[derive(Clone)]
pub struct Queue {
    pool: PgPool,
    name: String,
}

impl Queue {
    /// Connects to the database that the queue is in.
    ///
    /// # Errors
    /// [`Error::Queue`] when it cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let pool = PgPool::connect(url).await;
        Ok(Self {
            pool: pool.map_err(|error| failed("connect to", QUEUE, error))?,
            name: QUEUE.to_owned(),
        })
    }

    /// On connections that the program has already.
    #[must_use]
    pub fn on(pool: &PgPool) -> Self {
        Self {
            pool: pool.clone(),
            name: QUEUE.to_owned(),
        }
    }

    /// Another name than `migrate-mass`, by which apalis keeps queues apart.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Makes the tables of apalis, or brings them up to date: once per deployment, with the right to create
    /// a schema and the extension `hstore`.
    ///
    /// # Errors
    /// [`Error::Queue`] when that is not possible.
    pub async fn setup(&self) -> Result<(), Error> {
        let made = PostgresStorage::setup(&self.pool).await;
        made.map_err(|error| failed("make the tables of", &self.name, error))
    }

    /// What sends hints.
    #[must_use]
    pub fn dispatcher(&self, databases: &Databases) -> Dispatcher {
        Dispatcher::new(Arc::new(self.clone()), databases.clone())
    }

    /// The queue as apalis knows it: for its dashboard.
    #[must_use]
    pub fn storage(&self, options: &Options) -> PostgresStorage<Hint> {
        // One at a time: with more in its buffer, apalis gives no sign of life.
        let config = Config::default()
            .queue(&self.name)
            .batch_size(1)
            .heartbeat_interval(options.heartbeat())
            .missed_heartbeats(options.missed());
        PostgresStorage::new(&self.pool).with_config(config)
    }

    /// A worker, to be mounted in a program's `Monitor`; each has a name of its own. See the
    /// [front page](crate).
    pub fn worker(&self, databases: &Databases, options: Options) -> Worker {
        let handler = Handler::new(self.dispatcher(databases), options);
        WorkerBuilder::new(name::unique())
            .backend(self.storage(&options).poll_with_interval(options.poll))
            .layer(ConcurrencyLimitLayer::new(options.shards.get()))
            .build(handler)
    }
}

impl Push for Queue {
    fn push(&self, task: Task<Hint>) -> Sent<Result<(), Error>> {
        // A new one each time: one that failed once would send again what failed.
        let mut storage = self.storage(&Options::default());
        let name = self.name.clone();
        Box::pin(async move {
            match storage.push_task(task).await {
                Ok(()) => Ok(()),
                Err(error) if is_there(&error) => Ok(()),
                Err(error) => Err(failed("send to", &name, error)),
            }
        })
    }
}

/// Whether there is a hint with this key, which says the same.
fn is_there(error: &TaskSinkError<apalis_postgres::Error>) -> bool {
    let TaskSinkError::PushError(apalis_postgres::Error::Database(error)) = error else {
        return false;
    };
    match error.as_database_error() {
        Some(error) => error.is_unique_violation(),
        None => false,
    }
}

fn failed(
    doing: &'static str,
    queue: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::Queue {
        doing,
        queue: queue.to_owned(),
        source: Box::new(error),
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the pool, which knows the password.
        f.debug_struct("Queue")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
