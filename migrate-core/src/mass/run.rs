//! [`MassRun`], [`Shard`], [`Quarantined`]: the rows that a database keeps of a run, as plain data.

use std::time::Duration;

use super::state::MassState;

/// One run of a mass migration.
#[derive(Clone, Debug, PartialEq)]
pub struct MassRun {
    /// Its number in this database.
    pub run: i64,
    /// `package:name`.
    pub id: String,
    /// As stored; see [`schedule::effective`](super::schedule::effective) for what it means once leases
    /// have ended.
    pub state: MassState,
    /// Why it is in this state, where there is more to say.
    pub reason: Option<String>,
    /// Counts what a person or a worker changes in this row: a worker that knows this revision knows all.
    pub revision: i64,
    /// What may be changed while it runs.
    pub live: Live,
    /// The parameters, as JSON; masked ones included, so never to be shown as they are.
    pub parameters: Option<String>,
    /// How many units there were when the shards were laid out, where that was counted.
    pub total: Option<u64>,
    /// Of the code that started it.
    pub fingerprint: String,
    /// When it was enqueued: RFC 3339, UTC.
    pub created_at: String,
    /// When its shards were laid out.
    pub started_at: Option<String>,
    /// When it came to its end.
    pub ended_at: Option<String>,
    /// For how long a throttle signal still holds it back, by the database's clock.
    pub throttled_for: Option<Duration>,
    /// Who started it.
    pub by: String,
}

/// What of a run may be changed while it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Units in a batch: of the first one where there is a target, of all of them where not.
    pub batch: u32,
    /// How long a batch is to take.
    pub target: Option<Duration>,
    /// How long every worker waits between two batches.
    pub pause: Duration,
    /// How many units may be in quarantine before the run fails.
    pub max_failures: u32,
}

/// A part of a run: a range of keys, or all there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Shard {
    /// Counted from 1; 0 is the work on what is in quarantine.
    pub shard: u32,
    /// Exclusive lower bound, as JSON; `None` for none.
    pub after: Option<String>,
    /// Inclusive upper bound, as JSON; `None` for none.
    pub through: Option<String>,
    /// What is done ends here, inclusive, as JSON; `None` before the first batch.
    pub cursor: Option<String>,
    /// Whether there may be more to do.
    pub state: ShardState,
    /// Units that batches covered.
    pub units: u64,
    /// Rows that bodies said they changed.
    pub rows: u64,
    /// Batches committed.
    pub batches: u64,
    /// Counts owners: only who knows the present one may write.
    pub token: i64,
    /// Who had it last.
    pub owner: Option<String>,
    /// For how long the lease still holds, by the database's clock; `None` when nobody has it.
    pub leased_for: Option<Duration>,
    /// The size that steered itself, for the next batch.
    pub batch: Option<u32>,
    /// Units per second of late, as its owner saw it with each batch: the rate of a run is the sum over the
    /// shards that somebody holds.
    pub rate: Option<f64>,
}

/// Whether there may be more to do in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardState {
    /// There may be.
    Open,
    /// There is not.
    Done,
}

/// A unit that failed alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its number.
    pub sequence: i64,
    /// The shard that it was met in.
    pub shard: u32,
    /// Its key (or the cursor of an item), as JSON.
    pub key: String,
    /// Where it stands.
    pub state: QuarantineState,
    /// What the last attempt said.
    pub error: String,
    /// How often it was tried alone.
    pub attempts: u32,
    /// When it was tried last: RFC 3339, UTC.
    pub at: String,
    /// Who skipped it, and why.
    pub reason: Option<String>,
}

/// Where a unit in quarantine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuarantineState {
    /// To be settled.
    Open,
    /// Tried again, with success.
    Resolved,
    /// A person said that it needs nothing.
    Skipped,
}
