//! The programs of `benches/peers`, which is a workspace of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::error::Error;
use crate::{interrupt, process};

/// Where cargo builds them.
pub(super) fn target() -> PathBuf {
    process::root().join("target/bench")
}

/// Builds one package: built together, they would share the union of their features.
pub(super) fn build(package: &str, features: &str) -> Result<(), Error> {
    let mut command = process::cargo();
    command.current_dir(Path::new(process::root()).join("benches/peers"));
    command.env("CARGO_TARGET_DIR", target());
    // Not `--locked`: our own dependencies change without anybody building this workspace.
    command.args(["build", "--quiet", "--release", "--package", package]);
    if !features.is_empty() {
        command.args(["--features", features]);
    }
    process::run(&mut command)
}

/// Runs a command to its end; a failure shows what it said, but not its words, which hold a password.
pub(super) fn succeed(command: &mut Command) -> Result<Output, Error> {
    interrupt::check()?;
    let output = process::output(command)?;
    if output.status.success() {
        return Ok(output);
    }
    let shown = process::display(command);
    Err(Error::FailedWithOutput {
        command: shown.split(' ').next().unwrap_or_default().to_owned(),
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
