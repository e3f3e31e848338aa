//! What a log file is told while one migration runs for long: without it, nobody who reads the log of
//! a deploy knows what it is waiting for.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::render::text;

/// Before the first notice of a migration. Each later one waits twice as long, up to the last.
const FIRST: Duration = Duration::from_secs(10);
const LAST: Duration = Duration::from_secs(300);

/// How often the thread looks. It is not told of each migration: waking it a thousand times would
/// cost more than most of them take.
const TICK: Duration = Duration::from_secs(1);

/// Writes to standard error, from a thread of its own: this one is in the migration.
pub(super) struct Notices {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Heard>,
    /// Only for the end.
    ended: Condvar,
}

#[derive(Default)]
struct Heard {
    running: Option<Running>,
    ended: bool,
}

struct Running {
    id: String,
    since: Instant,
    far: String,
    pause: Duration,
    due: Instant,
}

impl Shared {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notices {
    /// `None` where there can be no thread: a deploy does not fail for want of notices.
    pub(super) fn start() -> Option<Self> {
        Self::writing_to(io::stderr(), FIRST)
    }

    fn writing_to(to: impl Write + Send + 'static, first: Duration) -> Option<Self> {
        let shared = Arc::<Shared>::default();
        let watched = Arc::clone(&shared);
        let watch = move || watch(&watched, to, first);
        let thread = thread::Builder::new().spawn(watch).ok()?;
        Some(Self { shared, thread })
    }

    pub(super) fn running(&self, id: &str) {
        let now = Instant::now();
        self.shared.heard().running = Some(Running {
            id: text::one_line(id),
            since: now,
            far: String::new(),
            // Set when the thread first sees it.
            pause: Duration::ZERO,
            due: now,
        });
    }

    /// How far it is.
    pub(super) fn far(&self, far: String) {
        if let Some(running) = &mut self.shared.heard().running {
            running.far = far;
        }
    }

    pub(super) fn idle(&self) {
        self.shared.heard().running = None;
    }

    pub(super) fn stop(self) {
        self.shared.heard().ended = true;
        self.shared.ended.notify_all();
        let _ = self.thread.join();
    }
}

fn watch(shared: &Shared, mut to: impl Write, first: Duration) {
    let mut heard = shared.heard();
    while !heard.ended {
        if let Some(running) = &mut heard.running {
            let now = Instant::now();
            if running.pause.is_zero() {
                running.pause = first;
                running.due = running.since + first;
            }
            if now >= running.due {
                let Running { id, far, .. } = running;
                let time = text::duration(running.since.elapsed());
                if writeln!(to, "running  {id}  {time} so far{far}").is_err() {
                    return;
                }
                running.pause = (running.pause * 2).min(LAST);
                running.due = now + running.pause;
            }
        }
        let tick = TICK.min(first);
        heard = match shared.ended.wait_timeout(heard, tick) {
            Ok((heard, _)) => heard,
            Err(poisoned) => poisoned.into_inner().0,
        };
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
