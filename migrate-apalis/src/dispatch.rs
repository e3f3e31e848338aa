//! [`Dispatcher`]: sends hints.

use std::{
    collections::HashSet,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use apalis_core::task::{Task, builder::TaskBuilder};
use migrate_diesel::mass::{MassDetail, MassStatus, ShardState, StartRequest};

use crate::{databases::Databases, error::Error, hint::Hint};

/// What is known to have been hinted at is hinted at again after so long, should nobody be at it.
pub(crate) const AGAIN: Duration = Duration::from_secs(300);

/// Our own tables decide what has failed: no number of attempts does. The most that a column of the
/// PostgreSQL queue takes.
const ATTEMPTS: usize = i32::MAX as usize;

/// A future that a thread may take along.
pub(crate) type Sent<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A queue without its type.
pub(crate) trait Push: Send + Sync {
    /// Puts it there, once per idempotency key.
    fn push(&self, task: Task<Hint>) -> Sent<Result<(), Error>>;
}

/// Sends hints at what there is to do. A clone is the same.
#[derive(Clone)]
pub struct Dispatcher {
    queue: Arc<dyn Push>,
    databases: Databases,
    told: Arc<Mutex<Told>>,
}

/// What was sent of late, so that a queue is not asked about it again and again.
#[derive(Default)]
struct Told {
    span: u64,
    keys: HashSet<String>,
}

impl Dispatcher {
    pub(crate) fn new(queue: Arc<dyn Push>, databases: Databases) -> Self {
        Self {
            queue,
            databases,
            told: Arc::default(),
        }
    }

    /// Starts a run, as [`Migrator::mass_start`](migrate_diesel::Migrator::mass_start) does, and hints at
    /// its shards.
    ///
    /// # Errors
    /// When it cannot be started. When the queue cannot be reached: then it is started all the same, and
    /// the next [`dispatch`](Self::dispatch) hints at it.
    pub async fn enqueue(
        &self,
        database: &str,
        request: StartRequest,
    ) -> Result<MassStatus, Error> {
        let status = self
            .databases
            .on(database, move |site| site.start(&request))
            .await?;
        self.dispatch_run(database, &status.id).await?;
        Ok(status)
    }

    /// Hints at all that workers may do and nobody is at, in all databases: also at what was started,
    /// resumed or tried again elsewhere (`migrate mass resume`), and at what a queue has lost. Sends
    /// nothing twice within five minutes. Returns how many hints it sent.
    ///
    /// # Errors
    /// When a database or the queue cannot be reached.
    pub async fn dispatch(&self) -> Result<usize, Error> {
        let mut sent = 0;
        for database in self.databases.names() {
            let all = self.databases.on(&database, |site| site.list()).await?;
            for status in all {
                let is_open = |run: &migrate_diesel::mass::MassRun| run.state.is_open_to_workers();
                if status.run.as_ref().is_some_and(is_open) {
                    sent += self.dispatch_run(&database, &status.id).await?;
                }
            }
        }
        Ok(sent)
    }

    /// [`dispatch`](Self::dispatch), again and again: for as long as this is polled. One process that does
    /// so is enough, and every worker may.
    pub async fn patrol(&self, every: Duration) {
        loop {
            match self.dispatch().await {
                Ok(0) => {}
                Ok(sent) => tracing::debug!(sent, "hinted at shards that nobody is at"),
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "could not look for shards that nobody is at");
                }
            }
            tokio::time::sleep(every).await;
        }
    }

    /// Hints at what of one run nobody is at.
    pub(crate) async fn dispatch_run(&self, database: &str, id: &str) -> Result<usize, Error> {
        let id = id.to_owned();
        let detail = self
            .databases
            .on(database, move |site| site.detail(&id))
            .await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let span = now.unwrap_or_default().as_secs() / AGAIN.as_secs();
        let mut sent = 0;
        for (hint, key) in hints(database, &detail) {
            if !self.is_new(span, &key) {
                continue;
            }
            let task = TaskBuilder::new(hint).max_attempts(ATTEMPTS);
            let task = task.idempotency_key(format!("{key}/{span}"));
            if let Err(error) = self.queue.push(task.build()).await {
                self.forget(&key);
                return Err(error);
            }
            sent += 1;
        }
        Ok(sent)
    }

    /// Sends a hint that comes after a while.
    pub(crate) async fn later(&self, hint: Hint, after: Duration) -> Result<(), Error> {
        let task = TaskBuilder::new(hint).max_attempts(ATTEMPTS);
        // Queues count whole seconds, downwards.
        let task = match after {
            Duration::ZERO => task,
            after => task.run_after(after + Duration::from_secs(1)),
        };
        self.queue.push(task.build()).await
    }

    pub(crate) fn databases(&self) -> &Databases {
        &self.databases
    }

    fn is_new(&self, span: u64, key: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.span != span {
            told.span = span;
            told.keys.clear();
        }
        told.keys.insert(key.to_owned())
    }

    fn forget(&self, key: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.keys.remove(key);
    }
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher")
            .field("databases", &self.databases)
            .finish_non_exhaustive()
    }
}

/// What of a run workers may do and nobody is at, each with a key that is another one as soon as somebody
/// was at it, or a person changed the run.
fn hints(database: &str, detail: &MassDetail) -> Vec<(Hint, String)> {
    let id = &detail.status.id;
    let Some(run) = detail.status.run.as_ref() else {
        return Vec::new();
    };
    if !run.state.is_open_to_workers() {
        return Vec::new();
    }
    let hint = |shard| Hint {
        database: database.to_owned(),
        migration: id.clone(),
        run: run.run,
        shard,
        failed: 0,
    };
    let key = format!("{database}/{id}/{}/{}", run.run, run.revision);
    let open = detail
        .shards
        .iter()
        .filter(|shard| shard.state == ShardState::Open);
    let free: Vec<(Hint, String)> = open
        .clone()
        .filter(|shard| shard.leased_for.is_none_or(|left| left.is_zero()))
        .map(|shard| {
            let key = format!("{key}/{}/{}", shard.shard, shard.token);
            (hint(Some(shard.shard)), key)
        })
        .collect();
    // Its shards are to be laid out; or they are done, and who did the last did not come to end the run.
    if run.started_at.is_none() || open.count() == 0 {
        return vec![(hint(None), key)];
    }
    free
}
