//! [`Handler`]: what is done about a hint.

use std::{
    fmt,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use apalis_core::{
    error::{AbortError, BoxDynError},
    task::Task,
    worker::context::WorkerContext,
};
use migrate_diesel::{core::Interrupt, mass::ShardEnd};
use tower::Service;

use crate::{
    dispatch::{Dispatcher, Sent},
    error::Error,
    hint::Hint,
    options::Options,
};

/// How often it is looked whether the worker is to end.
const LOOK: Duration = Duration::from_millis(100);

/// The number of no shard: who asks for it lays the run out, or ends it, and that is all.
const NONE: u32 = u32::MAX;

/// Follows hints: claims from the tables of the migrated database what a hint points at, if it is still to
/// be had, and works on it. The queue learns how that went as the result of the job.
#[derive(Clone)]
pub struct Handler {
    dispatcher: Dispatcher,
    options: Options,
}

impl Handler {
    pub(crate) fn new(dispatcher: Dispatcher, options: Options) -> Self {
        Self {
            dispatcher,
            options,
        }
    }

    /// What there was to do. The hint is used up then: where there is more to do, another one was sent
    /// before.
    async fn follow(
        &self,
        hint: Hint,
        worker: Option<WorkerContext>,
    ) -> Result<String, BoxDynError> {
        match self.work(&hint, worker).await {
            Ok(end) => Ok(self.after(hint, end).await?),
            Err(error) => Err(self.failed(hint, error).await),
        }
    }

    async fn work(&self, hint: &Hint, worker: Option<WorkerContext>) -> Result<ShardEnd, Error> {
        let (run, shard) = (hint.run, hint.shard.unwrap_or(NONE));
        let request = self.options.request();
        let interrupt = Interrupt::new();
        // The thread goes on when nobody waits for it any more: then it ends within a batch.
        let _over = OnDrop(interrupt.clone());
        let asked = interrupt.clone();
        let work =
            move |site: &dyn crate::databases::Site| site.work((run, shard), &request, &asked);
        let mut work = pin!(self.dispatcher.databases().on(&hint.database, work));
        loop {
            if let Ok(ended) = tokio::time::timeout(LOOK, &mut work).await {
                return ended;
            }
            if worker.as_ref().is_some_and(WorkerContext::is_shutting_down) {
                interrupt.request();
            }
        }
    }

    async fn after(&self, hint: Hint, end: ShardEnd) -> Result<String, Error> {
        let told = hint.to_string();
        let again = Hint {
            failed: 0,
            ..hint.clone()
        };
        Ok(match end {
            ShardEnd::Done => format!("{told}: done"),
            ShardEnd::Held(left) => {
                // Perhaps by somebody who is dead: what a live one holds is done when this comes.
                self.dispatcher.later(again, left).await?;
                format!("{told}: held by another worker")
            }
            ShardEnd::Throttled(left) => {
                self.dispatcher.later(again, left).await?;
                format!("{told}: throttled")
            }
            ShardEnd::Interrupted => {
                self.dispatcher.later(again, Duration::ZERO).await?;
                format!("{told}: given back")
            }
            ShardEnd::Closed(state) => format!("{told}: the run is {state}"),
            ShardEnd::Unknown => {
                // Also where this program does not carry the migration, which is an error here.
                let sent = self
                    .dispatcher
                    .dispatch_run(&hint.database, &hint.migration)
                    .await;
                match (hint.shard, sent) {
                    // It is paused, or over: or others were sent already.
                    (None, Ok(0)) => format!("{told}: nothing to do"),
                    (None, Ok(sent)) => format!("{told}: {sent} shards"),
                    (Some(_), Ok(_)) => format!("{told}: there is none (any more)"),
                    (_, Err(error)) => {
                        self.dispatcher.later(again, wait(0)).await?;
                        return Err(error);
                    }
                }
            }
        })
    }

    /// Something else than a row: a row goes to quarantine. apalis would give a failed job to the next
    /// worker at once, again and again (PostgreSQL), or give it up after 25 times (Redis): so this one ends,
    /// with its error to be seen, and a successor comes after a while.
    async fn failed(&self, hint: Hint, error: Error) -> BoxDynError {
        let told = chain(&error);
        tracing::warn!(error = told, "could not go on with {hint}");
        let after = wait(hint.failed);
        let successor = Hint {
            failed: hint.failed.saturating_add(1),
            ..hint
        };
        match self.dispatcher.later(successor, after).await {
            Ok(()) => AbortError::new(told).into(),
            // The queue is away: it has to keep this one.
            Err(error) => error.into(),
        }
    }
}

/// Twice as long each time: a second at first, a minute at last.
fn wait(failed: u32) -> Duration {
    Duration::from_secs(1 << failed.min(6)).min(Duration::from_secs(60))
}

/// An error with its causes: a queue keeps one line of text.
fn chain(error: &Error) -> String {
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

struct OnDrop(Interrupt);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.request();
    }
}

impl Service<Task<Hint>> for Handler {
    type Response = String;
    type Error = BoxDynError;
    type Future = Sent<Result<String, BoxDynError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<Hint>) -> Self::Future {
        let worker = task.data().get::<WorkerContext>().cloned();
        let handler = Arc::new(self.clone());
        Box::pin(async move { handler.follow(task.args, worker).await })
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler")
            .field("dispatcher", &self.dispatcher)
            .field("options", &self.options)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time() {
        let seconds: Vec<u64> = (0..8).map(|failed| wait(failed).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(wait(u32::MAX).as_secs(), 60);
    }
}
