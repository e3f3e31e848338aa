//! A queue in Redis.

use std::{fmt, sync::Arc};

use apalis_core::{
    backend::{
        TaskSink as _,
        ext::{
            BackendExt as _,
            poll_strategy::{IntervalStrategy, PollWith},
        },
        finalize::DurableBackend,
    },
    task::Task,
    worker::builder::WorkerBuilder,
};
use apalis_redis::{Config, ConnectionManager, RedisStorage};
use tower::{
    layer::util::{Identity, Stack},
    limit::ConcurrencyLimitLayer,
};

use crate::{
    QUEUE,
    databases::Databases,
    dispatch::{AGAIN, Dispatcher, Push, Sent},
    error::Error,
    handler::Handler,
    hint::Hint,
    name,
    options::Options,
};

/// What [`Queue::worker`] makes, for a `Monitor`.
pub type Worker = apalis_core::worker::Worker<
    Hint,
    DurableBackend<PollWith<RedisStorage<Hint>, IntervalStrategy>, Hint>,
    Handler,
    Stack<ConcurrencyLimitLayer, Identity>,
>;

/// A queue in Redis, in keys that begin with its name.
#[derive(Clone)]
pub struct Queue {
    connection: ConnectionManager,
    name: String,
}

impl Queue {
    /// Connects to a Redis: `redis://host/0`.
    ///
    /// # Errors
    /// [`Error::Queue`] when it cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let connection = apalis_redis::connect(url).await;
        Ok(Self {
            connection: connection.map_err(|error| failed("connect to", QUEUE, error))?,
            name: QUEUE.to_owned(),
        })
    }

    /// On a connection that the program has already.
    #[must_use]
    pub fn on(connection: &ConnectionManager) -> Self {
        Self {
            connection: connection.clone(),
            name: QUEUE.to_owned(),
        }
    }

    /// Another name than `migrate-mass`, by which apalis keeps queues apart.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What sends hints.
    #[must_use]
    pub fn dispatcher(&self, databases: &Databases) -> Dispatcher {
        Dispatcher::new(Arc::new(self.clone()), databases.clone())
    }

    /// The queue as apalis knows it: for its dashboard.
    #[must_use]
    pub fn storage(&self, options: &Options) -> RedisStorage<Hint> {
        // One at a time: with more in its buffer, apalis gives no sign of life.
        let mut config = Config::default()
            .queue(&self.name)
            .batch_size(1)
            .heartbeat_interval(options.heartbeat())
            .missed_heartbeats(options.missed());
        // Without a time to live, this version keeps no key at all.
        config.idempotency_ttl = Some(AGAIN);
        RedisStorage::new(self.connection.clone()).with_config(config)
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
            let pushed = storage.push_task(task).await;
            pushed.map_err(|error| failed("send to", &name, error))
        })
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
        // Not the connection, which knows the password.
        f.debug_struct("Queue")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
