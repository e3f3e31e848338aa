//! How to wait for something that comes by itself.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::{Duration, Instant},
};

use migrate_core::{Failure, FailureKind, Interrupt};

use crate::render::duration;

/// Between two looks: short at first, for what is about to come.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Waiting, with pauses that grow, until a time is over.
#[derive(Debug)]
pub(super) struct Patience {
    begun: Instant,
    timeout: Duration,
    pause: Duration,
}

impl Patience {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            begun: Instant::now(),
            timeout,
            pause: FIRST_PAUSE,
        }
    }

    /// For how long we have waited.
    pub(super) fn waited(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(super) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// What is left of it.
    pub(super) fn left(&self) -> Duration {
        self.timeout.saturating_sub(self.waited())
    }

    /// Sleeps until the next look, at the latest until the time is over.
    ///
    /// # Errors
    /// The run was asked to end; `state` says how it stood.
    pub(super) fn pause(&mut self, interrupt: &Interrupt, state: &str) -> Result<(), Failure> {
        if interrupt.wait(jittered(self.pause).min(self.left())) {
            let waited = duration(self.waited());
            return Err(Failure::new(
                FailureKind::Migration,
                format!("interrupted after waiting {waited}: {state}"),
            ));
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// Between half of it and all: many that were started by one event must not come back as one.
fn jittered(pause: Duration) -> Duration {
    // Its keys are random: the one source of randomness in std.
    let dice = RandomState::new().hash_one(0) % 1_000;
    pause / 2 + pause / 2 * u32::try_from(dice).unwrap_or(0) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_and_differs() {
        let pause = Duration::from_secs(1);
        let pauses: Vec<Duration> = (0..50).map(|_| jittered(pause)).collect();
        assert!(pauses.iter().all(|it| *it >= pause / 2 && *it <= pause));
        assert!(pauses.iter().any(|it| Some(it) != pauses.first()));
    }

    #[test]
    fn it_ends() {
        let mut patience = Patience::new(Duration::from_millis(20));
        assert!(!patience.is_over());
        let interrupt = Interrupt::new();
        assert!(patience.pause(&interrupt, "it").is_ok());
        assert!(patience.is_over());
        assert!(patience.waited() < Duration::from_secs(5));
    }

    #[test]
    fn a_request_ends_it_at_once() {
        let mut patience = Patience::new(Duration::from_secs(60));
        let interrupt = Interrupt::new();
        interrupt.request();
        let failure = patience
            .pause(&interrupt, "1 migration pending")
            .unwrap_err();
        assert!(
            failure.message.ends_with(": 1 migration pending"),
            "{}",
            failure.message
        );
        assert!(patience.waited() < Duration::from_secs(5));
    }
}
