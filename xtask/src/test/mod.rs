//! `cargo xtask test`: everything that must hold before a change goes in. CI runs this and nothing else.

mod apalis;
mod example;
mod features;

use std::process::Command;
use std::time::{Duration, Instant};

use clap::ValueEnum as _;

use crate::error::Error;
use crate::servers::{Durability, Servers};
use crate::{check, interrupt, process, setup};

/// Runs everything that must hold before a change goes in.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these steps, in the usual order; what they need (the servers) comes along
    #[arg(value_name = "STEP")]
    steps: Vec<Step>,
}

/// In the order in which they run: what fails fast comes first, and what shares compiled code stands together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    /// System packages and toolchain components
    Setup,
    /// cargo fmt
    Format,
    /// The rules of `cargo xtask check`
    HouseRules,
    /// cargo clippy
    Clippy,
    /// cargo doc, where a warning is an error
    Docs,
    /// Starts PostgreSQL, MariaDB and Redis
    ServersUp,
    /// All tests and the examples in the documentation
    Tests,
    /// migrate-apalis, a workspace of its own: format, clippy, docs and tests
    Apalis,
    /// Stops the servers
    ServersDown,
    /// The runtime compiles with SQLite alone
    FeaturesSqlite,
    /// .. with PostgreSQL alone
    FeaturesPostgres,
    /// .. with MySQL alone
    FeaturesMysql,
    /// .. with its default features
    FeaturesDefault,
    /// .. and without any backend it builds or says clearly why not
    FeaturesNone,
    /// The example runs in a fresh copy of the tree, as the README says
    Example,
}

/// What one step leaves for later ones. Dropped on every path, and the servers with it.
#[derive(Debug, Default)]
struct Context {
    servers: Option<Servers>,
}

/// Runs the steps until one fails.
pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let steps = selected(&args.steps);
    let started = Instant::now();
    let mut context = Context::default();
    let mut times = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        interrupt::check()?;
        let name = step.name();
        println!(
            "\n==> [{}/{}] {name}: {}",
            index + 1,
            steps.len(),
            step.about()
        );
        let began = Instant::now();
        if let Err(source) = step.run(&mut context) {
            print_times(&times);
            println!("{name:>20}  FAILED after {}", seconds(began.elapsed()));
            return Err(failed(name, source));
        }
        let elapsed = began.elapsed();
        println!("<== {name}: ok, {}", seconds(elapsed));
        times.push((name, elapsed));
    }
    print_times(&times);
    println!("{}", summary(steps.len(), started.elapsed()));
    Ok(())
}

impl Step {
    fn all() -> &'static [Self] {
        Self::value_variants()
    }

    fn name(self) -> String {
        // Every variant has one: none is skipped.
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn about(self) -> &'static str {
        match self {
            Self::Setup => "system packages and toolchain components",
            Self::Format => "cargo fmt --all --check",
            Self::HouseRules => "cargo xtask check",
            Self::Clippy => "cargo clippy --workspace --all-targets --all-features",
            Self::Docs => "cargo doc --workspace --no-deps --all-features",
            Self::ServersUp => "PostgreSQL, MariaDB and Redis",
            Self::Tests => "cargo test --workspace --all-features",
            Self::Apalis => "format, clippy, docs and tests of migrate-apalis",
            Self::ServersDown => "all three still there, then stopped",
            Self::FeaturesSqlite => "migrate-diesel with SQLite alone",
            Self::FeaturesPostgres => "migrate-diesel with PostgreSQL alone",
            Self::FeaturesMysql => "migrate-diesel with MySQL alone",
            Self::FeaturesDefault => "migrate-diesel as people get it",
            Self::FeaturesNone => "migrate-diesel without any backend",
            Self::Example => "`cargo run --bin migrate` in a fresh copy",
        }
    }

    fn run(self, context: &mut Context) -> Result<(), Error> {
        match self {
            Self::Setup => setup::run(),
            Self::Format => process::run(cargo().args(["fmt", "--all", "--check"])),
            Self::HouseRules => check::run(),
            Self::Clippy => clippy(),
            Self::Docs => docs(),
            Self::ServersUp => {
                context.servers = Some(Servers::start(Durability::Relaxed)?);
                Ok(())
            }
            Self::Tests => tests(context),
            Self::Apalis => apalis::run(context.servers.as_ref()),
            Self::ServersDown => context.servers.take().map_or(Ok(()), Servers::stop),
            Self::FeaturesSqlite => features::only("sqlite"),
            Self::FeaturesPostgres => features::only("postgres"),
            Self::FeaturesMysql => features::only("mysql"),
            Self::FeaturesDefault => features::default(),
            Self::FeaturesNone => features::none(),
            Self::Example => example::run(),
        }
    }
}

