//! [`Options`]: how a worker works.

use std::{num::NonZeroUsize, time::Duration};

use migrate_diesel::mass::WorkRequest;

/// How a worker works.
///
/// ```
/// use std::time::Duration;
/// use migrate_apalis::Options;
///
/// let options = Options::default().lease(Duration::from_secs(30));
/// assert_eq!(options.heartbeat(), Duration::from_secs(5));
/// assert!(Options::default().lease(Duration::from_secs(6)).heartbeat() <= Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How long a shard stays with a worker that gives no sign of life.
    pub lease: Duration,
    /// Shards that it works on at once.
    pub shards: NonZeroUsize,
    /// How often it asks an empty queue.
    pub poll: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lease: WorkRequest::default().lease,
            shards: NonZeroUsize::MIN,
            poll: Duration::from_secs(1),
        }
    }
}

impl Options {
    /// How long a shard stays with a worker that gives no sign of life.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How many shards it works on at once, each on a connection of its own.
    #[must_use]
    pub fn shards(mut self, shards: NonZeroUsize) -> Self {
        self.shards = shards;
        self
    }

    /// How often it asks an empty queue.
    #[must_use]
    pub fn poll(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// How often it tells the queue that it lives: three times within a lease at least, where apalis waits
    /// five minutes for a sign of life unless told otherwise.
    #[must_use]
    pub fn heartbeat(&self) -> Duration {
        (self.lease / 3).min(Duration::from_secs(5))
    }

    /// How many of these may be missed. apalis counts in whole seconds: less than three would take hints
    /// from workers that live.
    pub(crate) fn missed(&self) -> usize {
        let beat = self.heartbeat().max(Duration::from_millis(1));
        (3..)
            .find(|&beats| beat * beats >= Duration::from_secs(3))
            .map_or(3, |beats| beats as usize)
    }

    pub(crate) fn request(&self) -> WorkRequest {
        WorkRequest {
            lease: self.lease,
            ..WorkRequest::default()
        }
    }
}
