//! What was typed: clap's view of the command line. What it means is [`request`](crate::request)'s job.

pub(crate) mod mass;
pub(crate) mod settle;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::{invocation::Program, scaffold::Template};

const EXAMPLES: &str = "\
Examples:
  migrate                         apply everything that is pending
  migrate plan                    show what that would do, and do nothing
  migrate status                  every migration with its state
  migrate up shop:create_users    this one and what it requires
  migrate down --steps 2          revert the two applied last
  migrate graph --format mermaid  the dependency graph, for a README";

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or nothing to do
  1  a migration failed, was blocked or is not yet done
  2  the command line or the configuration is wrong
  3  something is pending (status --exit-code, check)
  4  code, history and database disagree
  5  the deploy lock was not obtained in time
  6  the database cannot be reached

Configuration:
  flag > environment > .env > migrate.toml > default
  each key also as MIGRATE_<KEY>; DATABASE_URL where MIGRATE_DATABASE_URL is absent
  where     database_url, [databases.NAME] url, history_table
  sessions  application_name, search_path, connect_timeout, statement_timeout,
            lock_timeout; also in [databases.NAME]
  runs      ordering, on_changed, mass_in_up, lock_wait, view_lock_wait,
            view_lock_timeout
  start     wait_for_db, restore_from (also in [databases.NAME]), restore_command,
            restore_expects, schema_version, flag_dir, redis_url, redis_flush";

const GLOBAL: &str = "Global options";
const SEVERAL: &str = "Where there are several databases";
const START: &str = "At the start of a container";

/// Bring a database to where the code says it should be.
///
/// Applies the migrations that this program carries, in the order of what they require, each
/// exactly once. Without a command: `up`.
#[derive(Debug, Parser)]
pub(crate) struct Typed {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Option<TypedCommand>,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Only this configured database, or those that match: 'tenant_*'; may be repeated [default: all that apply]
    #[arg(long, global = true, value_name = "NAME", help_heading = GLOBAL)]
    pub(crate) database: Vec<String>,
    /// Where the database is, instead of what is configured
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL)]
    pub(crate) database_url: Option<String>,
    /// Configuration file [default: the nearest migrate.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub(crate) config: Option<PathBuf>,
    /// For people, or JSON on standard output
    #[arg(long, global = true, value_name = "FORMAT", help_heading = GLOBAL)]
    pub(crate) format: Option<TypedFormat>,
    /// Tell what happens behind the scenes (-vv: everything)
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet", help_heading = GLOBAL)]
    pub(crate) verbose: u8,
    /// Only results and errors
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub(crate) quiet: bool,
    /// No colours (so does NO_COLOR, and a pipe)
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) no_color: bool,
}

