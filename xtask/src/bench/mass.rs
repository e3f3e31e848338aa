//! `cargo xtask bench mass`: what a mass migration costs, beside the same update by a loop that a person would write and
//! by one single statement.
//!
//! Everybody adds one to a column of every row of the same table, made anew before each run; afterwards every row has to
//! have been updated exactly once. Rounds are interleaved: one run of each contestant, then again. Memory is looked at
//! apart from that, with tables of very different sizes.

mod place;
mod report;
mod results;
mod scenario;

use std::fs;
use std::path::PathBuf;

use self::place::Place;
use self::results::Results;
use self::scenario::{Backend, Contestant};
use super::peers;
use crate::error::{Error, IoContext as _};
use crate::interrupt;
use crate::servers::{Durability, Servers};

/// Measures mass migrations, loops by hand and single statements, in turn.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this backend
    #[arg(long, value_enum)]
    backend: Option<Backend>,
    /// Only these contestants, by the names in the tables
    #[arg(long, value_delimiter = ',', value_name = "NAME", value_parser = Contestant::ALL.map(Contestant::name))]
    only: Vec<String>,
    /// Rows in the table
    #[arg(long, default_value_t = 500_000)]
    rows: u32,
    /// Rows in a batch
    #[arg(long, default_value_t = 1_000)]
    batch: u32,
    /// Rounds, besides one that is not counted; 0 for none at all
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Rows in the tables for which memory is looked at
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ROWS",
        default_value = "100000,10000000"
    )]
    memory: Vec<u32>,
    /// Leave memory out
    #[arg(long)]
    no_memory: bool,
    /// Also write every measurement there, one JSON object per line
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Builds the program, measures, prints.
pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let backends = args
        .backend
        .map_or_else(|| Backend::ALL.to_vec(), |backend| vec![backend]);
    peers::build("bench-mass", "")?;
    let needs_servers = backends.iter().any(|backend| *backend != Backend::Sqlite);
    let servers = needs_servers
        .then(|| Servers::start(Durability::Durable))
        .transpose()?;
    let mut results = Results::default();
    for backend in backends {
        let place = Place::new(backend, servers.as_ref())?;
        time(&place, args, &mut results)?;
        if !args.no_memory {
            memory(&place, args, &mut results)?;
        }
        place.clear()?;
        report::print(backend, &results);
    }
    if let Some(servers) = servers {
        servers.stop()?;
    }
    if let Some(path) = &args.out {
        fs::write(path, results.to_json_lines()).context("write", path)?;
    }
    Ok(())
}

/// One run of each, then again; the first round warms up.
fn time(place: &Place, args: &Args, results: &mut Results) -> Result<(), Error> {
    if args.rounds == 0 {
        return Ok(());
    }
    let mut contestants: Vec<Contestant> = Contestant::of(place.backend)
        .filter(|it| args.only.is_empty() || args.only.iter().any(|name| name == it.name()))
        .collect();
    for round in 0..=args.rounds {
        for &contestant in &contestants {
            interrupt::check()?;
            let sample = place.run(contestant, args.rows, args.batch)?;
            if round > 0 {
                results.add_time(place.backend, contestant, args.rows, sample);
            }
        }
        // Begins with another one each round, so that nobody always follows the same neighbour.
        let by = 1.min(contestants.len());
        contestants.rotate_left(by);
    }
    Ok(())
}

fn memory(place: &Place, args: &Args, results: &mut Results) -> Result<(), Error> {
    for &rows in &args.memory {
        interrupt::check()?;
        let sample = place.run(Contestant::Ours, rows, args.batch)?;
        results.add_memory(place.backend, rows, sample);
    }
    Ok(())
}
