//! [`MassOperations`]: what a front end may do with the mass migrations of one database.

use std::{collections::BTreeMap, time::Duration};

use super::{MassRun, MassState, Quarantined, Shard};
use crate::{error::Failure, interrupt::Interrupt, report::Problem};

/// The mass migrations of one open database.
pub trait MassOperations {
    /// All that belong to this database, in the order of the graph. Does not write.
    ///
    /// # Errors
    /// When the database or its history cannot be read.
    fn list(&mut self) -> Result<Vec<MassStatus>, Failure>;

    /// One of them, with its shards. Does not write.
    ///
    /// # Errors
    /// As `list`; an unknown or ambiguous id.
    fn status(&mut self, id: &str) -> Result<MassDetail, Failure>;

    /// Starts a run, without working on it. What is enqueued or at work already stays as it is.
    ///
    /// # Errors
    /// As `status`; parameters that do not fit; something required is not applied; it is applied.
    fn enqueue(&mut self, request: &StartRequest) -> Result<MassStatus, Failure>;

    /// Works in this process, until there is nothing to do for it any more or `interrupt` is requested.
    /// With `ids`, starts what is not enqueued (and what was interrupted), and leaves everything else alone; without,
    /// serves what is enqueued.
    fn work(
        &mut self,
        request: &WorkRequest,
        interrupt: &Interrupt,
        on_event: &mut (dyn FnMut(MassEvent) + Send),
    ) -> WorkReport;

    /// Changes a run, and logs who and why. Returns its status after that.
    ///
    /// # Errors
    /// As `status`; what is asked for is not legal in the state it is in.
    fn control(
        &mut self,
        id: &str,
        order: &Order,
        reason: Option<&str>,
    ) -> Result<MassStatus, Failure>;

    /// What is or was in quarantine, the newest `limit`, oldest first.
    ///
    /// # Errors
    /// As `status`.
    fn failures(&mut self, id: &str, limit: usize) -> Result<Vec<Quarantined>, Failure>;
}

/// One mass migration and where it stands.
#[derive(Clone, Debug)]
pub struct MassStatus {
    /// `package:name`.
    pub id: String,
    /// The doc comment.
    pub description: String,
    /// What it goes over, in words: `users by id`, `rows of a query by id`, `items`, `one step`.
    pub over: String,
    /// Where it stands, leases considered. `Succeeded` exactly where the history says `applied`.
    pub state: MassState,
    /// Why, where there is more to say: what it waits for, what throttles it, why it failed.
    pub reason: Option<String>,
    /// The last run, if there was one. Its `parameters` are masked here.
    pub run: Option<MassRun>,
    /// Of the last run.
    pub progress: Progress,
    /// Its code is not that of its run any more, it is not carried, ..
    pub problems: Vec<Problem>,
    /// Where its function is.
    pub location: crate::Location,
    /// Ids that it requires and that are not applied.
    pub waits_for: Vec<String>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Units covered.
    pub units: u64,
    /// Units there were at the start, where that was counted.
    pub total: Option<u64>,
    /// Rows that bodies said they changed.
    pub rows: u64,
    /// Batches committed.
    pub batches: u64,
    /// Units in quarantine that are to be settled.
    pub failures: u64,
    /// Shards done, and all.
    pub shards: (u32, u32),
    /// Shards that somebody holds at the moment.
    pub workers: u32,
    /// Units per second, of late.
    pub rate: Option<f64>,
    /// Until all units are covered, at that rate.
    pub eta: Option<Duration>,
}

/// One mass migration with everything known about it.
#[derive(Clone, Debug)]
pub struct MassDetail {
    /// The summary.
    pub status: MassStatus,
    /// Of the last run.
    pub shards: Vec<Shard>,
}

/// A run to start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartRequest {
    /// `package:name`, or a name where it is unambiguous.
    pub id: String,
    /// Parameters by name: JSON, or text that is taken as it is.
    pub parameters: BTreeMap<String, String>,
    /// Instead of what the declaration says.
    pub set: Vec<Setting>,
}

/// Who works, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkRequest {
    /// What to run to its end; with none, whatever is enqueued.
    pub runs: Vec<StartRequest>,
    /// Threads, each with a connection of its own.
    pub workers: usize,
    /// Whether to stay when there is nothing to do (only without `runs`).
    pub stay: Stay,
    /// How long a lease lasts without heartbeat.
    pub lease: Duration,
}

/// Whether a worker stays when there is nothing to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stay {
    /// Ends.
    #[default]
    UntilIdle,
    /// Asks again, until it is interrupted.
    Forever,
}

impl Default for WorkRequest {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            workers: 1,
            stay: Stay::UntilIdle,
            lease: Duration::from_secs(15),
        }
    }
}

/// How working ended.
#[derive(Clone, Debug, Default)]
pub struct WorkReport {
    /// Those that were worked on, as they were left.
    pub runs: Vec<MassStatus>,
    /// Why it could not go on; a run that failed is no such reason.
    pub failure: Option<Failure>,
}

/// A change that a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// No new batch.
    Pause,
    /// Go on.
    Resume,
    /// No new batch, for good (`Retry` goes on from there all the same).
    Cancel,
    /// Go on after a failure or a cancellation; what is in quarantine is tried again.
    Retry,
    /// This unit in quarantine needs nothing. Takes a reason.
    Skip(SkipTarget),
    /// Other values of what may be changed.
    Set(Vec<Setting>),
}

/// What to skip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipTarget {
    /// A key, as JSON or as text.
    Key(String),
    /// Everything that is in quarantine now.
    All,
}

/// A value of what may be changed while a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Units in a batch.
    Batch(u32),
    /// How long a batch is to take; `None` for batches of one size.
    Target(Option<Duration>),
    /// Between two batches of a worker.
    Pause(Duration),
    /// How many units may be in quarantine before the run fails.
    MaxFailures(u32),
}

/// What happens while workers work.
#[derive(Clone, Debug)]
pub enum MassEvent {
    /// A run changed its state.
    State {
        /// `package:name`.
        id: String,
        /// Now.
        state: MassState,
        /// Why.
        reason: Option<String>,
    },
    /// A run got further; told about twice a second, not for each batch.
    Progress {
        /// `package:name`.
        id: String,
        /// How far it is.
        progress: Progress,
        /// Units in a batch at the moment.
        batch: u32,
    },
    /// A unit went to quarantine.
    Quarantined {
        /// `package:name`.
        id: String,
        /// Its key, as JSON.
        key: String,
        /// Why.
        error: String,
    },
    /// A shard was taken over from a worker that is gone.
    TakenOver {
        /// `package:name`.
        id: String,
        /// Which.
        shard: u32,
        /// Who had it.
        from: String,
    },
    /// A worker lost its connection and makes a new one.
    Reconnecting {
        /// Why.
        error: String,
    },
}
