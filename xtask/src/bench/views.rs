//! `cargo xtask bench views`: what a guard around views costs, beside the same drops and creations written by hand.
//!
//! Everybody runs one migration of ours that widens a column which views read, and everybody brings them back with
//! what hung on them; only how the views get out of the way differs. Beside the views in the way there may be others:
//! time is to grow with the former. Rounds are interleaved: one run of each contestant, then again.

mod place;
mod report;
mod results;
mod scenario;

use std::fs;
use std::path::PathBuf;

use self::place::Place;
use self::results::Results;
pub(crate) use self::scenario::Backend;
use self::scenario::{Contestant, Scenario, Shape};
use super::peers;
use crate::error::{Error, IoContext as _};
use crate::interrupt;
use crate::servers::{Durability, Servers};

/// Measures guards around views and the same by hand, in turn.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this backend
    #[arg(long, value_enum)]
    backend: Option<Backend>,
    /// Only this shape
    #[arg(long, value_enum)]
    shape: Option<Shape>,
    /// Numbers of views in the way, with nothing beside them
    #[arg(long, value_delimiter = ',', default_value = "25,50,100,200")]
    sizes: Vec<usize>,
    /// Numbers of views beside those in the way
    #[arg(long, value_delimiter = ',', default_value = "500,1000")]
    beside: Vec<usize>,
    /// How many stand in the way where others are beside them
    #[arg(long, default_value_t = 50)]
    with_beside: usize,
    /// Rounds, besides one that is not counted
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Also write every measurement there, one JSON object per line
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Builds the program, measures, prints.
pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let backends = args
        .backend
        .map_or_else(|| Backend::ALL.to_vec(), |backend| vec![backend]);
    let scenarios = scenarios(args);
    peers::build("bench-views", "")?;
    let needs_servers = backends.iter().any(|backend| *backend != Backend::Sqlite);
    let servers = needs_servers
        .then(|| Servers::start(Durability::Durable))
        .transpose()?;
    let mut results = Results::default();
    for backend in backends {
        let place = Place::new(backend, servers.as_ref())?;
        for scenario in &scenarios {
            // One at a time: what MySQL tells about views, it looks for in all databases of the server.
            place.prepare(*scenario)?;
            measure(&place, *scenario, args.rounds, &mut results)?;
            place.clear(*scenario)?;
        }
        report::print(backend, &scenarios, &results);
    }
    if let Some(servers) = servers {
        servers.stop()?;
    }
    if let Some(path) = &args.out {
        fs::write(path, results.to_json_lines()).context("write", path)?;
    }
    Ok(())
}

fn scenarios(args: &Args) -> Vec<Scenario> {
    let shapes = args
        .shape
        .map_or_else(|| Shape::ALL.to_vec(), |shape| vec![shape]);
    let alone = args.sizes.iter().map(|&in_the_way| (in_the_way, 0));
    let beside = args.beside.iter().map(|&beside| (args.with_beside, beside));
    let mut scenarios: Vec<Scenario> = alone
        .chain(beside)
        .flat_map(|(in_the_way, beside)| {
            shapes.iter().map(move |&shape| Scenario {
                shape,
                in_the_way,
                beside,
            })
        })
        .collect();
    // Without those that were asked for twice, and in the order of the tables.
    scenarios.sort_unstable_by_key(|it| (it.shape, it.beside, it.in_the_way));
    scenarios.dedup();
    scenarios
}

/// One run of each, then again; the first round warms up.
fn measure(
    place: &Place,
    scenario: Scenario,
    rounds: usize,
    results: &mut Results,
) -> Result<(), Error> {
    for round in 0..=rounds {
        let mut order = Contestant::ALL;
        // Begins with another one each round, so that nobody always follows the same neighbour.
        order.rotate_left(round % Contestant::ALL.len());
        for contestant in order {
            interrupt::check()?;
            let sample = place.run(scenario, contestant, round)?;
            if round > 0 {
                results.add(place.backend, scenario, contestant, sample);
            }
        }
    }
    Ok(())
}
