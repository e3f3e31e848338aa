//! What was measured, and how measurements stand to each other.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::place::Sample;
use super::scenario::{Backend, Contestant, Scenario};
use crate::bench::summary::{Summary, as_f64, median};

/// Which part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The body of the migration: the views' way down and up, and the change.
    Body,
    /// All of it: lock, history, what is looked at before and after.
    Run,
}

/// Which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// As people wait for it.
    Wall,
    /// On a processor: no waiting for disks and locks in it, but no busy neighbour either.
    Processor,
}

impl Sample {
    fn us(&self, part: Part, clock: Clock) -> Option<u64> {
        match (part, clock) {
            (Part::Body, Clock::Wall) => self.body_us,
            (Part::Body, Clock::Processor) => self.body_cpu_us,
            (Part::Run, Clock::Wall) => Some(self.run_us),
            (Part::Run, Clock::Processor) => self.run_cpu_us,
        }
    }
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Results {
    samples: BTreeMap<(Backend, Scenario, Contestant), Vec<Sample>>,
    // In the order in which they were taken.
    records: Vec<Value>,
}

impl Results {
    pub(super) fn add(
        &mut self,
        backend: Backend,
        scenario: Scenario,
        contestant: Contestant,
        sample: Sample,
    ) {
        let key = (backend, scenario, contestant);
        self.samples.entry(key).or_default().push(sample);
        self.records.push(json!({
            "backend": backend.title(), "shape": scenario.shape.name(), "in_the_way": scenario.in_the_way,
            "beside": scenario.beside, "contestant": contestant.name(), "run_us": sample.run_us,
            "run_cpu_us": sample.run_cpu_us, "body_us": sample.body_us, "body_cpu_us": sample.body_cpu_us,
        }));
    }

    pub(super) fn ms(
        &self,
        backend: Backend,
        (scenario, contestant): (Scenario, Contestant),
        (part, clock): (Part, Clock),
    ) -> Option<Summary> {
        let values = self.values(backend, (scenario, contestant), (part, clock))?;
        let ms: Vec<f64> = values.into_iter().map(|us| us / 1000.0).collect();
        Some(Summary {
            minimum: minimum(&ms),
            median: median(ms),
        })
    }

    /// How many times as long one takes as another: the median over the rounds, each beside the other's run of the
    /// same round, so that a busy minute falls out; and of the minima.
    pub(super) fn ratio(
        &self,
        backend: Backend,
        one: (Scenario, Contestant),
        other: (Scenario, Contestant),
        (part, clock): (Part, Clock),
    ) -> Option<Summary> {
        let (one, other) = (
            self.values(backend, one, (part, clock))?,
            self.values(backend, other, (part, clock))?,
        );
        let ratios = one.iter().zip(&other).map(|(one, other)| one / other);
        Some(Summary {
            median: median(ratios.collect()),
            minimum: minimum(&one) / minimum(&other),
        })
    }

    fn values(
        &self,
        backend: Backend,
        (scenario, contestant): (Scenario, Contestant),
        (part, clock): (Part, Clock),
    ) -> Option<Vec<f64>> {
        let samples = self.samples.get(&(backend, scenario, contestant))?;
        samples
            .iter()
            .map(|sample| sample.us(part, clock).map(as_f64))
            .collect()
    }

    pub(super) fn to_json_lines(&self) -> String {
        self.records
            .iter()
            .map(|record| format!("{record}\n"))
            .collect()
    }
}

fn minimum(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::views::scenario::Shape;

    const SCENARIO: Scenario = Scenario {
        shape: Shape::Chain,
        in_the_way: 100,
        beside: 0,
    };

    #[test]
    fn rounds_are_compared_with_their_like() {
        let mut results = Results::default();
        // The second round was a busy one.
        for (contestant, runs) in [
            (Contestant::Guard, [1100, 9900, 2200]),
            (Contestant::Hand, [1000, 9000, 2000]),
        ] {
            for run_us in runs {
                let sample = Sample {
                    run_us,
                    run_cpu_us: Some(100),
                    body_us: None,
                    body_cpu_us: None,
                };
                results.add(Backend::Sqlite, SCENARIO, contestant, sample);
            }
        }
        let ratio = |part, clock| {
            let [one, other] = [Contestant::Guard, Contestant::Hand].map(|it| (SCENARIO, it));
            results.ratio(Backend::Sqlite, one, other, (part, clock))
        };
        let run = ratio(Part::Run, Clock::Wall).expect("measured");
        assert!((run.median - 1.1).abs() < 1e-9, "{run:?}");
        assert!((run.minimum - 1.1).abs() < 1e-9, "{run:?}");
        let processor = ratio(Part::Run, Clock::Processor).expect("measured");
        assert!((processor.median - 1.0).abs() < 1e-9, "{processor:?}");
        // No body said how long it took.
        assert_eq!(ratio(Part::Body, Clock::Wall), None);
        assert_eq!(results.to_json_lines().lines().count(), 6);
    }
}
