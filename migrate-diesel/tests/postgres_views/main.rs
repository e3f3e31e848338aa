//! PostgreSQL's views: nothing that hangs on one is lost when it goes down and comes up again.
//!
//! Needs a server: `MIGRATE_TEST_POSTGRES_URL`, which `cargo xtask servers -- cargo test` sets.
#![forbid(unsafe_code)]
#![cfg(feature = "postgres")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests, from one end to the other"
)]

mod database;
mod declared;
mod dependence;
mod grants;
mod names;
mod properties;
mod sessions;
