//! Tables for people.

use super::contestant::{Backend, Contestant, Mode};
use super::results::{Metric, Phase, Results};
use super::targets;
use crate::bench::summary::Summary;
use crate::bench::table::table;

/// Prints everything about one backend.
pub(super) fn print(backend: Backend, contestants: &[Contestant], results: &Results) {
    println!("\n## {}", backend.title());
    counts(backend, contestants, results);
    for size in results.sizes(backend) {
        times(backend, contestants, size, results);
    }
    let rows: Vec<Vec<String>> = targets::judge(backend, results)
        .into_iter()
        .map(|target| {
            vec![
                target.what,
                target.aim,
                target.measured,
                target.verdict.name().to_owned(),
            ]
        })
        .collect();
    table("targets", &["what", "aim", "measured", "verdict"], &rows);
}

fn counts(backend: Backend, contestants: &[Contestant], results: &Results) {
    let metrics: &[(Metric, &str)] = match backend {
        Backend::Sqlite => &[(Metric::Statements, "statements"), (Metric::Syncs, "syncs")],
        Backend::Postgres => &[
            (Metric::RoundTrips, "round trips"),
            (Metric::Waits, "waits"),
            (Metric::SimpleMessages, "simple"),
            (Metric::ExtendedMessages, "extended"),
        ],
    };
    let noop_metrics: &[(Metric, &str)] = match backend {
        Backend::Sqlite => &[(Metric::Statements, "statements")],
        Backend::Postgres => &[
            (Metric::RoundTrips, "round trips"),
            (Metric::Connecting, "of these Diesel's to connect"),
            (Metric::StartupMessages, "start-up messages"),
            (Metric::Connections, "connections"),
        ],
    };
    let mut header = vec!["contestant".to_owned()];
    header.extend(metrics.iter().map(|(_, name)| format!("{name}/migration")));
    header.extend(noop_metrics.iter().map(|(_, name)| format!("no-op {name}")));
    let rows: Vec<Vec<String>> = contestants
        .iter()
        .map(|one| {
            let slopes = metrics.iter().map(|(metric, _)| {
                results
                    .slope(backend, one.name, *metric)
                    .map_or_else(dash, |slope| format!("{slope:.2}"))
            });
            let noops = noop_metrics.iter().map(|(metric, _)| {
                results
                    .noop_count(backend, one.name, *metric)
                    .map_or_else(dash, |count| count.to_string())
            });
            std::iter::once(one.name.to_owned())
                .chain(slopes)
                .chain(noops)
                .collect()
        })
        .filter(|row: &Vec<String>| row.iter().skip(1).any(|cell| *cell != dash()))
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(
        "counts (slope between 1 and 100 migrations; no-op at 100)",
        &header,
        &rows,
    );
}

fn times(backend: Backend, contestants: &[Contestant], size: usize, results: &Results) {
    for phase in [Phase::Fresh, Phase::Noop] {
        let other = |name| results.series(backend, size, name, phase);
        let rows: Vec<Vec<String>> = contestants
            .iter()
            .filter_map(|one| {
                let series = results.series(backend, size, one.name, phase)?;
                let ratio = |floor| {
                    other(floor).map_or_else(dash, |floor| pair(series.wall_over(floor), 2))
                };
                let together = if one.mode == Mode::Each {
                    dash()
                } else {
                    ratio("floor:all")
                };
                Some(vec![
                    one.name.to_owned(),
                    series.len().to_string(),
                    pair(series.wall_ms(), 1),
                    ratio("floor:per"),
                    together,
                    format!("{:.1}", series.cpu_ms().median),
                    format!("{:.1}", series.peak_rss_mb().median),
                ])
            })
            .collect();
        let title = match phase {
            Phase::Fresh => format!("N={size}, fresh: whole process, median (min)"),
            Phase::Noop => format!("N={size}, nothing to do: whole process, median (min)"),
        };
        let header = [
            "contestant",
            "runs",
            "wall ms",
            "x floor:per",
            "x floor:all",
            "cpu ms",
            "peak MB",
        ];
        table(&title, &header, &rows);
    }
}

fn pair(summary: Summary, digits: usize) -> String {
    format!("{:.digits$} ({:.digits$})", summary.median, summary.minimum)
}

fn dash() -> String {
    "-".to_owned()
}
