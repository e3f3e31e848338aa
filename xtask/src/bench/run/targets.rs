//! What we want to reach, judged by what was measured.

use super::contestant::Backend;
use super::results::{Metric, Phase, Results, Series};
use crate::bench::summary::Verdict;

/// One aim.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) what: String,
    pub(super) aim: String,
    pub(super) measured: String,
    pub(super) verdict: Verdict,
}

/// Those for which there are measurements.
pub(super) fn judge(backend: Backend, results: &Results) -> Vec<Target> {
    let judge = Judge { backend, results };
    let mut targets = judge.counts();
    for size in results.sizes(backend) {
        targets.extend(judge.times(size));
    }
    targets
}

const OURS: &str = "ours";
/// Ours without the command line, as the other libraries are.
const LIBRARY: &str = "ours:library";
const EACH_PEERS: [&str; 3] = ["diesel", "refinery", "sqlx"];

struct Judge<'r> {
    backend: Backend,
    results: &'r Results,
}

impl Judge<'_> {
    fn counts(&self) -> Vec<Target> {
        let (metric, word, per_migration, noop) = match self.backend {
            Backend::Sqlite => (Metric::Statements, "statements", 4.0, 2),
            Backend::Postgres => (Metric::RoundTrips, "round trips", 2.0, 2),
        };
        let slope = self
            .results
            .slope(self.backend, OURS, metric)
            .map(|slope| Target {
                what: format!("{word} per migration"),
                aim: format!("<= {per_migration}"),
                measured: format!("{slope:.2}"),
                verdict: (slope <= per_migration).into(),
            });
        let connecting = self
            .results
            .noop_count(self.backend, OURS, Metric::Connecting)
            .unwrap_or(0);
        let constant = self
            .results
            .noop_count(self.backend, OURS, metric)
            .map(|count| {
                let after = count.saturating_sub(connecting);
                let detail = if connecting > 0 {
                    format!(" (and {connecting} of Diesel's own to connect)")
                } else {
                    String::new()
                };
                Target {
                    what: format!("{word} with nothing to do"),
                    aim: format!("<= {noop}"),
                    measured: format!("{after}{detail}"),
                    verdict: (after <= noop).into(),
                }
            });
        slope.into_iter().chain(constant).collect()
    }

    fn times(&self, size: usize) -> Vec<Target> {
        let mut targets = Vec::new();
        let (fresh_aim, strict) = match self.backend {
            Backend::Sqlite => (1.0, false),
            Backend::Postgres => (0.95, true),
        };
        // One run says little.
        if self.rounds(size) > 1 {
            targets.extend(self.ratio(size, Phase::Fresh, (OURS, "floor:per"), fresh_aim, strict));
            targets.extend(
                EACH_PEERS
                    .iter()
                    .filter_map(|peer| self.ahead(size, Phase::Fresh, peer)),
            );
            targets.extend(self.ratio(
                size,
                Phase::Fresh,
                ("ours:atomic", "floor:all"),
                1.05,
                false,
            ));
        }
        for who in [OURS, LIBRARY] {
            targets.extend(self.ratio(size, Phase::Noop, (who, "floor:per"), 1.05, false));
            targets.extend(self.ratio(size, Phase::Noop, (who, "diesel"), 1.0, true));
        }
        targets.extend(
            [Phase::Fresh, Phase::Noop]
                .into_iter()
                .flat_map(|phase| [(OURS, phase), (LIBRARY, phase)])
                .filter_map(|(who, phase)| self.memory(size, who, phase)),
        );
        targets
    }

    fn rounds(&self, size: usize) -> usize {
        self.results
            .series(self.backend, size, OURS, Phase::Fresh)
            .map_or(0, Series::len)
    }

    fn series(&self, size: usize, name: &'static str, phase: Phase) -> Option<&Series> {
        self.results.series(self.backend, size, name, phase)
    }

    fn ratio(
        &self,
        size: usize,
        phase: Phase,
        (who, floor): (&'static str, &'static str),
        aim: f64,
        strict: bool,
    ) -> Option<Target> {
        let own = self.series(size, who, phase)?;
        let ratio = own.wall_over(self.series(size, floor, phase)?);
        let reached = |ratio: f64| if strict { ratio < aim } else { ratio <= aim };
        let sign = if strict { "<" } else { "<=" };
        Some(Target {
            what: format!("{} N={size}: {who} / {floor}", phase.name()),
            aim: format!("{sign} {aim:.2}"),
            measured: format!("{:.3} (min {:.3})", ratio.median, ratio.minimum),
            verdict: Verdict::of(ratio, reached),
        })
    }

    fn ahead(&self, size: usize, phase: Phase, peer: &'static str) -> Option<Target> {
        self.ratio(size, phase, (OURS, peer), 1.0, true)
    }

    fn memory(&self, size: usize, who: &'static str, phase: Phase) -> Option<Target> {
        let peak = |name| self.series(size, name, phase).map(Series::peak_rss_mb);
        let (ours, theirs) = (peak(who)?, peak("diesel")?);
        let ratio = ours.median / theirs.median;
        Some(Target {
            what: format!("{} N={size}: peak memory, {who} / diesel", phase.name()),
            aim: "<= 1.10".to_owned(),
            measured: format!("{ratio:.2} ({:.1} / {:.1} MB)", ours.median, theirs.median),
            verdict: (ratio <= 1.1).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::run::arena::Cost;

    fn cost(wall_us: u64, peak_rss_kb: u64) -> Cost {
        Cost {
            wall_us,
            cpu_us: 0,
            peak_rss_kb,
        }
    }

    fn verdicts(results: &Results, backend: Backend) -> Vec<(String, Verdict)> {
        judge(backend, results)
            .into_iter()
            .map(|target| (target.what, target.verdict))
            .collect()
    }

    #[test]
    fn connecting_is_diesels_and_not_ours() {
        let mut results = Results::default();
        results.noop(Backend::Postgres, OURS, Metric::RoundTrips, 4);
        results.noop(Backend::Postgres, OURS, Metric::Connecting, 2);
        let what = || "round trips with nothing to do".to_owned();
        assert_eq!(
            verdicts(&results, Backend::Postgres),
            [(what(), Verdict::Met)]
        );
        results.noop(Backend::Postgres, OURS, Metric::RoundTrips, 5);
        assert_eq!(
            verdicts(&results, Backend::Postgres),
            [(what(), Verdict::NotMet)]
        );
    }

    #[test]
    fn a_ratio_is_met_at_its_aim_only_where_that_is_allowed() {
        let mut results = Results::default();
        for backend in [Backend::Sqlite, Backend::Postgres] {
            for (name, wall) in [(OURS, 1000), ("floor:per", 1000)] {
                results.run(backend, 1000, name, Phase::Fresh, cost(wall, 1));
                results.run(backend, 1000, name, Phase::Fresh, cost(wall, 1));
            }
        }
        let what = "fresh N=1000: ours / floor:per".to_owned();
        assert_eq!(
            verdicts(&results, Backend::Sqlite),
            [(what.clone(), Verdict::Met)]
        );
        assert_eq!(
            verdicts(&results, Backend::Postgres),
            [(what, Verdict::NotMet)]
        );
    }

    #[test]
    fn memory_may_be_a_tenth_more() {
        let mut results = Results::default();
        results.run(Backend::Sqlite, 1000, OURS, Phase::Noop, cost(1, 1100));
        results.run(Backend::Sqlite, 1000, "diesel", Phase::Noop, cost(2, 1000));
        let all: Vec<Verdict> = verdicts(&results, Backend::Sqlite)
            .into_iter()
            .map(|(_, met)| met)
            .collect();
        assert_eq!(all, [Verdict::Met, Verdict::Met]);
    }

    #[test]
    fn what_a_busy_machine_cannot_tell_is_not_called_met() {
        let mut results = Results::default();
        for (ours, floor) in [(1000, 900), (1000, 2000), (1000, 2000)] {
            results.run(Backend::Sqlite, 1000, OURS, Phase::Fresh, cost(ours, 1));
            results.run(
                Backend::Sqlite,
                1000,
                "floor:per",
                Phase::Fresh,
                cost(floor, 1),
            );
        }
        let what = "fresh N=1000: ours / floor:per".to_owned();
        assert_eq!(
            verdicts(&results, Backend::Sqlite),
            [(what, Verdict::Unclear)]
        );
    }
}
