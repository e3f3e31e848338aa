//! Workers: they claim shards, work on them batch by batch, and end runs.
//!
//! | file | |
//! |---|---|
//! | `worker.rs` | what a worker does next, and the end of its work |
//! | `layout.rs` | a run's shards |
//! | `shard.rs` | one shard, from the claim until it is done or lost |
//! | `holding.rs` | rests, what passes by itself, giving a shard back |
//! | `batch.rs` | one batch: body, cursor and counters in one transaction |
//! | `failure.rs` | what fails: smaller batches, quarantine, a run that cannot go on |
//! | `again.rs` | what is in quarantine, tried again |
//! | `ending.rs` | the end of a run |
//! | `pulse.rs` | leases are extended, progress is told |
//! | `line.rs`, `patience.rs` | a worker's connection; what passes by itself |
//!
//! What to do is decided by [`migrate_core::mass::schedule`]; that it is still right is decided by the
//! database, in the statement that does it. A worker that dies at any moment leaves a lease that ends, and
//! a cursor that says what is done.

mod again;
mod batch;
mod ending;
mod failure;
mod holding;
mod layout;
mod line;
mod patience;
mod pulse;
mod shard;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
mod worker;

use std::{
    num::NonZeroUsize,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use migrate_core::{
    Interrupt, Settings, Standing,
    mass::{
        MassState,
        frontend::{MassEvent, Stay},
    },
};

use self::{line::Line, worker::Worker};
use super::{
    Mass, desk,
    store::{self, Held, Which},
};
use crate::{
    backend::{Driver, SessionState},
    carried::Resolved,
    error::Error,
    history::{Sight, Store},
    migration::Migration,
    runner,
};

/// Makes a connection of its own for a worker.
pub(crate) type Connect<'c> = dyn Fn() -> Result<Box<dyn Driver + Send>, Error> + Sync + 'c;

/// What is to be worked on, and how. The history's tables are there.
pub(crate) struct Work<'w> {
    pub(crate) store: &'w Store,
    pub(crate) resolved: &'w Resolved,
    pub(crate) migrations: &'w [&'static Migration],
    pub(crate) settings: &'w Settings,
    /// Numbers of runs; with `None`, whatever is enqueued.
    pub(crate) runs: Option<&'w [i64]>,
    pub(crate) workers: usize,
    pub(crate) stay: Stay,
    pub(crate) lease: Duration,
}

/// How the work on one shard ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShardEnd {
    /// All of it is done.
    Done,
    /// Somebody else holds it, for so long at least.
    Held(Duration),
    /// Its run is not to be worked on (any more).
    Closed(MassState),
    /// A throttle signal holds its run back, for so long at least.
    Throttled(Duration),
    /// It was asked to end.
    Interrupted,
    /// There is no such run or shard, or this program does not carry its migration.
    Unknown,
}

/// Works with connections of its own, one for each worker and one for the heartbeat, until there is nothing
/// to do any more or `interrupt` is requested. A run that fails is no error.
///
/// # Errors
/// Why it could not go on. What was done is done, what was held is given back.
pub(crate) fn work(
    work: &Work<'_>,
    connect: &Connect<'_>,
    interrupt: &Interrupt,
    on_event: &mut (dyn FnMut(MassEvent) + Send),
) -> Result<(), Error> {
    let shared = Shared::new(work, Some(connect), interrupt, on_event);
    let workers = NonZeroUsize::new(work.workers).map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        let heartbeat = scope.spawn(|| pulse::beat(&shared, connect));
        let _over = Over(&shared, heartbeat.thread().clone());
        let workers: Vec<_> = (1..=workers)
            .map(|number| {
                let shared = &shared;
                scope.spawn(move || {
                    let line = Line::open(connect, work.store)?;
                    Worker::new(shared, line, number)?.run()
                })
            })
            .collect();
        let mut result = Ok(());
        for worker in workers {
            match worker.join() {
                Ok(ended) => result = result.and(ended),
                // Bodies are caught where they are called: only an observer panics.
                Err(payload) => std::panic::resume_unwind(payload),
            }
        }
        result
    })
}

/// As [`work`], on one connection that somebody lends: without heartbeat, so that a batch has to be
/// shorter than the lease, or somebody else may do it instead. `session` is what they remember of it.
///
/// # Errors
/// As [`work`].
pub(crate) fn work_on(
    work: &Work<'_>,
    driver: &mut dyn Driver,
    session: Option<&SessionState>,
    interrupt: &Interrupt,
    on_event: &mut (dyn FnMut(MassEvent) + Send),
) -> Result<(), Error> {
    let shared = Shared::new(work, None, interrupt, on_event);
    let line = Line::lent(driver, session, work.store)?;
    Worker::new(&shared, line, 1)?.run()
}

