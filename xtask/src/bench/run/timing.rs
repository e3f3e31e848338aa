//! Wall time, processor time and peak memory of whole processes.

use super::Args;
use super::arena::Arena;
use super::contestant::{Backend, Contestant, Mode};
use super::program::Build;
use super::results::{Phase, Results};
use crate::error::Error;

/// Above this a fresh run takes seconds on any backend and is made once; it is needed for the runs with nothing to do.
const LARGE: usize = 1000;

/// Takes turns: one run of each, then again.
pub(super) fn time(
    arena: &Arena<'_>,
    contestants: &[Contestant],
    size: usize,
    args: &Args,
    results: &mut Results,
) -> Result<(), Error> {
    let contestants: Vec<&Contestant> = contestants
        .iter()
        .filter(|one| takes_part(arena.backend, one, size))
        .collect();
    let rounds = if size > LARGE { 1 } else { args.rounds };
    for round in 0..rounds {
        for contestant in in_turn(&contestants, round) {
            arena.reset(contestant)?;
            let cost = arena.run(contestant, build(arena, contestant, size))?;
            arena.verify(contestant, size)?;
            results.run(arena.backend, size, contestant.name, Phase::Fresh, cost);
        }
    }
    let with_own_noop: Vec<&Contestant> =
        contestants.into_iter().filter(|one| one.own_noop).collect();
    for round in 0..args.noop_rounds {
        for contestant in in_turn(&with_own_noop, round) {
            let cost = arena.run(contestant, build(arena, contestant, size))?;
            results.run(arena.backend, size, contestant.name, Phase::Noop, cost);
        }
    }
    Ok(())
}

fn build(arena: &Arena<'_>, contestant: &Contestant, size: usize) -> Build {
    Build {
        program: contestant.program,
        backend: arena.backend,
        size,
        counting: false,
    }
}

/// PostgreSQL keeps every table of a transaction locked, and has room for 6,400 locks by default: four or so per table.
fn takes_part(backend: Backend, contestant: &Contestant, size: usize) -> bool {
    let in_one = contestant.mode == Mode::Together || contestant.name == "floor:all1";
    !(backend == Backend::Postgres && size > LARGE && in_one)
}

/// Begins with another one each round, so that nobody always follows the same neighbour.
fn in_turn<'c>(contestants: &[&'c Contestant], round: usize) -> Vec<&'c Contestant> {
    let mut order = contestants.to_vec();
    if !order.is_empty() {
        order.rotate_left(round % contestants.len());
    }
    order
}
