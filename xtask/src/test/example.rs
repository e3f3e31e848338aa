//! The promise of the README: a fresh clone, `cargo run --bin migrate`, and the shop's database is there.

use std::fs;
use std::path::Path;

use super::cargo;
use crate::check::{Metadata, tracked_files};
use crate::error::{Error, IoContext as _};
use crate::process;

/// What is typed after `cargo run --bin migrate --`, and the exit code the surface promises.
const SCRIPT: &[(&[&str], i32)] = &[
    (&["status", "--exit-code"], 3),
    (&[], 0),
    // What takes long is left to whoever starts it.
    (&["check"], 3),
    (&["mass", "list", "--exit-code"], 3),
    (
        &["mass", "run", "time_in_milliseconds", "-p", "visits=20000"],
        0,
    ),
    (&["status", "--exit-code"], 0),
    (&["status"], 0),
    (&["graph"], 0),
    (&["check"], 0),
    // Once more: nothing is left to do.
    (&[], 0),
];

/// Plays the script in a copy of what is under version control: a file that was never added is missing here as well.
pub(super) fn run() -> Result<(), Error> {
    let target = Metadata::load()?.target_directory;
    // Always the same place, or cargo would keep another compilation of the copied crates for every run.
    let copy = target.join("xtask-example");
    if copy.exists() {
        fs::remove_dir_all(&copy).context("remove", &copy)?;
    }
    copy_tracked(&copy)?;
    // A place of its own for what is compiled: cargo takes a copied crate for the one that it is a copy
    // of, and then takes a build of one tree for a build of the other.
    let own_target = target.join("xtask-example-target");
    for (arguments, expected) in SCRIPT {
        let mut command = cargo();
        command
            .current_dir(&copy)
            .env("CARGO_TARGET_DIR", &own_target);
        command
            .args(["run", "--quiet", "--bin", "migrate", "--"])
            .args(*arguments);
        println!("$ {}", process::display(&command));
        let actual = process::run_status(&mut command)?;
        if actual.code() != Some(*expected) {
            return Err(Error::WrongExit {
                command: process::display(&command),
                expected: *expected,
                actual,
            });
        }
    }
    Ok(())
}

fn copy_tracked(to: &Path) -> Result<(), Error> {
    for path in tracked_files()? {
        let destination = to.join(&path);
        if let Some(directory) = destination.parent() {
            fs::create_dir_all(directory).context("create", directory)?;
        }
        fs::copy(process::root().join(&path), &destination).context("copy", path)?;
    }
    Ok(())
}
