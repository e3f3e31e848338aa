//! `cargo xtask bench compile`: what `#[migration]` costs rustc, beside the same functions without it, and what views
//! and their guards cost on top of that.
//!
//! CPU time is what the targets are judged by: on a machine that others use too, wall time is theirs as well. All
//! crates are compiled in turn and the least of some runs counts, so that a busy minute falls on all or on none.

mod graph;
mod measure;
mod source;

use std::time::Duration;

use self::measure::{Bench, Cost};
use self::source::Kind;
use crate::error::Error;

/// Measures checks and builds of generated crates: without attributes, with them, and with views.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Numbers of migrations
    #[arg(long, value_delimiter = ',', default_value = "1000,5000")]
    sizes: Vec<usize>,
    /// Runs of each kind; the least time counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

/// What is asked of cargo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Check,
    Build,
}

impl Command {
    const ALL: [Self; 2] = [Self::Check, Self::Build];

    fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Build => "build",
        }
    }
}

/// What rustc has from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing of the crate; all of its dependencies.
    Cold,
    /// Everything but one body.
    Edited,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Edited => "one body edited",
        }
    }
}

/// What the attribute may cost.
enum Target {
    /// Times the plain functions.
    Ratio(f64),
    /// Milliseconds more per migration.
    More(f64),
}

fn target(command: Command, state: State) -> Target {
    match (command, state) {
        (Command::Check, State::Cold) => Target::Ratio(2.0),
        (Command::Build, State::Cold) => Target::Ratio(1.35),
        (_, State::Edited) => Target::More(1.5),
    }
}

/// What 50 views and 100 guards may cost in addition, in seconds for 1,000 migrations.
fn target_of_views(command: Command, state: State) -> Option<f64> {
    match (command, state) {
        (Command::Check, State::Cold) => Some(0.5),
        (Command::Check, State::Edited) => Some(0.2),
        (Command::Build, _) => None,
    }
}

/// Generates, compiles, prints.
pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let bench = Bench::new(&args.sizes)?;
    println!(
        "least of {} runs; dev profile, one job; times in seconds, `+` in milliseconds per migration\n",
        args.runs.max(1)
    );
    println!(
        "{:>6}  {:5}  {:15}  {:>14}  {:>14}  {:>11}  {:>13}  target",
        "size", "", "", "plain cpu/wall", "with cpu/wall", "ratio", "+"
    );
    for &size in &args.sizes {
        for command in Command::ALL {
            bench.prepare(command)?;
            for (state, [plain, with, views]) in measure(&bench, size, command, args.runs.max(1))? {
                print(size, command, state, plain, with);
                print_views(size, command, state, with, views);
            }
        }
    }
    Ok(())
}

/// The least cost of each state, of the kinds in their order.
fn measure(
    bench: &Bench,
    size: usize,
    command: Command,
    runs: usize,
) -> Result<[(State, [Cost; 3]); 2], Error> {
    let mut least = [
        (State::Cold, [Cost::MAX; 3]),
        (State::Edited, [Cost::MAX; 3]),
    ];
    for _ in 0..runs {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            for (state, costs) in &mut least {
                match state {
                    State::Cold => bench.forget(kind, size)?,
                    State::Edited => bench.edit(kind, size)?,
                }
                let cost = bench.compile(command, kind, size)?;
                if let Some(least) = costs.get_mut(at) {
                    *least = least.min(cost);
                }
            }
        }
    }
    Ok(least)
}

fn print_views(size: usize, command: Command, state: State, without: Cost, with: Cost) {
    let more = |without: Duration, with: Duration| with.as_secs_f64() - without.as_secs_f64();
    let (cpu, wall) = (more(without.cpu, with.cpu), more(without.wall, with.wall));
    #[expect(clippy::cast_precision_loss, reason = "a number of migrations")]
    let aim = target_of_views(command, state).map_or_else(String::new, |per_thousand| {
        let most = per_thousand * size as f64 / 1000.0;
        let met = if cpu <= most { "met" } else { "NOT MET" };
        format!("views <= {most:.2} s: {met}")
    });
    println!(
        "{:>6}  {:5}  {:15}  views and guards: {cpu:+.2} /{wall:+.2} s  {aim}",
        "",
        command.name(),
        state.name(),
    );
}

fn print(size: usize, command: Command, state: State, plain: Cost, with: Cost) {
    let ratio = |plain: Duration, with: Duration| with.as_secs_f64() / plain.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a number of migrations")]
    let more = |plain: Duration, with: Duration| {
        (with.as_secs_f64() - plain.as_secs_f64()) * 1000.0 / size as f64
    };
    let (cpu_ratio, cpu_more) = (ratio(plain.cpu, with.cpu), more(plain.cpu, with.cpu));
    let (aim, met) = match target(command, state) {
        Target::Ratio(most) => (format!("ratio <= {most}"), cpu_ratio <= most),
        Target::More(most) => (format!("+ <= {most}"), cpu_more <= most),
    };
    println!(
        "{size:>6}  {:5}  {:15}  {:>6.2} /{:>6.2}  {:>6.2} /{:>6.2}  {cpu_ratio:>4.2} / {:>4.2}  {cpu_more:>5.2} / {:>5.2}  {aim}: {}",
        command.name(),
        state.name(),
        plain.cpu.as_secs_f64(),
        plain.wall.as_secs_f64(),
        with.cpu.as_secs_f64(),
        with.wall.as_secs_f64(),
        ratio(plain.wall, with.wall),
        more(plain.wall, with.wall),
        if met { "met" } else { "NOT MET" },
    );
}
