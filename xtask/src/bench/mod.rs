//! `cargo xtask bench`: measurements. Each prints what it saw; none of them is a test that time could fail.

mod compile;
mod mass;
mod peers;
mod run;
mod summary;
mod table;
mod views;

use std::process::ExitCode;

use clap::Subcommand;

use crate::error::Error;

/// What can be measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    measurement: Measurement,
}

#[derive(Debug, Subcommand)]
enum Measurement {
    /// What the attribute costs rustc, beside the same functions without it
    Compile(compile::Args),
    /// Rows per second and memory of a mass migration, beside a loop by hand and one single UPDATE
    Mass(mass::Args),
    /// Round trips, time and memory of a run, beside other migration tools and a hand-written floor
    Run(run::Args),
    /// Time of a guard around views, beside the same drops and creations written by hand
    Views(views::Args),
}

/// Runs the subcommand.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    match &args.measurement {
        Measurement::Compile(args) => compile::run(args).map(|()| ExitCode::SUCCESS),
        Measurement::Mass(args) => mass::run(args).map(|()| ExitCode::SUCCESS),
        Measurement::Run(args) => run::run(args).map(|()| ExitCode::SUCCESS),
        Measurement::Views(args) => views::run(args).map(|()| ExitCode::SUCCESS),
    }
}
