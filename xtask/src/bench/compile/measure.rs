//! Compiling the generated crates, and what it takes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Command;
use super::source::{self, Kind};
use crate::error::{Error, IoContext as _};
use crate::process;

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// User time of cargo and all that it started.
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
}

impl Cost {
    pub(super) const MAX: Self = Self {
        cpu: Duration::MAX,
        wall: Duration::MAX,
    };

    /// The least of each, which need not be of one run.
    pub(super) fn min(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.min(other.cpu),
            wall: self.wall.min(other.wall),
        }
    }
}

/// The generated workspace.
pub(super) struct Bench {
    root: PathBuf,
    /// How often each crate was edited: the body has to differ every time.
    editions: RefCell<BTreeMap<String, usize>>,
}

impl Bench {
    /// Writes the crates of all sizes.
    pub(super) fn new(sizes: &[usize]) -> Result<Self, Error> {
        let root = process::root().join("target/bench-compile");
        let bench = Self {
            root,
            editions: RefCell::default(),
        };
        let mut members = Vec::new();
        for &size in sizes {
            for kind in Kind::ALL {
                let package = kind.package(size);
                bench.write(&package, kind, size)?;
                members.push(format!("{package:?}"));
            }
        }
        let workspace = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [{}]\n",
            members.join(", ")
        );
        write(&bench.root.join("Cargo.toml"), &workspace)?;
        // The versions that everything else here is tested with.
        let lock = bench.root.join("Cargo.lock");
        fs::copy(process::root().join("Cargo.lock"), &lock).context("write", &lock)?;
        Ok(bench)
    }

    fn write(&self, package: &str, kind: Kind, size: usize) -> Result<(), Error> {
        let here = self.root.join(package);
        let manifest = format!(
            "[package]\nname = {package:?}\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             diesel = {{ version = \"2.3\", default-features = false }}\n\
             migrate-diesel = {{ path = {:?}, default-features = false, features = [\"sqlite\"] }}\n",
            process::root().join("migrate-diesel"),
        );
        write(&here.join("Cargo.toml"), &manifest)?;
        // Files of an earlier, larger run.
        let sources = here.join("src");
        if sources.exists() {
            fs::remove_dir_all(&sources).context("remove", &sources)?;
        }
        for (name, text) in source::files(kind, size) {
            write(&sources.join(name), &text)?;
        }
        Ok(())
    }

    /// Compiles what both crates depend on, so that it is in none of the times.
    pub(super) fn prepare(&self, command: Command) -> Result<(), Error> {
        self.cargo(command, "migrate-diesel").map(|_| ())
    }

    /// Removes what was made of this crate, and nothing else.
    pub(super) fn forget(&self, kind: Kind, size: usize) -> Result<(), Error> {
        let package = kind.package(size);
        let debug = self.root.join("target/debug");
        for folder in ["incremental", "deps", ".fingerprint", "."] {
            let folder = debug.join(folder);
            if !folder.exists() {
                continue;
            }
            for entry in fs::read_dir(&folder).context("read", &folder)? {
                let path = entry.context("read", &folder)?.path();
                let name = path
                    .file_name()
                    .and_then(|it| it.to_str())
                    .unwrap_or_default();
                let rest = name
                    .strip_prefix("lib")
                    .unwrap_or(name)
                    .strip_prefix(&package);
                if rest.is_some_and(|rest| rest.starts_with(['-', '.'])) {
                    remove(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Changes a literal in one body.
    pub(super) fn edit(&self, kind: Kind, size: usize) -> Result<(), Error> {
        let mut editions = self.editions.borrow_mut();
        let edition = editions.entry(kind.package(size)).or_insert(0);
        let (file, [before, after]) = source::edit(size, *edition, *edition + 1);
        *edition += 1;
        let path = self.root.join(kind.package(size)).join("src").join(file);
        let text = fs::read_to_string(&path).context("read", &path)?;
        if !text.contains(&before) {
            return Err(Error::Benchmark(format!(
                "{} has no body to edit",
                path.display()
            )));
        }
        write(&path, &text.replace(&before, &after))
    }

    /// What compiling the crate takes now.
    pub(super) fn compile(&self, command: Command, kind: Kind, size: usize) -> Result<Cost, Error> {
        self.cargo(command, &kind.package(size))
    }

    fn cargo(&self, command: Command, package: &str) -> Result<Cost, Error> {
        let mut cargo = process::cargo();
        cargo
            .args([
                command.name(),
                "--quiet",
                "--jobs",
                "1",
                "--package",
                package,
            ])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            // Someone's own would measure something else.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_INCREMENTAL");
        let (cpu, start) = (children_user_time()?, Instant::now());
        process::run(&mut cargo)?;
        Ok(Cost {
            wall: start.elapsed(),
            cpu: children_user_time()?.saturating_sub(cpu),
        })
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).context("create", folder)?;
    }
    fs::write(path, text).context("write", path)
}

fn remove(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        fs::remove_dir_all(path).context("remove", path)
    } else {
        fs::remove_file(path).context("remove", path)
    }
}

/// User time of the children that have ended and been waited for, and of theirs: `cutime` of
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>. `getrusage` says it more finely, but needs unsafe code.
fn children_user_time() -> Result<Duration, Error> {
    const FILE: &str = "/proc/self/stat";
    /// `USER_HZ`, which is part of the kernel's interface and 100 on everything that Rust runs on.
    const TICKS_PER_SECOND: u64 = 100;

    let text = fs::read_to_string(FILE).context("read", FILE)?;
    // The name in parentheses may contain anything; after it come fields 3 and up.
    let ticks = text
        .rsplit_once(") ")
        .and_then(|(_, fields)| fields.split(' ').nth(16 - 3))
        .and_then(|field| field.parse::<u64>().ok())
        .ok_or_else(|| Error::Benchmark(format!("{FILE} has another form than expected")))?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}
