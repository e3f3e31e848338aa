//! The command line as a process of its own, which signals can be sent to.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use crate::database::Scratch;

/// Longer than nothing takes that is to end at once, shorter than what is to be cut short.
const SOON: Duration = Duration::from_secs(20);

/// A process of `src/bin/commander.rs`; killed, should the test forget it.
#[derive(Debug)]
pub struct Commander {
    child: Child,
    stdout: BufReader<ChildStdout>,
    seen: String,
}

/// How one ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Since the signal.
    pub took: Duration,
}

impl Commander {
    /// Types `line`, about the configured database `name` at `scratch`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn types(program: &str, scratch: &Scratch, name: &str, line: &str) -> Self {
        // The boundary of the search for configuration.
        std::fs::create_dir_all(scratch.directory().join(".git")).unwrap();
        let mut child = Command::new(program)
            .args(line.split_whitespace())
            .args(["--database", name])
            .env(
                format!("MIGRATE_DATABASES_{}_URL", name.to_uppercase()),
                scratch.url().reveal(),
            )
            .current_dir(scratch.directory())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            stdout,
            seen: String::new(),
        }
    }

    /// Waits for a line of its standard output that has all of these in it.
    ///
    /// # Panics
    /// When it ends before.
    pub fn says(&mut self, parts: &[&str]) {
        loop {
            let mut line = String::new();
            let read = self.stdout.read_line(&mut line).unwrap();
            assert!(read > 0, "{parts:?} was not said: {}", self.seen);
            self.seen.push_str(&line);
            if parts.iter().all(|part| line.contains(part)) {
                return;
            }
        }
    }

    /// Sends it `TERM` or `INT`.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(status.success(), "it is gone");
    }

    /// Waits for its end, which has to come soon.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn ends(mut self) -> Ended {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < SOON, "it goes on: {}", self.seen);
            std::thread::sleep(Duration::from_millis(10));
        };
        let took = began.elapsed();
        self.stdout.read_to_string(&mut self.seen).unwrap();
        let mut err = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut err).unwrap();
        Ended {
            code: status.code(),
            out: std::mem::take(&mut self.seen),
            err,
            took,
        }
    }
}

impl Drop for Commander {
    fn drop(&mut self) {
        // An error when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