/// Values of `--format`. Only `human` and `json` are everybody's; the rest are for `graph`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TypedFormat {
    Human,
    Json,
    #[value(hide = true)]
    Text,
    #[value(hide = true)]
    Mermaid,
    #[value(hide = true)]
    Dot,
    #[value(hide = true)]
    Svg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TypedCommand {
    /// Apply what is pending (this is also what no command does)
    Up(UpArgs),
    /// Show what `up` would do, in order, and to which views; writes nothing, takes no lock
    Plan(SelectionArgs),
    /// Every migration and view with its state
    Status(StatusArgs),
    /// Migrations, views and what they need: --format text, mermaid, dot, svg or json
    ///
    /// Needs no database; where one can be reached, states are shown too.
    Graph,
    /// Revert the migration applied last, or those you name; asks first
    Down(DownArgs),
    /// Revert and apply again, under one lock; asks first
    Redo(DownArgs),
    /// Do code, history and database agree? Exit 0 yes, 3 something is pending, 4 no
    Check,
    /// Settle a migration that was interrupted outside a transaction
    Resolve(ResolveArgs),
    /// Record migrations as applied without running them; asks first
    ///
    /// For what was done by hand or by another program. Views that live since one of them come up with
    /// the next `up`: until then `status` calls them missing.
    Mark(settle::MarkArgs),
    /// Record all migrations as applied, of a database that is there already; asks first
    ///
    /// With IDs: these and what they require, also where there is a history. Views that live since one
    /// of them come up with the next `up`.
    Baseline(settle::BaselineArgs),
    /// Take an applied migration whose code changed since for unchanged
    ///
    /// For a change that does no harm, such as another formatting. `check` and `up` then are silent
    /// about it.
    Accept(settle::AcceptArgs),
    /// Take over the history of another tool in the same database; asks first
    ///
    /// Shows which of theirs is which of ours, and records these as applied, with their times; their
    /// table stays as it is. What is called alike is found: the same name, the same number and words.
    /// For the rest it says what to write into a `--map` file. Views that live since one of them come
    /// up with the next `up`.
    Adopt(settle::AdoptArgs),
    /// What was done here: when, what, who, how long, how it ended
    Log(LogArgs),
    /// Fill an empty database from a dump: .sql, .gz, .xz, .zst, others by restore_command
    ///
    /// One transaction where the database can (PostgreSQL, SQLite); stops at the first error; checked
    /// to contain the history of migrations, or what restore_expects names. PostgreSQL and MySQL take
    /// their client programs, psql and mysql or mariadb. `up` does it by itself where restore_from is
    /// configured and the database has no history.
    Restore(RestoreArgs),
    /// Wait until the database is reachable and nothing is pending
    ///
    /// For the start of an application container that comes up beside a deploy. Mass migrations are not
    /// waited for: they run beside the program. Exit 0 when up to
    /// date, 1 when something is still pending at the timeout, 6 when the database cannot be
    /// reached by then.
    Wait(WaitArgs),
    /// Data migrations over millions of rows: batched, resumable, beside the deploys
    Mass(mass::MassArgs),
    /// Who holds the deploy lock; with --yes, end that session
    ///
    /// For a deploy that hangs, or whose machine is gone without the server having noticed. Ends only a
    /// session that has sent no statement for a minute, unless --force; what it has not committed is
    /// rolled back. On SQLite the lock is a file's and goes with its process: that is named. Exit 0 when
    /// nobody holds it or its holder was ended, 5 while somebody does. The log keeps who was ended.
    Unlock(UnlockArgs),
    /// Write a new migration into the app's source
    ///
    /// Beside those that are there: a file below src/migrations, or the end of src/migrations.rs; for
    /// the same connection, and after the latest. It compiles as it is.
    New(NewArgs),
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// What to apply.
#[derive(Debug, Default, Args)]
pub(crate) struct SelectionArgs {
    /// Only these (`package:name`, or `name` where it is unambiguous) and what they require
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Only the first N of what is pending
    #[arg(long, value_name = "N", value_parser = steps, allow_negative_numbers = true, conflicts_with = "ids")]
    pub(crate) steps: Option<usize>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    /// One transaction for everything: all or nothing
    #[arg(long, conflicts_with = "keep_going")]
    pub(crate) atomic: bool,
    /// After a failure, go on with what does not depend on it
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// What becomes of mass migrations [default: mass_in_up, or enqueue]
    #[arg(long, value_name = "HOW")]
    pub(crate) mass: Option<mass::TypedInUp>,
    /// Run every repeatable migration, also those with nothing to do
    #[arg(long)]
    pub(crate) repeat: bool,
    /// First take this one, which `check` calls changed, for unchanged (as `accept` does)
    #[arg(
        long,
        value_name = "ID",
        requires = "reason",
        conflicts_with = "dry_run"
    )]
    pub(crate) accept: Vec<String>,
    /// With --accept: why the change does no harm; goes to the log
    #[arg(long, value_name = "WHY", requires = "accept")]
    pub(crate) reason: Option<String>,
    /// Try it in a transaction that is rolled back, and show every statement with its time
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// With --dry-run: only the statements, as a script
    #[arg(long, requires = "dry_run")]
    pub(crate) sql: bool,
    /// For how long to wait for the deploy lock: 60s, 2m, 500ms [default: lock_wait, or 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
    /// How many at a time
    #[arg(long, value_name = "N", default_value = "1", value_parser = steps, allow_negative_numbers = true, help_heading = SEVERAL)]
    pub(crate) jobs: usize,
    /// After how many that failed no other one is begun
    #[arg(long, value_name = "N", default_value = "1", value_parser = steps, allow_negative_numbers = true, help_heading = SEVERAL)]
    pub(crate) stop_after: usize,
    #[command(flatten)]
    pub(crate) start: StartArgs,
    /// Answer yes to every question
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// What `up` does around a run, at the start of a container.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StartArgs {
    /// For how long to wait for a database that cannot be reached yet: 10m [default: wait_for_db, or not at all]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = START)]
    pub(crate) wait_for_db: Option<Duration>,
    /// Flush Redis also when nothing was applied
    #[arg(long, help_heading = START)]
    pub(crate) flush_redis: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Exit 3 when anything is not applied, or a view is not there as declared
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// This one, and what was applied that requires it [default: the one applied last]
    #[arg(value_name = "ID", conflicts_with_all = ["steps", "to"])]
    pub(crate) id: Option<String>,
    /// The N applied last
    #[arg(long, value_name = "N", value_parser = steps, allow_negative_numbers = true, conflicts_with = "to")]
    pub(crate) steps: Option<usize>,
    /// Everything applied after this one, which stays
    #[arg(long, value_name = "ID")]
    pub(crate) to: Option<String>,
    /// For how long to wait for the deploy lock: 60s, 2m, 500ms [default: lock_wait, or 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ResolveArgs {
    /// The interrupted migration
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) decision: DecisionArgs,
    /// For how long to wait for the deploy lock: 60s, 2m, 500ms [default: lock_wait, or 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
}

