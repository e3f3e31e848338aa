//! What was measured, and how measurements stand to each other.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::place::Sample;
use super::scenario::{Backend, Contestant};
use crate::bench::summary::{Summary, as_f64, median};

/// Which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// As people wait for it.
    Wall,
    /// On processors, of both ends: no waiting for disks in it, but no busy neighbour either.
    Processor,
}

impl Sample {
    const fn us(&self, clock: Clock) -> u64 {
        match clock {
            Clock::Wall => self.wall_us,
            Clock::Processor => self.own_cpu_us + self.server_cpu_us,
        }
    }
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Results {
    times: BTreeMap<(Backend, Contestant), Vec<(u32, Sample)>>,
    memory: BTreeMap<(Backend, u32), u64>,
    // In the order in which they were taken.
    records: Vec<Value>,
}

impl Results {
    pub(super) fn add_time(
        &mut self,
        backend: Backend,
        contestant: Contestant,
        rows: u32,
        sample: Sample,
    ) {
        let key = (backend, contestant);
        self.times.entry(key).or_default().push((rows, sample));
        self.record(backend, contestant, rows, sample);
    }

    pub(super) fn add_memory(&mut self, backend: Backend, rows: u32, sample: Sample) {
        self.memory.insert((backend, rows), sample.peak_kb);
        self.record(backend, Contestant::Ours, rows, sample);
    }

    fn record(&mut self, backend: Backend, contestant: Contestant, rows: u32, sample: Sample) {
        self.records.push(json!({
            "backend": backend.title(), "contestant": contestant.name(), "rows": rows, "wall_us": sample.wall_us,
            "own_cpu_us": sample.own_cpu_us, "server_cpu_us": sample.server_cpu_us, "peak_kb": sample.peak_kb,
        }));
    }

    /// Kilobytes of memory at most, by the number of rows.
    pub(super) fn memory(&self, backend: Backend) -> Vec<(u32, u64)> {
        let of_backend = self.memory.iter().filter(|((of, _), _)| *of == backend);
        of_backend.map(|((_, rows), kb)| (*rows, *kb)).collect()
    }

    /// Rows per second: the median, and of the best round.
    pub(super) fn rate(&self, backend: Backend, contestant: Contestant) -> Option<(f64, f64)> {
        let samples = self.times.get(&(backend, contestant))?;
        let rates: Vec<f64> = samples
            .iter()
            .map(|(rows, sample)| f64::from(*rows) * 1e6 / as_f64(sample.wall_us))
            .collect();
        let best = rates.iter().copied().fold(f64::NAN, f64::max);
        Some((median(rates), best))
    }

    /// Microseconds of processor time for a row, in the program and in the server: the medians.
    pub(super) fn processor(&self, backend: Backend, contestant: Contestant) -> Option<(f64, f64)> {
        let samples = self.times.get(&(backend, contestant))?;
        let per_row = |of: fn(&Sample) -> u64| {
            let values = samples.iter();
            median(
                values
                    .map(|(rows, sample)| as_f64(of(sample)) / f64::from(*rows))
                    .collect(),
            )
        };
        Some((
            per_row(|sample| sample.own_cpu_us),
            per_row(|sample| sample.server_cpu_us),
        ))
    }

    /// How many times as fast one is as another: the median over the rounds, each beside the other's run of the same
    /// round, so that a busy minute falls out; and by the best rounds.
    pub(super) fn speed(
        &self,
        backend: Backend,
        one: Contestant,
        other: Contestant,
        clock: Clock,
    ) -> Option<Summary> {
        let us = |contestant| -> Option<Vec<f64>> {
            let samples = self.times.get(&(backend, contestant))?.iter();
            Some(
                samples
                    .map(|(_, sample)| as_f64(sample.us(clock)))
                    .collect(),
            )
        };
        let (one, other) = (us(one)?, us(other)?);
        let least = |values: &[f64]| values.iter().copied().fold(f64::NAN, f64::min);
        let ratios = one.iter().zip(&other).map(|(one, other)| other / one);
        Some(Summary {
            median: median(ratios.collect()),
            minimum: least(&other) / least(&one),
        })
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

    #[test]
    fn rounds_are_compared_with_their_like() {
        let mut results = Results::default();
        // The second round was a busy one.
        for (contestant, runs) in [
            (Contestant::Ours, [2_000_000, 9_000_000, 4_000_000]),
            (Contestant::Hand, [1_000_000, 9_000_000, 2_000_000]),
        ] {
            for wall_us in runs {
                let sample = Sample {
                    wall_us,
                    own_cpu_us: 10,
                    server_cpu_us: 20,
                    peak_kb: 1,
                };
                results.add_time(Backend::Sqlite, contestant, 1_000, sample);
            }
        }
        let speed = |clock| {
            results
                .speed(Backend::Sqlite, Contestant::Ours, Contestant::Hand, clock)
                .expect("measured")
        };
        let wall = speed(Clock::Wall);
        assert!((wall.median - 0.5).abs() < 1e-9, "{wall:?}");
        assert!((wall.minimum - 0.5).abs() < 1e-9, "{wall:?}");
        assert!((speed(Clock::Processor).median - 1.0).abs() < 1e-9);
        let (median, best) = results
            .rate(Backend::Sqlite, Contestant::Hand)
            .expect("measured");
        assert!((median - 500.0).abs() < 1e-9 && (best - 1_000.0).abs() < 1e-9);
        assert_eq!(results.rate(Backend::Postgres, Contestant::Hand), None);
        assert_eq!(results.to_json_lines().lines().count(), 6);
    }
}
