//! Tables for people, and what we want to reach.

use super::results::{Clock, Results};
use super::scenario::{Backend, Contestant};
use crate::bench::summary::{Summary, Verdict, as_f64};
use crate::bench::table::table;

/// How fast it is to be, beside the loop by hand.
const OF_HAND: f64 = 0.95;
/// How much faster two workers are to be than one, where the database lets them.
const OF_ONE: f64 = 1.6;
/// How much more memory the largest table may take than the smallest, in MB.
const GROWTH: f64 = 5.0;

/// Prints everything about one backend.
pub(super) fn print(backend: Backend, results: &Results) {
    println!("\n## {}", backend.title());
    rates(backend, results);
    targets(backend, results);
}

/// Rows per second, and how fast everybody is beside the loop by hand.
fn rates(backend: Backend, results: &Results) {
    let rows: Vec<Vec<String>> = Contestant::ALL
        .into_iter()
        .filter_map(|who| {
            let (median, best) = results.rate(backend, who)?;
            let (own, server) = results.processor(backend, who)?;
            let to = |other, clock| {
                let speed = results.speed(backend, who, other, clock);
                speed.map_or_else(dash, pair)
            };
            Some(vec![
                who.name().to_owned(),
                format!("{median:.0} ({best:.0})"),
                to(Contestant::Hand, Clock::Wall),
                to(Contestant::Hand, Clock::Processor),
                to(Contestant::Single, Clock::Wall),
                format!("{own:.2} + {server:.2}"),
            ])
        })
        .collect();
    let header = [
        "who",
        "rows/s, median (best)",
        "of hand, wall",
        "of hand, cpu",
        "of single, wall",
        "cpu us/row, own + server",
    ];
    table("speed", &header, &rows);
}

fn targets(backend: Backend, results: &Results) {
    let mut rows = Vec::new();
    let mut judge = |what: &str, aim, one, other, clock| {
        if let Some(speed) = results.speed(backend, one, other, clock) {
            rows.push(vec![
                what.to_owned(),
                format!(">= {aim:.2}"),
                pair(speed),
                Verdict::of(speed, |ratio| ratio >= aim).name().to_owned(),
            ]);
        }
    };
    for (word, clock) in [("wall", Clock::Wall), ("cpu", Clock::Processor)] {
        let what = format!("speed, {word}: ours / hand");
        judge(&what, OF_HAND, Contestant::Ours, Contestant::Hand, clock);
    }
    // Two that wait less are not less work: processor time says nothing here.
    if backend == Backend::Postgres {
        judge(
            "speed, wall: two workers / one",
            OF_ONE,
            Contestant::Pair,
            Contestant::Ours,
            Clock::Wall,
        );
    }
    rows.extend(memory(&results.memory(backend)));
    table("targets", &["what", "aim", "measured", "verdict"], &rows);
}

/// Least and most rows; none where there were fewer than two tables.
fn memory(peaks: &[(u32, u64)]) -> Option<Vec<String>> {
    let (&(least, small), &(most, large)) = (peaks.first()?, peaks.last()?);
    if least == most {
        return None;
    }
    let megabytes = |kb| as_f64(kb) / 1024.0;
    let growth = megabytes(large) - megabytes(small);
    Some(vec![
        format!("memory, MB: {most} rows - {least} rows"),
        format!("<= {GROWTH:.1}"),
        format!(
            "{growth:.1} = {:.1} - {:.1}",
            megabytes(large),
            megabytes(small)
        ),
        Verdict::from(growth <= GROWTH).name().to_owned(),
    ])
}

fn pair(summary: Summary) -> String {
    format!("{:.2} ({:.2})", summary.median, summary.minimum)
}

fn dash() -> String {
    "-".to_owned()
}
