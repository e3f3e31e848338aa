//! Tables for people, and what we want to reach.

use super::results::{Clock, Part, Results};
use super::scenario::{Backend, Contestant, Scenario, Shape};
use crate::bench::summary::{Summary, Verdict, as_f64};
use crate::bench::table::table;

/// How much longer than by hand it may take.
const OVER_HAND: f64 = 1.15;
/// How much longer per view in the way it may take with more of them, or with others beside them: noise, not growth.
const SLACK: f64 = 1.1;

/// Prints everything about one backend.
pub(super) fn print(backend: Backend, scenarios: &[Scenario], results: &Results) {
    let report = Report {
        backend,
        scenarios,
        results,
    };
    println!("\n## {}", backend.title());
    for shape in Shape::ALL {
        report.times(
            shape,
            Part::Body,
            &[Contestant::Guard, Contestant::Hand, Contestant::Batch],
        );
        report.times(shape, Part::Run, &Contestant::ALL);
    }
    report.targets();
}

struct Report<'r> {
    backend: Backend,
    scenarios: &'r [Scenario],
    results: &'r Results,
}

impl Report<'_> {
    /// Milliseconds of everybody; then how ours stand to those by hand, on the wall and on the processor.
    fn times(&self, shape: Shape, part: Part, who: &[Contestant]) {
        let (ours, theirs): (Vec<Contestant>, Vec<Contestant>) =
            who.iter().partition(|it| it.is_ours());
        let pairs: Vec<(Contestant, Contestant)> = ours
            .iter()
            .flat_map(|&one| theirs.iter().map(move |&other| (one, other)))
            .collect();
        let mut header = vec!["in the way".to_owned(), "beside".to_owned()];
        header.extend(who.iter().map(|it| it.name().to_owned()));
        let per_view: &[Contestant] = match part {
            Part::Body => &[Contestant::Guard, Contestant::Hand],
            Part::Run => &[],
        };
        header.extend(per_view.iter().map(|it| format!("{} us/view", it.name())));
        for (one, other) in &pairs {
            header.push(format!("{} / {}", one.name(), other.name()));
            header.push("cpu".to_owned());
        }
        let scenarios = self.scenarios.iter().filter(|it| it.shape == shape);
        let rows: Vec<Vec<String>> = scenarios
            .map(|&scenario| {
                let wall = |it: &Contestant| {
                    self.results
                        .ms(self.backend, (scenario, *it), (part, Clock::Wall))
                };
                let mut row = vec![scenario.in_the_way.to_string(), scenario.beside.to_string()];
                row.extend(
                    who.iter()
                        .map(|it| wall(it).map_or_else(dash, |ms| pair(ms, 1))),
                );
                let views = as_f64(scenario.in_the_way as u64);
                row.extend(per_view.iter().map(|it| {
                    wall(it).map_or_else(dash, |ms| format!("{:.0}", ms.median * 1000.0 / views))
                }));
                for &(one, other) in &pairs {
                    for clock in [Clock::Wall, Clock::Processor] {
                        let ratio = self.ratio((scenario, one), (scenario, other), (part, clock));
                        row.push(ratio.map_or_else(dash, |ratio| pair(ratio, 2)));
                    }
                }
                row
            })
            .collect();
        let what = match part {
            Part::Body => "body of the migration",
            Part::Run => "the whole run",
        };
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        table(
            &format!("{}: {what}, ms, median (min)", shape.name()),
            &header,
            &rows,
        );
    }

    fn ratio(
        &self,
        one: (Scenario, Contestant),
        other: (Scenario, Contestant),
        what: (Part, Clock),
    ) -> Option<Summary> {
        self.results.ratio(self.backend, one, other, what)
    }

    fn targets(&self) {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for &scenario in self.scenarios {
            if scenario.in_the_way == 100 {
                rows.extend(self.against_hand(scenario));
            }
        }
        for &smaller in self.scenarios {
            let twice = Scenario {
                in_the_way: 2 * smaller.in_the_way,
                ..smaller
            };
            rows.extend(self.growth(2.0 * SLACK, smaller, twice));
            let alone = Scenario {
                beside: 0,
                ..smaller
            };
            if alone != smaller {
                rows.extend(self.growth(SLACK, alone, smaller));
            }
        }
        let header = ["what", "aim", "wall", "cpu", "verdict by wall", "by cpu"];
        table("targets", &header, &rows);
    }

    fn against_hand(&self, scenario: Scenario) -> Vec<Vec<String>> {
        [
            (Contestant::Guard, Part::Body, "body"),
            (Contestant::Guard, Part::Run, "run"),
            (Contestant::Suspends, Part::Run, "run"),
        ]
        .into_iter()
        .filter_map(|(who, part, word)| {
            let ratio = |clock| {
                let hand = (scenario, Contestant::Hand);
                self.ratio((scenario, who), hand, (part, clock))
            };
            let what = format!("{}, {word}: {} / hand", describe(scenario), who.name());
            judged(what, OVER_HAND, ratio)
        })
        .collect()
    }

    /// How the guard's time grows. Where that of the statements alone grows as much, it is the database's doing: SQLite
    /// looks at everything there is whenever a table changes its name.
    fn growth(&self, aim: f64, from: Scenario, to: Scenario) -> Option<Vec<String>> {
        let grows = |who, clock| self.ratio((to, who), (from, who), (Part::Body, clock));
        let by_hand = grows(Contestant::Hand, Clock::Wall)?;
        let aim = aim.max(SLACK * by_hand.median);
        let what = format!(
            "guard: {} / {}; by hand {:.2}",
            describe(to),
            describe(from),
            by_hand.median
        );
        judged(what, aim, |clock| grows(Contestant::Guard, clock))
    }
}

/// One row of the targets; none where nothing was measured.
fn judged(what: String, aim: f64, ratio: impl Fn(Clock) -> Option<Summary>) -> Option<Vec<String>> {
    let (wall, cpu) = (ratio(Clock::Wall)?, ratio(Clock::Processor));
    let told = |ratio| pair(ratio, 2);
    let verdict = |ratio| {
        let verdict = Verdict::of(ratio, |ratio| ratio <= aim);
        verdict.name().to_owned()
    };
    Some(vec![
        what,
        format!("<= {aim:.2}"),
        told(wall),
        cpu.map_or_else(dash, told),
        verdict(wall),
        cpu.map_or_else(dash, verdict),
    ])
}

fn describe(scenario: Scenario) -> String {
    let Scenario {
        shape,
        in_the_way,
        beside,
    } = scenario;
    match beside {
        0 => format!("{} {in_the_way}", shape.name()),
        _ => format!("{} {in_the_way} + {beside}", shape.name()),
    }
}

fn pair(summary: Summary, digits: usize) -> String {
    format!("{:.digits$} ({:.digits$})", summary.median, summary.minimum)
}

fn dash() -> String {
    "-".to_owned()
}
