//! The scheduler of mass migrations: its rules, and a model of a database with workers that die, sleep
//! and wake up late, under the same pure decisions that the engine takes.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, as it should"
)]

mod model;
mod rules;
mod up;
mod world;