/// Claims one shard, and works on it until it is done or not ours any more. Lays the run out before, and
/// ends it after that, where it is time.
///
/// # Errors
/// As [`work`].
pub(crate) fn work_shard(
    work: &Work<'_>,
    connect: &Connect<'_>,
    (run, shard): (i64, u32),
    interrupt: &Interrupt,
    on_event: &mut (dyn FnMut(MassEvent) + Send),
) -> Result<ShardEnd, Error> {
    let shared = Shared::new(work, Some(connect), interrupt, on_event);
    thread::scope(|scope| {
        let heartbeat = scope.spawn(|| pulse::beat(&shared, connect));
        let _over = Over(&shared, heartbeat.thread().clone());
        let line = Line::open(connect, work.store)?;
        Worker::new(&shared, line, 1)?.only(run, shard)
    })
}

/// Ends a run that a person has left nothing to do in: its last unit in quarantine was skipped.
///
/// # Errors
/// The database's.
pub(crate) fn settle(
    work: &Work<'_>,
    driver: &mut dyn Driver,
    run: i64,
    interrupt: &Interrupt,
    on_event: &mut (dyn FnMut(MassEvent) + Send),
) -> Result<(), Error> {
    let shared = Shared::new(work, None, interrupt, on_event);
    let line = Line::lent(driver, None, work.store)?;
    Worker::new(&shared, line, 1)?.settle(run)
}

/// A mass migration that this program carries.
#[derive(Clone, Copy)]
struct Carried {
    /// Its place in the graph.
    at: usize,
    migration: &'static Migration,
    mass: &'static Mass,
}

impl Carried {
    /// Whether a run belongs to it, perhaps under a former id.
    fn is(&self, id: &str) -> bool {
        let descriptor = &self.migration.descriptor;
        id == descriptor.id.to_string()
            || descriptor
                .was
                .iter()
                .any(|was| id == *was || id == format!("{}:{was}", descriptor.id.package()))
    }
}

/// What the workers of one process share.
struct Shared<'w> {
    work: &'w Work<'w>,
    connect: Option<&'w Connect<'w>>,
    interrupt: &'w Interrupt,
    on_event: Mutex<&'w mut (dyn FnMut(MassEvent) + Send)>,
    carried: Vec<Carried>,
    /// Shards that a worker of this process holds.
    held: Mutex<Vec<Held>>,
    /// One writer at a time, where the database has no more: whoever waits in this process waits here, and
    /// not in a loop of naps.
    turn: Option<Mutex<()>>,
    /// Asks the threads to end that are not asked by `interrupt`.
    over: AtomicBool,
    /// When progress was told last, where no heartbeat tells it.
    told: Mutex<Instant>,
}

/// Ends the heartbeat, on every path, and at once.
struct Over<'o, 'w>(&'o Shared<'w>, thread::Thread);

impl Drop for Over<'_, '_> {
    fn drop(&mut self) {
        self.0.over.store(true, Relaxed);
        self.1.unpark();
    }
}

impl<'w> Shared<'w> {
    fn new(
        work: &'w Work<'w>,
        connect: Option<&'w Connect<'w>>,
        interrupt: &'w Interrupt,
        on_event: &'w mut (dyn FnMut(MassEvent) + Send),
    ) -> Self {
        let graph = &work.resolved.graph;
        let carried = graph.iter().enumerate().filter_map(|(at, descriptor)| {
            let migration = work
                .migrations
                .iter()
                .copied()
                .find(|it| std::ptr::eq(&raw const it.descriptor, descriptor))?;
            let mass = migration.mass?;
            Some(Carried {
                at,
                migration,
                mass,
            })
        });
        Self {
            work,
            connect,
            interrupt,
            on_event: Mutex::new(on_event),
            carried: carried.collect(),
            held: Mutex::default(),
            turn: (work.store.dialect.name == "sqlite").then(Mutex::default),
            over: AtomicBool::new(false),
            told: Mutex::new(Instant::now()),
        }
    }

    fn is_over(&self) -> bool {
        self.interrupt.requested() || self.over.load(Relaxed)
    }

    fn tell(&self, event: MassEvent) {
        (lock(&self.on_event))(event);
    }

    fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        self.turn.as_ref().map(lock)
    }

    /// Tells how far the runs are that this process works on.
    fn tell_progress(&self, driver: &mut dyn Driver) -> diesel::QueryResult<()> {
        let mut runs: Vec<i64> = lock(&self.held).iter().map(|held| held.run).collect();
        runs.sort_unstable();
        runs.dedup();
        for seen in store::runs(self.work.store, driver, Which::Numbered(&runs))? {
            let batch = seen.shards.iter().filter_map(|shard| shard.batch).max();
            self.tell(MassEvent::Progress {
                progress: desk::progress(&seen),
                batch: batch.unwrap_or(seen.run.live.batch),
                id: seen.run.id,
            });
        }
        Ok(())
    }

    /// What is applied, by place in the graph.
    fn applied(&self, driver: &mut dyn Driver) -> Result<Vec<bool>, Error> {
        let graph = &self.work.resolved.graph;
        let read = self.work.store.read(driver, Sight::Live)?;
        let standing = Standing::new(graph, &read.history);
        Ok(runner::applied(&standing, graph.iter().count()))
    }
}

/// Nothing that is guarded is left half done by a panic.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
