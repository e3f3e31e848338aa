//! [`MassFacts`]: what `#[mass_migration]` states.

use std::time::Duration;

/// Units in a batch, where nothing else is said.
pub const DEFAULT_BATCH: u32 = 1_000;

/// Units that may be in quarantine, where nothing else is said.
pub const DEFAULT_MAX_FAILURES: u32 = 100;

/// The static facts of one mass migration, beside its descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MassFacts {
    /// What it goes over.
    pub kind: MassKind,
    /// Units in the first batch of a shard.
    pub batch: u32,
    /// How long a batch is to take: its size steers itself there. `None` for batches of one size.
    pub target: Option<Duration>,
    /// How long a worker waits between two batches.
    pub pause: Duration,
    /// How many shards there are at most; chosen by how many rows there are where `None`.
    pub shards: Option<u32>,
    /// How many units may be in quarantine before the run fails.
    pub max_failures: u32,
    /// What becomes of rows that come while it runs.
    pub added: Added,
}

/// What a mass migration goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MassKind {
    /// Ranges of keys of a table or of a query. A unit is a row.
    Keys {
        /// The table (perhaps with a schema), or a query in its place: what stands in `FROM`.
        source: KeySource,
        /// The key's columns, in order; empty for the table's primary key.
        key: &'static [&'static str],
        /// Whether the body gets ranges or rows.
        granularity: Granularity,
    },
    /// What an iterator with a cursor yields: a file, an API, another database. One shard.
    Items,
    /// The body keeps a cursor of its own. One shard.
    Custom,
    /// One step.
    Simple,
}

impl MassKind {
    /// Whether a unit that fails can be left out, to be settled later. Where not, its failure is the
    /// run's: only a body with a cursor of its own knows what comes after it.
    #[must_use]
    pub const fn has_units(self) -> bool {
        matches!(self, Self::Keys { .. } | Self::Items)
    }
}

/// Where keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A table's name, perhaps with a schema.
    Table(&'static str),
    /// A query that yields the key's columns under their names, each row once.
    Query(&'static str),
}

/// What the body of a mass migration over keys gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// A range of keys.
    Range,
    /// One row after the other.
    Row,
}

/// What becomes of rows that come while a run goes on.
///
/// In both cases a row counts as there when it was committed before the batch that covers its key was
/// cut, and a row whose key lies behind the cursor is never visited: what writes new rows has to write
/// them in the new form before the run starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Added {
    /// Rows with a key above the highest one are visited until the last shard meets the end.
    #[default]
    Follow,
    /// The highest key is fixed when the run starts.
    Ignore,
}
