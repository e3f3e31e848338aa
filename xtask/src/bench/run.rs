//! `cargo xtask bench run`: what applying migrations costs, beside other tools and what one would write by hand.
//!
//! Everybody migrates the same: N times one `CREATE TABLE`. Counts come first, because no noise reaches them; times
//! are taken run by run in turn (one of each tool, then again), so that a busy minute falls on all of them.

mod arena;
mod contestant;
mod counting;
mod program;
mod proxy;
mod report;
mod results;
mod targets;
mod timing;

use std::fs;
use std::path::PathBuf;

use self::arena::Arena;
use self::contestant::{Backend, Contestant};
use self::program::Programs;
use self::results::Results;
use crate::error::{Error, IoContext as _};
use crate::servers::{Durability, Servers};

/// Sizes that the contestants can be built with (`benches/peers/sources`).
const SIZES: [&str; 3] = ["100", "1000", "5000"];

/// Measures runs of this project's migrations, of other tools' and of a hand-written floor, in turn.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this backend
    #[arg(long, value_enum)]
    backend: Option<Backend>,
    /// Only these contestants, by the names in the tables
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Numbers of migrations for the timed part
    #[arg(long, value_delimiter = ',', default_value = "1000,5000", value_parser = SIZES)]
    sizes: Vec<String>,
    /// Rounds of fresh runs up to 1,000 migrations; beyond there is one
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Rounds of runs with nothing to do
    #[arg(long, default_value_t = 20)]
    noop_rounds: usize,
    /// Leave out the counts of round trips, statements and syncs
    #[arg(long)]
    no_counts: bool,
    /// Also write every measurement there, one JSON object per line
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Builds the contestants, measures, prints.
pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let backends = args.backend.map_or_else(
        || vec![Backend::Sqlite, Backend::Postgres],
        |backend| vec![backend],
    );
    let sizes: Vec<usize> = args
        .sizes
        .iter()
        .filter_map(|size| size.parse().ok())
        .collect();
    let programs = Programs::new()?;
    let mut results = Results::default();
    for backend in backends {
        let contestants = chosen(&args.only, backend)?;
        // All builds before the first measurement, so that no compiler runs beside it.
        programs.build(backend, &contestants, &sizes, !args.no_counts)?;
        // Dropped after the arena of this backend: the servers stop between backends.
        let servers = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(Servers::start(Durability::Durable)?),
        };
        let arena = Arena::new(&programs, backend, servers.as_ref())?;
        if !args.no_counts {
            counting::count(&arena, &contestants, &mut results)?;
        }
        for size in &sizes {
            timing::time(&arena, &contestants, *size, args, &mut results)?;
        }
        if let Some(servers) = servers {
            servers.stop()?;
        }
        report::print(backend, &contestants, &results);
    }
    if let Some(path) = &args.out {
        fs::write(path, results.to_json_lines()).context("write", path)?;
    }
    Ok(())
}

fn chosen(names: &[String], backend: Backend) -> Result<Vec<Contestant>, Error> {
    let all = contestant::all(backend);
    if let Some(unknown) = names
        .iter()
        .find(|name| all.iter().all(|one| one.name != name.as_str()))
    {
        let known: Vec<&str> = all.iter().map(|one| one.name).collect();
        return Err(Error::Benchmark(format!(
            "there is no contestant `{unknown}` on {}; there are {}",
            backend.title(),
            known.join(", ")
        )));
    }
    Ok(all
        .into_iter()
        .filter(|one| names.is_empty() || names.iter().any(|name| name == one.name))
        .collect())
}
