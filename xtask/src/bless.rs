//! `cargo xtask bless`: accept what the compiler and the snapshots say now.
//!
//! Snapshots in files only: insta rewrites inline ones through its own program (`cargo insta`), and they fail here.

use std::ffi::OsString;
use std::process::Command;

use crate::error::Error;
use crate::servers::{Durability, Servers};
use crate::{process, setup};

/// Rewrites the expected output of UI tests and snapshots; read the difference before you commit it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Arguments for `cargo test` instead of `--workspace --all-features`, for instance `-- -p migrate-macros`
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Reruns the tests so that they write what they would compare.
pub(crate) fn run(args: &Args) -> Result<(), Error> {
    setup::require_servers()?;
    let servers = Servers::start(Durability::Relaxed)?;
    let mut command = process::cargo();
    process::forget_databases(&mut command);
    process::forget_blessing(&mut command);
    command
        .env("TRYBUILD", "overwrite")
        .env("INSTA_UPDATE", "always");
    command.args(["test", "--no-fail-fast"]);
    if args.arguments.is_empty() {
        command.args(["--workspace", "--all-features"]);
    } else {
        command.args(&args.arguments);
    }
    servers.export(&mut command);
    process::run(&mut command)?;
    servers.stop()?;
    show_changes()
}

fn show_changes() -> Result<(), Error> {
    let mut command = Command::new("git");
    command.args([
        "-c",
        "safe.directory=*",
        "status",
        "--short",
        "--",
        "*.stderr",
        "*.snap",
    ]);
    command.current_dir(process::root());
    println!("\nWhat has changed; read it with `git diff`:");
    process::run(&mut command)
}
