//! The command line against a program in memory: every command, every exit code, what is shown.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, as it should"
)]

mod commands;
mod config;
mod databases;
mod fake;
mod mass;
mod new;
mod rehearsal;
mod rendering;
mod runs;
mod settling;
mod startup;
mod typist;
mod unlock;
mod views;
