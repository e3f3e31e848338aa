//! The life of one server: initialise, start, wait until it answers, stop.

use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::engine::{Engine, Home};
use crate::error::{Error, IoContext as _};
use crate::{interrupt, process};

/// Generous: a loaded machine is slow, and a broken server ends by itself much earlier.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often another process may take the port that we found free.
const ATTEMPTS: u32 = 5;
const LOG_LINES: usize = 20;

/// A server whose data directory is being created.
pub(super) struct Setup {
    engine: Box<dyn Engine>,
    home: Home,
    initialisation: Option<Owned>,
}

impl Setup {
    pub(super) fn begin(engine: Box<dyn Engine>, home: Home) -> Result<Self, Error> {
        let initialisation = match engine.prepare(&home)? {
            Some(mut command) => Some(Owned::spawn(&mut command, &home, None)?),
            None => None,
        };
        Ok(Self {
            engine,
            home,
            initialisation,
        })
    }

    pub(super) fn finish(mut self) -> Result<Ready, Error> {
        if let Some(mut initialisation) = self.initialisation.take() {
            let status = loop {
                interrupt::check()?;
                match process::ended(&mut initialisation.child)? {
                    Some(status) => break status,
                    None => thread::sleep(process::POLL),
                }
            };
            if !status.success() {
                return Err(failure(
                    self.engine.as_ref(),
                    &self.home,
                    format!("its data directory could not be created ({status})"),
                ));
            }
        }
        Ok(Ready {
            engine: self.engine,
            home: self.home,
        })
    }
}

/// A server that can be started.
pub(super) struct Ready {
    engine: Box<dyn Engine>,
    home: Home,
}

/// A server that was started; dropped, it stops.
pub(super) struct Running {
    engine: Box<dyn Engine>,
    home: Home,
    port: u16,
    process: Owned,
}

impl Running {
    pub(super) fn start(ready: Ready, port: u16) -> Result<Self, Error> {
        let Ready { engine, home } = ready;
        let process = launch(engine.as_ref(), &home, port)?;
        Ok(Self {
            engine,
            home,
            port,
            process,
        })
    }

    /// Waits until the server has let us in, on another port where this one was taken from under us.
    pub(super) fn wait_until_ready(
        mut self,
        mut free_port: impl FnMut() -> Result<u16, Error>,
    ) -> Result<Self, Error> {
        let deadline = Instant::now() + PATIENCE;
        let mut attempt = 1;
        loop {
            interrupt::check()?;
            if let Some(status) = process::ended(&mut self.process.child)? {
                if attempt == ATTEMPTS || !port_was_taken(&log_tail(&self.home)) {
                    return Err(self.failure(format!("it ended at once ({status})")));
                }
                attempt += 1;
                self.port = free_port()?;
                self.process = launch(self.engine.as_ref(), &self.home, self.port)?;
            }
            let mut probe = self.engine.probe(&self.home, self.port)?;
            let answer = process::output(&mut probe)?;
            // A stranger on the port would not know the password, so that success means our server.
            if answer.status.success() {
                return Ok(self);
            }
            if Instant::now() > deadline {
                let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
                return Err(self.failure(format!("it did not answer within {PATIENCE:?}: {said}")));
            }
            thread::sleep(process::POLL);
        }
    }

    pub(super) fn variable(&self) -> (&'static str, String) {
        (
            self.engine.variable(),
            self.engine.url(&self.home, self.port),
        )
    }

    pub(super) fn check(&mut self) -> Result<(), Error> {
        match process::ended(&mut self.process.child)? {
            None => Ok(()),
            Some(status) => Err(Error::ServerDied {
                server: self.engine.name(),
                status,
                log: log_tail(&self.home),
            }),
        }
    }

    pub(super) fn ask_to_stop(&self) {
        self.process.ask_to_stop();
    }

    fn failure(&self, why: String) -> Error {
        failure(self.engine.as_ref(), &self.home, why)
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Running")
            .field("server", &self.engine.name())
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

fn launch(engine: &dyn Engine, home: &Home, port: u16) -> Result<Owned, Error> {
    let mut command = engine.serve(home, port)?;
    let (signal, _) = engine.stop_signal();
    Owned::spawn(&mut command, home, Some(signal))
}

fn failure(engine: &dyn Engine, home: &Home, why: String) -> Error {
    Error::ServerStart {
        server: engine.name(),
        why,
        log: log_tail(home),
    }
}

/// A child process that is stopped when this is dropped.
struct Owned {
    child: Child,
    stop: rustix::process::Signal,
}

impl Owned {
    /// `stop` is the signal for an orderly end; without it there is nothing worth an orderly end.
    fn spawn(
        command: &mut Command,
        home: &Home,
        stop: Option<rustix::process::Signal>,
    ) -> Result<Self, Error> {
        let log = open_log(home)?;
        let path = log_path(home);
        command.stdin(Stdio::null());
        command
            .stdout(log.try_clone().context("duplicate", &path)?)
            .stderr(log);
        // A group of its own: Ctrl-C is for us, who then stop the servers when nobody needs them any more.
        command.process_group(0);
        Ok(Self {
            child: process::spawn(command)?,
            stop: stop.unwrap_or(rustix::process::Signal::KILL),
        })
    }

    fn ask_to_stop(&self) {
        process::signal_group(&self.child, self.stop);
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.ask_to_stop();
            process::reap_group(&mut self.child);
        }
    }
}

fn log_path(home: &Home) -> PathBuf {
    home.directory.join("log")
}

fn open_log(home: &Home) -> Result<File, Error> {
    let path = log_path(home);
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .context("open", path)
}

/// The end of the log: the directory will be gone when the error is read.
fn log_tail(home: &Home) -> String {
    let log = fs::read(log_path(home)).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(LOG_LINES);
    let tail: Vec<String> = lines
        .iter()
        .skip(from)
        .map(|line| format!("    {line}"))
        .collect();
    tail.join("\n")
}

/// All three servers quote the system's own words.
fn port_was_taken(log: &str) -> bool {
    log.to_lowercase().contains("address already in use")
}
