//! `migrate-apalis`: a workspace of its own, because what it is built on needs a newer compiler and an older SQLite.

use std::process::Command;

use super::cargo;
use crate::error::Error;
use crate::process;
use crate::servers::Servers;

/// Where it lives.
const DIRECTORY: &str = "migrate-apalis";

/// Formatting, lints with each queue alone and with both, documentation, tests.
pub(super) fn run(servers: Option<&Servers>) -> Result<(), Error> {
    process::run(here().args(["fmt", "--check"]))?;
    // A queue is chosen here, the database that is migrated by who uses it: any one will do.
    for queue in ["postgres", "redis"] {
        let mut command = here();
        command.args(["clippy", "--no-default-features", "--features"]);
        command.arg(format!("{queue},migrate-diesel/postgres"));
        process::run(command.args(["--", "-D", "warnings"]))?;
    }
    process::run(here().args(["clippy", "--all-targets", "--", "-D", "warnings"]))?;
    let mut documentation = here();
    documentation.args(["doc", "--no-deps", "--features", "migrate-diesel/postgres"]);
    process::run(documentation.env("RUSTDOCFLAGS", "-D warnings"))?;
    // Its tests start the example, which is built with them.
    let mut tests = here();
    tests.args(["test", "--no-fail-fast"]);
    if let Some(servers) = servers {
        servers.export(&mut tests);
    }
    process::run(&mut tests)
}

fn here() -> Command {
    let mut command = cargo();
    command.current_dir(process::root().join(DIRECTORY));
    command.env("CARGO_TARGET_DIR", process::root().join("target/apalis"));
    command
}
