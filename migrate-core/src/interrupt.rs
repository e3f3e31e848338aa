//! [`Interrupt`]: the wish of a person, or of who runs the process, that a run end early.

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Asks a run to end as soon as it can: what is being done is finished or rolled back, nothing more is
/// begun. Clones are the same token; nothing takes a request back.
///
/// A library installs no signal handler. Whoever has one calls [`request`](Self::request): not in the
/// handler itself (it takes a mutex), but in the thread that the handler wakes.
///
/// ```
/// use std::{thread, time::Duration};
/// use migrate_core::Interrupt;
///
/// let interrupt = Interrupt::new();
/// let there = interrupt.clone();
/// let worker = thread::spawn(move || there.wait(Duration::from_secs(60)));
/// interrupt.request();
/// assert!(worker.join().unwrap(), "the wait ended at once");
/// ```
#[derive(Clone, Default)]
pub struct Interrupt {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    requested: AtomicBool,
    hooks: Mutex<Hooks>,
    changed: Condvar,
}

#[derive(Default)]
struct Hooks {
    next: u64,
    waiting: Vec<(u64, Hook)>,
}

type Hook = Arc<dyn Fn() + Send + Sync>;

impl Interrupt {
    /// One that nobody has requested yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests it: waits end, and hooks are called here. Again, it does nothing.
    pub fn request(&self) {
        let hooks: Vec<Hook> = {
            let mut hooks = self.hooks();
            // Under the mutex, so that nobody misses it between looking and waiting.
            if self.shared.requested.swap(true, Ordering::SeqCst) {
                return;
            }
            hooks.waiting.drain(..).map(|(_, hook)| hook).collect()
        };
        self.shared.changed.notify_all();
        for hook in hooks {
            hook();
        }
    }

    /// Whether it was requested.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.shared.requested.load(Ordering::SeqCst)
    }

    /// Waits for so long, or until it is requested, which it tells: a sleep that ends early.
    pub fn wait(&self, duration: Duration) -> bool {
        let until = Instant::now().checked_add(duration);
        let mut hooks = self.hooks();
        while !self.requested() {
            let rest = match until {
                Some(until) => until.saturating_duration_since(Instant::now()),
                // Longer than the clock reaches.
                None => Duration::from_secs(3600),
            };
            if rest.is_zero() {
                return false;
            }
            hooks = match self.shared.changed.wait_timeout(hooks, rest) {
                Ok((hooks, _)) => hooks,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        true
    }

    /// Calls `hook` once when it is requested, in the thread that requests it: to stop what cannot look
    /// itself, such as a statement that the database is at. At once where it was requested already; not
    /// any more once what this returns is dropped.
    pub fn on_request(&self, hook: impl Fn() + Send + Sync + 'static) -> OnRequest {
        let mut hooks = self.hooks();
        let number = hooks.next;
        hooks.next += 1;
        if self.requested() {
            drop(hooks);
            hook();
        } else {
            hooks.waiting.push((number, Arc::new(hook)));
        }
        OnRequest {
            interrupt: self.clone(),
            number,
        }
    }

    fn hooks(&self) -> MutexGuard<'_, Hooks> {
        // Nothing of ours panics while it is held.
        self.shared
            .hooks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt")
            .field("requested", &self.requested())
            .finish_non_exhaustive()
    }
}

/// By what it says, so that settings can be compared that come from different places.
impl PartialEq for Interrupt {
    fn eq(&self, other: &Self) -> bool {
        self.requested() == other.requested()
    }
}

impl Eq for Interrupt {}

/// A hook of [`Interrupt::on_request`]; dropped, it is not called any more.
#[must_use = "dropped, the hook is not called any more"]
#[derive(Debug)]
pub struct OnRequest {
    interrupt: Interrupt,
    number: u64,
}

impl Drop for OnRequest {
    fn drop(&mut self) {
        let number = self.number;
        self.interrupt
            .hooks()
            .waiting
            .retain(|(other, _)| *other != number);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, thread};

    use super::*;

    #[test]
    fn a_wait_that_nobody_interrupts_takes_its_time() {
        let began = Instant::now();
        assert!(!Interrupt::new().wait(Duration::from_millis(30)));
        assert!(began.elapsed() >= Duration::from_millis(30));
    }

    #[test]
    fn a_request_ends_every_wait_and_stays() {
        let interrupt = Interrupt::new();
        let began = Instant::now();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let interrupt = interrupt.clone();
                thread::spawn(move || interrupt.wait(Duration::MAX))
            })
            .collect();
        thread::sleep(Duration::from_millis(20));
        interrupt.request();
        assert!(waiting.into_iter().all(|it| it.join().unwrap_or(false)));
        assert!(interrupt.wait(Duration::from_secs(60)));
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn hooks_are_called_once_and_only_while_they_are_held() {
        let (interrupt, calls) = (Interrupt::new(), Arc::new(AtomicUsize::new(0)));
        let count = || {
            let calls = Arc::clone(&calls);
            move || {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        };
        drop(interrupt.on_request(count()));
        let held = interrupt.on_request(count());
        interrupt.request();
        interrupt.request();
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        let late = interrupt.on_request(count());
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        drop((held, late));
    }
}
