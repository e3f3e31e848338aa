//! What was typed to settle history without running anything: `mark`, `baseline`, `accept`.

use std::time::Duration;

use clap::Args;

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