/// Exactly one.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct DecisionArgs {
    /// Run it again at the next `up`; finished steps are not repeated
    #[arg(long)]
    pub(crate) retry: bool,
    /// It took effect: record it as applied
    #[arg(long)]
    pub(crate) applied: bool,
    /// You undid what it did: forget the attempt
    #[arg(long)]
    pub(crate) reverted: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct NewArgs {
    /// What the function is called: add_email, create_orders
    #[arg(value_name = "NAME", allow_hyphen_values = false)]
    pub(crate) name: String,
    /// The package to write into [default: the one here, or the program's own]
    #[arg(long, short, value_name = "PACKAGE")]
    pub(crate) package: Option<String>,
    /// What kind of migration
    #[arg(long, short, value_name = "TEMPLATE", value_enum, default_value_t)]
    pub(crate) template: Template,
    /// Do not require the latest migration of that crate
    #[arg(long)]
    pub(crate) no_requires: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// How many of the newest entries
    #[arg(long, short = 'n', value_name = "N", default_value = "50", value_parser = steps, allow_negative_numbers = true)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The dump
    pub(crate) file: PathBuf,
    /// Also into a database that holds tables
    #[arg(long)]
    pub(crate) force: bool,
    /// For how long to wait for the deploy lock: 60s, 2m, 500ms [default: lock_wait, or 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
    /// For how long to wait for a database that cannot be reached yet: 10m [default: wait_for_db, or not at all]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait_for_db: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    /// For how long: 60s, 2m, 500ms; 0s looks once
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct UnlockArgs {
    /// End the session that holds it
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Also one that may be at work
    #[arg(long, requires = "yes")]
    pub(crate) force: bool,
}

fn steps(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it has to be at least 1".to_owned()),
        Ok(steps) => Ok(steps),
        Err(_) => Err("it has to be a whole number, at least 1".to_owned()),
    }
}

/// A duration as people write it; also of `lock_wait` in the configuration.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text.trim()).map_err(|error| {
        if text.trim().parse::<f64>().is_ok() {
            format!("it needs a unit, as in `{}s`", text.trim())
        } else {
            format!("{error}; write it as in `60s`, `2m`, `500ms`")
        }
    })
}

/// The clap command, named as the program is.
pub(crate) fn command(program: &Program, columns: Option<usize>) -> clap::Command {
    let examples = EXAMPLES.replace("  migrate ", &format!("  {} ", program.name));
    let command = Typed::command()
        .name(program.name)
        .version(program.version)
        .after_help(examples.clone())
        .after_long_help(format!("{examples}\n\n{EXIT_CODES}"));
    match columns {
        Some(columns) => command.term_width(columns.min(100)),
        None => command.term_width(100),
    }
}

/// Parses.
pub(crate) fn parse(mut command: clap::Command, args: &[OsString]) -> Result<Typed, clap::Error> {
    let name = OsString::from(command.get_name());
    let full = |args: &[OsString]| {
        std::iter::once(name.clone())
            .chain(args.iter().cloned())
            .collect::<Vec<_>>()
    };
    let result = command.try_get_matches_from_mut(full(args));
    let matches = match result {
        Err(error) if error.kind() == clap::error::ErrorKind::UnknownArgument => {
            // `migrate --dry-run`: an option of `up`, which no command stands for.
            let names_a_command = args.iter().any(|arg| {
                arg.to_str()
                    .is_some_and(|arg| command.find_subcommand(arg).is_some())
            });
            if names_a_command {
                return Err(error);
            }
            let mut with_up = vec![OsString::from("up")];
            with_up.extend_from_slice(args);
            command.try_get_matches_from_mut(full(&with_up))?
        }
        result => result?,
    };
    Typed::from_arg_matches(&matches)
}
