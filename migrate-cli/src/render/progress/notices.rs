//! What a log file is told while one migration runs for long: without it, nobody who reads the log of
//! a deploy knows what it is waiting for.

use std::{
    io::{self, Write},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::render::text;

/// Before the first notice of a migration. Each later one waits twice as long, up to the last.
const FIRST: Duration = Duration::from_secs(10);
const LAST: Duration = Duration::from_secs(300);

/// Writes to standard error, from a thread of its own: this one is in the migration.
pub(super) struct Notices {
    tell: Sender<Heard>,
    thread: JoinHandle<()>,
}

enum Heard {
    Running(String),
    Far(String),
    Idle,
}

impl Notices {
    /// `None` where there can be no thread: a deploy does not fail for want of notices.
    pub(super) fn start() -> Option<Self> {
        Self::writing_to(io::stderr(), FIRST)
    }

    fn writing_to(to: impl Write + Send + 'static, first: Duration) -> Option<Self> {
        let (tell, heard) = mpsc::channel();
        let watch = move || watch(&heard, to, first);
        let thread = thread::Builder::new().spawn(watch).ok()?;
        Some(Self { tell, thread })
    }

    pub(super) fn running(&self, id: &str) {
        self.send(Heard::Running(text::one_line(id)));
    }

    /// How far it is.
    pub(super) fn far(&self, far: String) {
        self.send(Heard::Far(far));
    }

    pub(super) fn idle(&self) {
        self.send(Heard::Idle);
    }

    fn send(&self, heard: Heard) {
        // Nobody hears it only when the thread could not write any more.
        let _ = self.tell.send(heard);
    }

    pub(super) fn stop(self) {
        drop(self.tell);
        let _ = self.thread.join();
    }
}

fn watch(heard: &Receiver<Heard>, mut to: impl Write, first: Duration) {
    let mut running: Option<(String, Instant)> = None;
    let mut far = String::new();
    let mut pause = first;
    // A moment, not a pause: what is heard in between does not put it off.
    let mut due = Instant::now();
    loop {
        let next = match running {
            Some(_) => heard.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match next {
            Ok(Heard::Running(id)) => {
                running = Some((id, Instant::now()));
                far.clear();
                pause = first;
                due = Instant::now() + pause;
            }
            Ok(Heard::Far(text)) => far = text,
            Ok(Heard::Idle) => running = None,
            Err(RecvTimeoutError::Timeout) => {
                if let Some((id, since)) = &running {
                    let time = text::duration(since.elapsed());
                    if writeln!(to, "running  {id}  {time} so far{far}").is_err() {
                        return;
                    }
                }
                pause = (pause * 2).min(LAST);
                due = Instant::now() + pause;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_what_runs_for_long_is_told() {
        let log = Log::default();
        let lines = || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let notices = Notices::writing_to(log.clone(), Duration::from_millis(20)).unwrap();
        notices.running("shop:quick");
        notices.idle();
        notices.running("shop:slow");
        notices.far(", 4 of 5".to_owned());
        let begun = Instant::now();
        while lines().is_empty() && begun.elapsed() < Duration::from_secs(30) {
            thread::sleep(Duration::from_millis(5));
        }
        notices.idle();
        notices.stop();
        let lines = lines();
        assert!(lines.starts_with("running  shop:slow  "), "{lines}");
        assert!(lines.contains(" so far, 4 of 5\n"), "{lines}");
        assert!(!lines.contains("quick"), "{lines}");
    }
}
