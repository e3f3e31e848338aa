//! The harness of the integration tests: scratch databases, the suite of cases that every backend
//! has to pass, child processes to kill, a proxy that cuts connections.
//!
//! Tests need the servers of `cargo xtask servers`; one that is missing is a failure.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, from one end to the other"
)]

pub mod cases;
pub mod child;
pub mod commander;
pub mod database;
pub mod deploy;
mod mass;
pub mod program;
pub mod proxy;
pub mod run;
mod suite;
pub mod views;
