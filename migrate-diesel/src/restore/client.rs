//! A database's own client program, fed with a dump.

use std::{
    io::{self, Read, Write as _},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use migrate_core::{DatabaseUrl, Interrupt, OnRequest, restore::Dump};

use super::{CHUNK, RestoreError, error::Said, frame::Frame};

/// How much of what a program says is kept: it stops at the first error, so that the end counts.
const KEPT: usize = 8 * 1024;

/// Between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A client program that runs.
pub(super) struct Client {
    name: String,
    /// Before `input`: it is dropped, and so killed, before it sees an end that is none.
    child: Leash,
    input: ChildStdin,
    output: JoinHandle<Vec<u8>>,
    errors: JoinHandle<Vec<u8>>,
    /// Kills it, should the run be asked to end.
    _on_request: OnRequest,
}

/// A program that does not outlive our interest in it. Never locked for long.
struct Leash(Arc<Mutex<Child>>);

impl Leash {
    /// It may have ended by itself.
    fn kill(&self) {
        let mut child = locked(&self.0);
        let _ = child.kill();
        let _ = child.wait();
    }

    fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = locked(&self.0).try_wait()? {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.kill();
    }
}

fn locked(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How it ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// The end of its standard output.
    #[cfg(feature = "postgres")]
    pub(super) output: String,
    /// The end of its standard error.
    pub(super) errors: String,
}

impl Client {
    /// Starts the first of these commands whose program is there.
    pub(super) fn start(
        backend: &'static str,
        commands: Vec<(&'static str, Command)>,
        interrupt: &Interrupt,
    ) -> Result<Self, RestoreError> {
        let programs = commands.iter().map(|(name, _)| *name).collect();
        for (name, mut command) in commands {
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let failed = |source| RestoreError::Client {
                program: name.to_owned(),
                source,
            };
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            let piped = (child.stdin.take(), child.stdout.take(), child.stderr.take());
            let (Some(input), Some(output), Some(errors)) = piped else {
                return Err(failed(io::Error::other("it has no pipes")));
            };
            let child = Arc::new(Mutex::new(child));
            let theirs = Arc::clone(&child);
            return Ok(Self {
                _on_request: interrupt.on_request(move || {
                    // Its own transaction goes with it.
                    let _ = locked(&theirs).kill();
                }),
                name: name.to_owned(),
                child: Leash(child),
                input,
                output: thread::spawn(move || end_of(output)),
                errors: thread::spawn(move || end_of(errors)),
            });
        }
        Err(RestoreError::NoClient { backend, programs })
    }

    /// Hands it the dump. `false`: it did not want all of it, and has said why.
    ///
    /// # Errors
    /// The dump cannot be read or is not whole: then the program was killed before it saw an end.
    pub(super) fn feed(&mut self, dump: &mut dyn Dump) -> Result<bool, RestoreError> {
        let mut frame = Frame::default();
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = match dump.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.kill(RestoreError::Dump(error))),
            };
            let chunk = buffer.get(..read).unwrap_or_default();
            frame.pass(chunk);
            if let Err(error) = frame.check_head() {
                return Err(self.kill(error));
            }
            if self.input.write_all(chunk).is_err() {
                return Ok(false);
            }
        }
        match frame.check_end() {
            Ok(()) => Ok(true),
            Err(error) => Err(self.kill(error)),
        }
    }

    /// Hands it statements of ours. What it does not want shows when it [ends](Self::end).
    #[cfg(feature = "postgres")]
    pub(super) fn say(&mut self, text: &str) {
        // A broken pipe: it has ended, and says why on its standard error.
        let _ = self.input.write_all(text.as_bytes());
    }

    /// Ends its input and waits for its end.
    pub(super) fn end(self) -> Result<Ended, RestoreError> {
        let Self {
            name,
            child,
            mut input,
            output,
            errors,
            _on_request,
        } = self;
        // As above.
        let _ = input.flush();
        drop(input);
        let status = child.wait().map_err(|source| RestoreError::Client {
            program: name,
            source,
        })?;
        let text = |end: JoinHandle<Vec<u8>>| {
            let bytes = end.join().unwrap_or_default();
            String::from_utf8_lossy(&bytes).trim().to_owned()
        };
        let (_output, errors) = (text(output), text(errors));
        Ok(Ended {
            status,
            #[cfg(feature = "postgres")]
            output: _output,
            errors,
        })
    }

    /// Without an end of its input, it does not take what it has for all.
    fn kill(&mut self, because: RestoreError) -> RestoreError {
        self.child.kill();
        because
    }
}

impl Ended {
    /// What it said about the end that it came to.
    pub(super) fn refused(&self, url: &DatabaseUrl) -> RestoreError {
        let lines: Vec<&str> = self
            .errors
            .lines()
            .filter(|line| !line.is_empty())
            .collect();
        let from = lines
            .iter()
            .rposition(|line| line.contains("ERROR") || line.contains("FATAL"))
            .unwrap_or_else(|| lines.len().saturating_sub(3));
        let text = lines.get(from..).unwrap_or_default().join("; ");
        let text = if text.is_empty() {
            format!("its client program ended with {}", self.status)
        } else {
            text
        };
        RestoreError::Refused(Said(url.redact(&text)))
    }
}

/// Reads to the end and keeps the last of it.
fn end_of(mut stream: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return kept,
            Ok(read) => {
                kept.extend(buffer.iter().take(read));
                let over = kept.len().saturating_sub(KEPT);
                kept.drain(..over);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return kept,
        }
    }
}
