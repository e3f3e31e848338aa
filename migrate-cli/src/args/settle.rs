//! What was typed to settle history without running anything: `mark`, `baseline`, `accept`, `adopt`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::duration;

#[derive(Debug, Args)]
pub(crate) struct MarkArgs {
    /// These (`package:name`, or `name` where it is unambiguous); what they require has to be applied
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
    /// As applied; it has to be said
    #[arg(long, required = true)]
    pub(crate) applied: bool,
    #[command(flatten)]
    pub(crate) rest: AskedArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    /// Only these and what they require, also beside what is recorded already [default: all, of a database without history]
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) rest: AskedArgs,
}

/// Of commands that ask before they write.
#[derive(Debug, Args)]
pub(crate) struct AskedArgs {
    /// For how long to wait for the deploy lock: 60s, 2m, 500ms [default: lock_wait, or 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AcceptArgs {
    /// Those that `check` calls changed
    #[arg(value_name = "ID", required = true)]
    pub(crate) ids: Vec<String>,
    /// Why the change does no harm; goes to the log
    #[arg(long, value_name = "WHY")]
    pub(crate) reason: String,
    /// For how long to wait for the deploy lock: 60s, 2m, 500ms [default: lock_wait, or 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    /// Whose history it is
    #[arg(value_name = "TOOL")]
    pub(crate) tool: TypedTool,
    /// TOML that says which of ours each of theirs is: "theirs" = "crate:ours", or "skip"
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// Directory of their migrations, for names of what they record by number alone (diesel)
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) dir: Option<PathBuf>,
    /// Their table, where it is not called as the tool calls it
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// Only show what would be recorded
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) rest: AskedArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TypedTool {
    Edwh,
    Flux,
    Diesel,
    Refinery,
    Sqlx,
    SeaOrm,
}
