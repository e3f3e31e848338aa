//! How fast a run is, and how long it will take.

use std::{collections::VecDeque, time::Duration};

/// How far back the rate looks.
pub const WINDOW: Duration = Duration::from_secs(30);

/// Units covered over time, of late: for a rate that follows pauses, throttling and new workers, where
/// the average since the start would not.
#[derive(Clone, Debug, Default)]
pub struct Speedometer {
    samples: VecDeque<(Duration, u64)>,
}

impl Speedometer {
    /// At `at` (since any fixed moment), `units` were covered.
    pub fn sample(&mut self, at: Duration, units: u64) {
        self.samples.push_back((at, units));
        while self.samples.len() > 2
            && self
                .samples
                .get(1)
                .is_some_and(|(then, _)| at.saturating_sub(*then) >= WINDOW)
        {
            self.samples.pop_front();
        }
    }

    /// Units per second within the window; `None` before there are two samples.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let (first_at, first) = self.samples.front()?;
        let (last_at, last) = self.samples.back()?;
        let seconds = last_at.saturating_sub(*first_at).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let units = last.saturating_sub(*first) as f64;
        (seconds > 0.0).then(|| units / seconds)
    }
}

/// Until `total` units are covered, at `rate`; `None` when that cannot be said.
#[must_use]
pub fn eta(units: u64, total: Option<u64>, rate: Option<f64>) -> Option<Duration> {
    let left = total?.checked_sub(units)?;
    let rate = rate.filter(|rate| *rate > 0.0)?;
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    let seconds = left as f64 / rate;
    Duration::try_from_secs_f64(seconds).ok()
}
