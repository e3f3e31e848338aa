//! Mass migrations: data migrations over so many rows that they take minutes or days.
//!
//! - [`MassFacts`] are the static facts of one, beside its [`Descriptor`](crate::Descriptor): it is a
//!   node of the same graph as every other migration.
//! - A **run** works it off. It is cut into **shards**, ranges of keys; a shard is worked on in
//!   **batches**, one transaction each, that move its **cursor**. See [`MassRun`] and [`Shard`].
//! - A worker holds a shard by a **lease** with a **token**. Whoever takes a shard over, takes a new
//!   token, and what an older one still does is rolled back.
//! - A unit that fails alone goes to **quarantine**, and the rest goes on.
//! - [`MassState`] says where a run stands, [`schedule`] what a worker does next, [`pace`] how large the
//!   next batch is, [`progress`] how long it will take. All of them are pure: the database is the only
//!   memory.
//!
//! A mass migration counts as applied when its history row says so, and that row is written in the
//! transaction that ends its run: when all shards are done and nothing is left in quarantine.

mod facts;
pub mod frontend;
pub mod pace;
pub mod progress;
mod run;
pub mod schedule;
mod state;
mod values;

pub use facts::{
    Added, DEFAULT_BATCH, DEFAULT_MAX_FAILURES, Granularity, KeySource, MassFacts, MassKind,
};
pub use run::{Live, MassRun, QuarantineState, Quarantined, Shard, ShardState};
pub use state::{MassState, ParseMassStateError, Transition, legal};
pub use values::{check_batch, check_column, check_shards, check_source, check_table};
