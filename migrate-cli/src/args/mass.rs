//! What was typed after `mass`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::{duration, steps};

/// Data migrations over so many rows that they run beside the deploys.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct MassArgs {
    #[command(subcommand)]
    pub(crate) command: TypedMass,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TypedMass {
    /// Every mass migration: its state, how far it is, and what it waits for
    List(ListArgs),
    /// How far a run is, its shards, its settings [default: all of them]
    Status(StatusArgs),
    /// Work in this process until these are applied: starts, or goes on where a run stopped
    ///
    /// A run that died goes on at the last committed batch: no row is lost, none is done twice. Ctrl-C
    /// finishes or rolls back the batch and leaves the rest for later. Without ID: all whose
    /// requirements are applied.
    Run(RunArgs),
    /// Be a worker: serve what is enqueued, on as many hosts as you like
    ///
    /// Ends with Ctrl-C or SIGTERM; with --once, when nothing is left to do.
    Work(WorkArgs),
    /// No new batch; workers stop within one batch
    Pause(OrderArgs),
    /// Go on with what is paused
    Resume(OrderArgs),
    /// Stop for good; what is done stays done, and `retry` would go on from there
    Cancel(OrderArgs),
    /// Go on after a failure or a cancellation, and try again what is in quarantine
    Retry(OrderArgs),
    /// Units that failed, each with its error; --skip settles one without running it
    Failures(FailuresArgs),
    /// Change batch size and pace, also while it runs: takes effect within one batch
    Set(SetArgs),
}

/// `up --mass ..`
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TypedInUp {
    /// Start them, for workers; what requires one waits for a later `up`
    Enqueue,
    /// Run what is left of them here, in their place in the order
    Inline,
    /// Leave them alone
    Leave,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Exit 3 when one of them is not applied
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Only this one (`package:name`, or `name` where it is unambiguous)
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Exit 3 when one of them is not applied
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// These (`package:name`, or `name` where it is unambiguous)
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// A parameter of the migration; its value is JSON, or text as it is
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = parameter, requires = "ids")]
    pub(crate) parameters: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) pace: PaceArgs,
    /// Only start it: workers (`mass work`) do the rest
    #[arg(long, conflicts_with_all = ["workers", "lease"])]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) workers: WorkersArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// End when nothing is left to do
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) workers: WorkersArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WorkersArgs {
    /// Threads, each with a connection of its own
    #[arg(long, value_name = "N", default_value = "1", value_parser = steps, allow_negative_numbers = true)]
    pub(crate) workers: usize,
    /// How long after a worker's death another one takes its shard over
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = lease)]
    pub(crate) lease: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct OrderArgs {
    /// Which (`package:name`, or `name` where it is unambiguous)
    pub(crate) id: String,
    /// Why; goes to the log
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FailuresArgs {
    /// Which (`package:name`, or `name` where it is unambiguous)
    pub(crate) id: String,
    /// How many of the newest
    #[arg(long, short = 'n', value_name = "N", default_value = "50", value_parser = steps, allow_negative_numbers = true)]
    pub(crate) limit: usize,
    /// The unit with this key needs nothing
    #[arg(
        long,
        value_name = "KEY",
        requires = "reason",
        conflicts_with = "skip_all"
    )]
    pub(crate) skip: Option<String>,
    /// Nothing that is in quarantine now needs anything
    #[arg(long, requires = "reason")]
    pub(crate) skip_all: bool,
    /// Why; goes to the log
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Which (`package:name`, or `name` where it is unambiguous)
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) pace: PaceArgs,
    /// Why; goes to the log
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: Option<String>,
}

/// What of a run may be changed.
#[derive(Debug, Default, Args)]
pub(crate) struct PaceArgs {
    /// Units in a batch
    #[arg(long, value_name = "N", value_parser = units)]
    pub(crate) batch: Option<u32>,
    /// How long a batch is to take, its size steering itself there; `off` for batches of one size
    #[arg(long, value_name = "DURATION", value_parser = target)]
    pub(crate) target: Option<Switch>,
    /// How long a worker waits between two batches
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) pause: Option<Duration>,
    /// How many units may be in quarantine before the run fails
    #[arg(long, value_name = "N")]
    pub(crate) max_failures: Option<u32>,
}

/// A duration, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    Off,
    After(Duration),
}

fn target(text: &str) -> Result<Switch, String> {
    match text.trim() {
        "off" => Ok(Switch::Off),
        text => match duration(text)? {
            Duration::ZERO => Err("it has to be more than nothing, or `off`".to_owned()),
            after => Ok(Switch::After(after)),
        },
    }
}

fn lease(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        short if short < Duration::from_secs(1) => Err("it has to be at least 1s".to_owned()),
        lease => Ok(lease),
    }
}

fn units(text: &str) -> Result<u32, String> {
    match text.replace('_', "").parse() {
        Ok(0) | Err(_) => Err("it has to be a whole number, at least 1".to_owned()),
        Ok(units) => Ok(units),
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
