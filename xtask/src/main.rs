//! The project's chores: `cargo xtask setup | test | check | bless | servers`. CI calls only these.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

mod bench;
mod bless;
mod check;
mod error;
mod interrupt;
mod process;
mod servers;
mod setup;
mod test;

use std::error::Error as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;

/// The project's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

// A new chore is a module with `pub(crate) struct Args` (`clap::Args`) and `pub(crate) fn run(&Args)`, and one line
// in each of the two places below.
#[derive(Debug, Subcommand)]
enum Chore {
    /// Install the system packages that building and testing need (Debian, as root; otherwise name them)
    Setup,
    /// Set up, then check and test everything, as CI does
    Test(test::Args),
    /// Check the house rules that no compiler knows
    Check,
    /// Accept what UI tests and snapshots say now
    Bless(bless::Args),
    /// Measure: runs beside other migration tools
    Bench(bench::Args),
    /// Start PostgreSQL, MariaDB and Redis, and print their URLs or run one command with them
    Servers(servers::Args),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match interrupt::listen().and_then(|()| run(&arguments.chore)) {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(chore: &Chore) -> Result<ExitCode, Error> {
    match chore {
        Chore::Setup => setup::run().map(|()| ExitCode::SUCCESS),
        Chore::Test(args) => test::run(args).map(|()| ExitCode::SUCCESS),
        Chore::Check => check::run().map(|()| ExitCode::SUCCESS),
        Chore::Bless(args) => bless::run(args).map(|()| ExitCode::SUCCESS),
        Chore::Bench(args) => bench::run(args),
        Chore::Servers(args) => servers::run(args),
    }
}

fn report(error: &Error) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because {error}");
        cause = error.source();
    }
    if let Some(next) = error.next_step() {
        eprintln!("next step: {next}");
    }
}
