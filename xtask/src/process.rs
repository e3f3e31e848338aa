//! Child processes that do not outlive us.
//!
//! Each is started through `setpriv --pdeathsig`, so that the kernel stops it when we die, even of SIGKILL.
//! The kernel means the *thread* that started the child: start children that must live long from the main thread.

use std::env;
use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use crate::error::Error;
use crate::interrupt;

/// How often a waiting loop looks.
pub(crate) const POLL: Duration = Duration::from_millis(25);
/// How long a child may take to obey a polite signal.
const GRACE: Duration = Duration::from_secs(10);

/// A command that gets `signal` when we die.
pub(crate) fn tied(signal: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal, "--"]).arg(program);
    forget_our_package(&mut command);
    command
}

/// `cargo`, the same one that runs us, in the workspace's root.
pub(crate) fn cargo() -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = tied("TERM", program);
    command.current_dir(root());
    command
}

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// `cargo run` describes *this* package in the environment; a child that asks for its own must not find ours.
fn forget_our_package(command: &mut Command) {
    forget(command, |name| {
        name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_MANIFEST_")
            || matches!(
                name,
                "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE"
            )
    });
}

/// Makes sure that a developer's own database settings reach no test.
pub(crate) fn forget_databases(command: &mut Command) {
    forget(command, |name| {
        // PGHOST and the like, but not PG_CONFIG, which the build of libpq's bindings may need.
        let libpq = name.starts_with("PG") && !name.starts_with("PG_");
        name == "DATABASE_URL" || name.starts_with("MIGRATE_") || libpq
    });
}

/// Makes sure that tests compare, and do not rewrite what they should compare with.
pub(crate) fn forget_blessing(command: &mut Command) {
    forget(command, |name| {
        name.starts_with("TRYBUILD") || name.starts_with("INSTA_")
    });
}

fn forget(command: &mut Command, unwanted: impl Fn(&str) -> bool) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(&unwanted) {
            command.env_remove(&name);
        }
    }
}

/// The command as one would type it, without `setpriv` and without environment (which carries passwords).
pub(crate) fn display(command: &Command) -> String {
    let words: Vec<&OsStr> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .collect();
    let start = match words.split_first() {
        Some((first, rest)) if *first == "setpriv" => rest
            .iter()
            .position(|word| *word == "--")
            .map_or(0, |at| at + 2),
        _ => 0,
    };
    let mut shown: Vec<String> = words
        .into_iter()
        .skip(start)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if let Some(program) = shown.first_mut()
        && let Some(name) = Path::new(program.as_str()).file_name()
    {
        *program = name.to_string_lossy().into_owned();
    }
    shown.join(" ")
}

/// Starts a command.
pub(crate) fn spawn(command: &mut Command) -> Result<Child, Error> {
    command.spawn().map_err(|source| Error::Spawn {
        command: display(command),
        source,
    })
}

/// Runs a short command to its end and hands back what it printed.
pub(crate) fn output(command: &mut Command) -> Result<Output, Error> {
    command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Spawn {
            command: display(command),
            source,
        })
}

/// Runs a command in a process group of its own, with our output and without input, until it ends or a signal comes.
pub(crate) fn run_status(command: &mut Command) -> Result<ExitStatus, Error> {
    command.stdin(Stdio::null()).process_group(0);
    let child = spawn(command)?;
    wait(child, Audience::Group)
}

/// [`run_status`], where anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let status = run_status(command)?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        command: display(command),
        status,
    })
}

/// Runs a developer's command as if it had been typed: with our terminal and our input.
pub(crate) fn run_foreground(command: &mut Command) -> Result<ExitStatus, Error> {
    if std::io::stdin().is_terminal() {
        // The terminal sends Ctrl-C to the child itself, which decides what it means.
        let child = spawn(command)?;
        wait(child, Audience::Terminal)
    } else {
        command.process_group(0);
        let child = spawn(command)?;
        wait(child, Audience::Group)
    }
}

