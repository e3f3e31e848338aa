//! What was measured, before anything is made of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::arena::Cost;
use super::contestant::Backend;
use crate::bench::summary::{Summary, as_f64, median};

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    RoundTrips,
    Connecting,
    Waits,
    SimpleMessages,
    ExtendedMessages,
    StartupMessages,
    Connections,
    Statements,
    Syncs,
}

impl Metric {
    fn name(self) -> &'static str {
        match self {
            Self::RoundTrips => "round_trips",
            Self::Connecting => "round_trips_of_diesel_connecting",
            Self::Waits => "waits",
            Self::SimpleMessages => "simple_messages",
            Self::ExtendedMessages => "extended_messages",
            Self::StartupMessages => "startup_messages",
            Self::Connections => "connections",
            Self::Statements => "statements",
            Self::Syncs => "syncs",
        }
    }
}

/// Which run of a contestant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// On an empty database.
    Fresh,
    /// On one that is up to date.
    Noop,
}

impl Phase {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Noop => "noop",
        }
    }
}

/// Several runs of one kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Series(Vec<Cost>);

impl Series {
    pub(super) fn wall_ms(&self) -> Summary {
        self.summary(|cost| cost.wall_us, 1000.0)
    }

    pub(super) fn cpu_ms(&self) -> Summary {
        self.summary(|cost| cost.cpu_us, 1000.0)
    }

    pub(super) fn peak_rss_mb(&self) -> Summary {
        self.summary(|cost| cost.peak_rss_kb, 1024.0)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many times as long as another: the median over the rounds, each beside its neighbour of the same round,
    /// so that a busy minute falls out; and the minima.
    pub(super) fn wall_over(&self, other: &Self) -> Summary {
        let pairs = self.0.iter().zip(&other.0);
        let ratios = pairs.map(|(own, other)| as_f64(own.wall_us) / as_f64(other.wall_us));
        Summary {
            median: median(ratios.collect()),
            minimum: self.wall_ms().minimum / other.wall_ms().minimum,
        }
    }

    fn summary(&self, value: impl Fn(&Cost) -> u64, unit: f64) -> Summary {
        let values: Vec<f64> = self
            .0
            .iter()
            .map(|cost| as_f64(value(cost)) / unit)
            .collect();
        Summary {
            minimum: values.iter().copied().fold(f64::NAN, f64::min),
            median: median(values),
        }
    }
}

type Key = (Backend, &'static str);

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Results {
    slopes: BTreeMap<(Key, Metric), f64>,
    noops: BTreeMap<(Key, Metric), u64>,
    series: BTreeMap<(Key, usize, Phase), Series>,
    // In the order in which they were taken.
    records: Vec<Value>,
}

impl Results {
    pub(super) fn per_migration(
        &mut self,
        backend: Backend,
        name: &'static str,
        metric: Metric,
        slope: f64,
    ) {
        self.slopes.insert(((backend, name), metric), slope);
        self.records.push(json!({
            "kind": "count_per_migration", "backend": backend.feature(), "contestant": name,
            "metric": metric.name(), "value": slope,
        }));
    }

    pub(super) fn noop(
        &mut self,
        backend: Backend,
        name: &'static str,
        metric: Metric,
        count: u64,
    ) {
        self.noops.insert(((backend, name), metric), count);
        self.records.push(json!({
            "kind": "count_noop", "backend": backend.feature(), "contestant": name,
            "metric": metric.name(), "value": count,
        }));
    }

    pub(super) fn run(
        &mut self,
        backend: Backend,
        size: usize,
        name: &'static str,
        phase: Phase,
        cost: Cost,
    ) {
        self.series
            .entry(((backend, name), size, phase))
            .or_default()
            .0
            .push(cost);
        self.records.push(json!({
            "kind": "run", "backend": backend.feature(), "contestant": name, "size": size, "phase": phase.name(),
            "wall_us": cost.wall_us, "cpu_us": cost.cpu_us, "peak_rss_kb": cost.peak_rss_kb,
        }));
    }

    pub(super) fn slope(
        &self,
        backend: Backend,
        name: &'static str,
        metric: Metric,
    ) -> Option<f64> {
        self.slopes.get(&((backend, name), metric)).copied()
    }

    pub(super) fn noop_count(
        &self,
        backend: Backend,
        name: &'static str,
        metric: Metric,
    ) -> Option<u64> {
        self.noops.get(&((backend, name), metric)).copied()
    }

    pub(super) fn series(
        &self,
        backend: Backend,
        size: usize,
        name: &'static str,
        phase: Phase,
    ) -> Option<&Series> {
        self.series.get(&((backend, name), size, phase))
    }

    /// Sizes for which something was timed.
    pub(super) fn sizes(&self, backend: Backend) -> Vec<usize> {
        let mut sizes: Vec<usize> = self
            .series
            .keys()
            .filter(|((of, _), ..)| *of == backend)
            .map(|(_, size, _)| *size)
            .collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    pub(super) fn to_json_lines(&self) -> String {
        self.records
            .iter()
            .map(|record| format!("{record}\n"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(walls: &[u64]) -> Series {
        let cost = |wall_us: &u64| Cost {
            wall_us: *wall_us,
            cpu_us: 0,
            peak_rss_kb: 0,
        };
        Series(walls.iter().map(cost).collect())
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        let odd = series(&[9000, 1000, 2000]).wall_ms();
        assert_eq!((odd.median, odd.minimum), (2.0, 1.0));
        let even = series(&[4000, 1000, 2000, 9000]).wall_ms();
        assert_eq!((even.median, even.minimum), (3.0, 1.0));
    }

    #[test]
    fn a_busy_round_does_not_move_the_ratio() {
        let (ours, floor) = (series(&[1000, 9000, 2000]), series(&[1000, 6000, 2000]));
        let ratio = ours.wall_over(&floor);
        assert_eq!((ratio.median, ratio.minimum), (1.0, 1.0));
    }

    #[test]
    fn records_come_out_one_per_line() {
        let mut results = Results::default();
        let cost = Cost {
            wall_us: 5,
            cpu_us: 3,
            peak_rss_kb: 1024,
        };
        results.run(Backend::Sqlite, 100, "ours", Phase::Fresh, cost);
        results.noop(Backend::Sqlite, "ours", Metric::Statements, 2);
        let lines = results.to_json_lines();
        let read: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0]["wall_us"], 5);
        assert_eq!(read[1]["value"], 2);
        assert_eq!(results.sizes(Backend::Sqlite), [100]);
    }
}
