//! Counts: round trips on PostgreSQL; statements and syncs on SQLite. The same on every machine, however busy.

use std::ffi::OsStr;
use std::path::Path;

use super::arena::Arena;
use super::contestant::{Backend, Contestant, Mode};
use super::program::{Build, COUNTED};
use super::proxy::{Proxy, Tally};
use super::results::{Metric, Results};
use crate::bench::peers::succeed;
use crate::error::{Error, IoContext as _};
use crate::process;

/// Counts of one run.
type Counts = Vec<(Metric, u64)>;

/// Counts each contestant's run with nothing to do, and what one more migration adds to a fresh one.
pub(super) fn count(
    arena: &Arena<'_>,
    contestants: &[Contestant],
    results: &mut Results,
) -> Result<(), Error> {
    for contestant in contestants {
        let [small, large] = COUNTED;
        let few = fresh(arena, contestant, small)?;
        let many = fresh(arena, contestant, large)?;
        let noop = observe(arena, contestant, large)?;
        for ((metric, few), (_, many)) in few.into_iter().zip(many) {
            let slope =
                (as_f64(many) - as_f64(few)) / as_f64(u64::try_from(large - small).unwrap_or(1));
            results.per_migration(arena.backend, contestant.name, metric, slope);
        }
        // The same program, whichever way its transactions lie.
        if contestant.own_noop && contestant.mode != Mode::Bound {
            for (metric, count) in noop {
                results.noop(arena.backend, contestant.name, metric, count);
            }
        }
    }
    Ok(())
}

fn fresh(arena: &Arena<'_>, contestant: &Contestant, size: usize) -> Result<Counts, Error> {
    arena.reset(contestant)?;
    let counts = observe(arena, contestant, size)?;
    arena.verify(contestant, size)?;
    if arena.backend == Backend::Postgres {
        return Ok(counts);
    }
    // Two ways of watching, so two runs.
    arena.reset(contestant)?;
    let syncs = syncs(arena, contestant, size)?;
    Ok(counts.into_iter().chain(syncs).collect())
}

fn observe(arena: &Arena<'_>, contestant: &Contestant, size: usize) -> Result<Counts, Error> {
    match arena.backend {
        Backend::Sqlite => statements(arena, contestant, size),
        Backend::Postgres => round_trips(arena, contestant, size),
    }
}

fn build(arena: &Arena<'_>, contestant: &Contestant, size: usize) -> Build {
    Build {
        program: contestant.program,
        backend: arena.backend,
        size,
        counting: false,
    }
}

fn round_trips(arena: &Arena<'_>, contestant: &Contestant, size: usize) -> Result<Counts, Error> {
    let proxy = Proxy::start(&arena.server()?.address)?;
    let place = arena.place_at(contestant, Some(proxy.address()))?;
    let ran = succeed(&mut arena.command(&[], contestant, build(arena, contestant, size), &place));
    let tally: Tally = proxy.finish()?;
    ran?;
    if std::env::var_os("BENCH_LOG").is_some() {
        eprintln!("{} {size}: {:#?}", contestant.name, tally.trips);
    }
    Ok(vec![
        (Metric::RoundTrips, tally.round_trips()),
        (Metric::Connecting, tally.trips_of_diesel_connecting()),
        (Metric::Waits, tally.waits),
        (Metric::SimpleMessages, tally.simple),
        (Metric::ExtendedMessages, tally.extended),
        (Metric::StartupMessages, tally.startup_messages),
        (Metric::Connections, tally.connections),
    ])
}

/// By SQLite's own trace; see `benches/peers/statements`.
fn statements(arena: &Arena<'_>, contestant: &Contestant, size: usize) -> Result<Counts, Error> {
    let build = Build {
        counting: true,
        ..build(arena, contestant, size)
    };
    let place = arena.place(contestant)?;
    let mut command = arena.command(&[], contestant, build, &place);
    let log = std::env::var_os("BENCH_LOG").is_some();
    if log {
        command.env("STATEMENTS", "list");
    }
    let output = succeed(&mut command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if log {
        eprintln!("{} {size}: {said}", contestant.name);
    }
    said.lines()
        .rev()
        .find_map(|line| line.strip_prefix("statements: ")?.parse().ok())
        .map(|count| vec![(Metric::Statements, count)])
        .ok_or_else(|| {
            Error::Benchmark(format!(
                "{} did not say how many statements it ran",
                contestant.name
            ))
        })
}

/// By strace; without it, not at all.
fn syncs(arena: &Arena<'_>, contestant: &Contestant, size: usize) -> Result<Counts, Error> {
    let Some(strace) = process::find(&["strace"]) else {
        return Ok(Vec::new());
    };
    let log = arena.programs.scratch().join("strace.log");
    let place = arena.place(contestant)?;
    let wrapper = [
        strace.as_os_str(),
        OsStr::new("-f"),
        OsStr::new("-e"),
        OsStr::new("trace=fsync,fdatasync"),
    ];
    let wrapper: Vec<&OsStr> = wrapper
        .into_iter()
        .chain([OsStr::new("-o"), log.as_os_str()])
        .collect();
    succeed(&mut arena.command(&wrapper, contestant, build(arena, contestant, size), &place))?;
    read_syncs(&log).map(|count| vec![(Metric::Syncs, count)])
}

fn read_syncs(log: &Path) -> Result<u64, Error> {
    let text = std::fs::read_to_string(log).context("read", log)?;
    // Not `resumed`, the second half of a call that another thread interrupted.
    let begun = |line: &&str| line.contains("fdatasync(") || line.contains("fsync(");
    Ok(u64::try_from(text.lines().filter(begun).count()).unwrap_or(u64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