/// Who gets a signal that we get.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// The child's whole group; then we stop as well.
    Group,
    /// The terminal has told the child about Ctrl-C already; other signals go to the child alone.
    Terminal,
}

fn wait(mut child: Child, audience: Audience) -> Result<ExitStatus, Error> {
    loop {
        if let Some(status) = ended(&mut child)? {
            return Ok(status);
        }
        match interrupt::received() {
            Some(number) if audience == Audience::Terminal && number == Signal::INT.as_raw() => {
                interrupt::forget();
            }
            Some(number) => {
                stop(&mut child, audience);
                return Err(Error::Interrupted(number));
            }
            None => thread::sleep(POLL),
        }
    }
}

/// The child's exit status, if it has ended.
pub(crate) fn ended(child: &mut Child) -> Result<Option<ExitStatus>, Error> {
    child.try_wait().map_err(|source| Error::Spawn {
        command: format!("wait for process {}", child.id()),
        source,
    })
}

fn stop(child: &mut Child, audience: Audience) {
    match audience {
        Audience::Group => {
            signal_group(child, Signal::TERM);
            reap_group(child);
        }
        Audience::Terminal => {
            signal_one(child, Signal::TERM);
            if !wait_until(child, Instant::now() + GRACE) {
                signal_one(child, Signal::KILL);
                let _reaped = child.wait();
            }
        }
    }
}

fn signal_one(child: &Child, signal: Signal) {
    // A process that is gone already is what we want.
    let _gone = pid(child).map(|pid| kill_process(pid, signal));
}

/// Signals a child that leads a process group, and all that it started, without waiting.
pub(crate) fn signal_group(child: &Child, signal: Signal) {
    let _gone = pid(child).map(|pid| kill_process_group(pid, signal));
}

/// Waits for a group that was asked to stop; what does not listen is killed.
///
/// Until the whole group is gone, because a grandchild may still write to a directory that is about to be removed.
pub(crate) fn reap_group(child: &mut Child) {
    if !wait_until(child, Instant::now() + GRACE) {
        signal_group(child, Signal::KILL);
        let _reaped = child.wait();
    }
    let Some(group) = pid(child) else { return };
    let deadline = Instant::now() + GRACE;
    while test_kill_process_group(group).is_ok() && Instant::now() < deadline {
        let _gone = kill_process_group(group, Signal::KILL);
        thread::sleep(POLL);
    }
}

fn wait_until(child: &mut Child, deadline: Instant) -> bool {
    while Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        thread::sleep(POLL);
    }
    false
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// The first of these programs that exists, on `PATH` or where daemons are kept.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = env::split_paths(&path).collect();
    places.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    names.iter().find_map(|name| {
        places
            .iter()
            .map(|place| place.join(name))
            .find(|candidate| candidate.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_types_it() {
        let mut command = tied("TERM", "/usr/lib/somewhere/cargo");
        command.args(["fmt", "--all"]).env("PGPASSWORD", "secret");
        assert_eq!(display(&command), "cargo fmt --all");
    }

    #[test]
    fn a_plain_command_is_shown_whole() {
        let mut command = Command::new("git");
        command.args(["log", "--", "file"]);
        assert_eq!(display(&command), "git log -- file");
    }

    #[test]
    fn a_failing_command_is_named_with_its_status() {
        let mut command = tied("TERM", "false");
        let error = run(&mut command).expect_err("false fails");
        assert_eq!(error.to_string(), "`false` failed: exit status: 1");
    }

    #[test]
    fn our_own_package_is_hidden_from_children() {
        // The test harness runs under cargo, so that the variable is there to be hidden.
        assert!(env::var_os("CARGO_MANIFEST_DIR").is_some());
        let mut command = tied("TERM", "env");
        let output = output(&mut command).expect("env runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!text.contains("CARGO_MANIFEST_DIR"), "{text}");
    }
}
