//! How large the next batch is.

use std::time::Duration;

use super::run::Live;

/// The largest batch that steers itself to be.
pub const LARGEST: u32 = 100_000;

/// Units for the next batch, after one of `units` took `took`.
///
/// Where there is a target: `units * target / took`, at most twice as many and at least half of them, so
/// that one outlier does not throw it about; only a full batch tells anything. Without, what is set.
#[must_use]
pub fn next_size(live: &Live, size: u32, units: u64, took: Duration) -> u32 {
    let Some(target) = live.target else {
        return live.batch.max(1);
    };
    if units < u64::from(size) || took.is_zero() {
        return size.max(1);
    }
    let factor = (target.as_secs_f64() / took.as_secs_f64()).clamp(0.5, 2.0);
    let next = (f64::from(size) * factor).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and LARGEST"
    )]
    let next = next.clamp(1.0, f64::from(LARGEST)) as u32;
    next
}

/// How a batch that failed is split down to the unit that fails.
///
/// Each half is a batch of its own, in a transaction of its own, from the cursor on: what succeeds is
/// committed and never done again, also when the worker dies in between. After each success the size
/// doubles, until what failed at first is behind the cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// Units of what failed that are still ahead.
    left: u64,
    /// Units to try next.
    limit: u32,
}

/// What to do after a batch failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// Try again from the same cursor, with a smaller batch.
    Smaller,
    /// It is one unit: it goes to quarantine.
    Quarantine,
}

impl Probe {
    /// Units for the next batch, when `size` would be next without any failure.
    #[must_use]
    pub fn limit(&self, size: u32) -> u32 {
        if self.left == 0 {
            size.max(1)
        } else {
            self.limit.clamp(1, size.max(1))
        }
    }

    /// After a batch of `units` failed.
    pub fn failed(&mut self, units: u64) -> AfterFailure {
        self.left = self.left.max(units);
        if units <= 1 {
            return AfterFailure::Quarantine;
        }
        self.limit = u32::try_from(units / 2).unwrap_or(u32::MAX).max(1);
        AfterFailure::Smaller
    }

    /// After the cursor moved over `units`, done or in quarantine.
    pub fn moved(&mut self, units: u64) {
        self.left = self.left.saturating_sub(units);
        self.limit = self.limit.saturating_mul(2).max(1);
    }

    /// Whether what failed is not behind the cursor yet.
    #[must_use]
    pub fn is_splitting(&self) -> bool {
        self.left > 0
    }
}