fn clippy() -> Result<(), Error> {
    let mut command = cargo();
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]);
    process::run(&mut command)
}

fn docs() -> Result<(), Error> {
    let mut command = cargo();
    command.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests(context: &Context) -> Result<(), Error> {
    let mut command = cargo();
    // All failures of one run at once: the next run is minutes away.
    command.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    if let Some(servers) = &context.servers {
        servers.export(&mut command);
    }
    process::run(&mut command)
}

/// cargo, hiding whatever of the developer's environment could change a result or reach a real database.
fn cargo() -> Command {
    let mut command = process::cargo();
    process::forget_databases(&mut command);
    process::forget_blessing(&mut command);
    command
}

/// The steps to run; nothing asked for means all.
fn selected(asked: &[Step]) -> Vec<Step> {
    let wanted = |step: &Step| match step {
        Step::ServersUp | Step::ServersDown => [*step, Step::Tests, Step::Apalis]
            .iter()
            .any(|step| asked.contains(step)),
        _ => asked.contains(step),
    };
    Step::all()
        .iter()
        .copied()
        .filter(|step| asked.is_empty() || wanted(step))
        .collect()
}

/// A signal is the reader's own doing, and no failure of the step.
fn failed(step: String, source: Error) -> Error {
    match source {
        Error::Interrupted(_) => source,
        _ => Error::Step {
            step,
            source: Box::new(source),
        },
    }
}

fn print_times(times: &[(String, Duration)]) {
    println!();
    for (name, elapsed) in times {
        println!("{name:>20}  {:>8}", seconds(*elapsed));
    }
}

fn summary(passed: usize, elapsed: Duration) -> String {
    let all = Step::all().len();
    let left_out = if passed == all {
        String::new()
    } else {
        format!(" (of {all}; the others were not asked for)")
    };
    format!("{passed} steps passed in {}{left_out}", seconds(elapsed))
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn without_a_choice_every_step_runs() {
        assert_eq!(selected(&[]), Step::all());
    }

    #[test]
    fn tests_bring_their_servers() {
        for tests in [Step::Tests, Step::Apalis] {
            assert_eq!(
                selected(&[tests]),
                [Step::ServersUp, tests, Step::ServersDown]
            );
        }
    }

    #[test]
    fn a_choice_keeps_the_usual_order() {
        assert_eq!(
            selected(&[Step::Docs, Step::Format]),
            [Step::Format, Step::Docs]
        );
    }

    #[test]
    fn the_summary_says_when_steps_were_left_out() {
        let all = Step::all().len();
        let second = Duration::from_secs(1);
        assert_eq!(summary(all, second), format!("{all} steps passed in 1.0 s"));
        assert_eq!(
            summary(1, second),
            format!("1 steps passed in 1.0 s (of {all}; the others were not asked for)")
        );
    }

    #[test]
    fn a_failure_names_its_step_and_a_signal_does_not() {
        let failure = failed("docs".to_owned(), Error::HouseRules { count: 1 });
        assert_eq!(failure.to_string(), "step `docs` failed");
        assert_eq!(failure.exit_code(), 1);
        let signal = failed("docs".to_owned(), Error::Interrupted(2));
        assert_eq!(signal.to_string(), "stopped by signal 2");
        assert_eq!(signal.exit_code(), 130);
    }

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let mut names: Vec<String> = Step::all().iter().map(|step| step.name()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), Step::all().len());
        assert!(names.iter().all(|name| !name.is_empty()), "{names:?}");
    }
}
