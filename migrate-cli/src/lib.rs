//! The command line of `migrate`, as a library.
//!
//! A program's `main` is one line (`migrate_diesel::main!(shop, billing);`); it ends up in [`main`],
//! which reads the process (arguments, environment, working directory, streams) and calls [`run`].
//! [`run`] takes all of that as values, so that a test needs no process.
//!
//! This crate knows [`Application`] and its reports, never a database library.
//!
//! # Where things are
//! | module | job |
//! |---|---|
//! | `args` | what was typed: clap's view of the command line |
//! | `request` | what it means, in migrate-core's words |
//! | `config` | flags, environment, `.env`, `migrate.toml` and defaults, merged |
//! | `command` | one file per command |
//! | `startup` | what stands around a run in a container: marker, Redis, a dump to begin with |
//! | `scaffold` | `new`: reads the app's sources as far as it takes to add to them |
//! | `signals` | what SIGINT and SIGTERM mean |
//! | `render` | everything a person or a program reads |
//!
//! # Configuration
//! Flag > environment > `.env` > file > default.
//!
//! - **`migrate.toml`**: `--config FILE`; else the first one in the working directory and its
//!   parents, up to the workspace (a `Cargo.toml` with `[workspace]`, or `.git`); else the one beside
//!   the program's own `Cargo.toml`, where that directory exists on this machine.
//!   `.env` is searched in the same places.
//! - **Keys**: `database_url`, `history_table`, `ordering`, `lock_wait`, `view_lock_wait`,
//!   `view_lock_timeout`, `on_changed`, `[databases.NAME] url`; of sessions, and in `[databases.NAME]`
//!   of one database's, `application_name`, `search_path`, `statement_timeout` and `lock_timeout`; of the start of a container `wait_for_db`,
//!   `schema_version` and `flag_dir`, `redis_url` and `redis_flush`, `restore_from`,
//!   `restore_command` and `restore_expects`.
//!   Each is also a variable: `MIGRATE_DATABASE_URL`, `MIGRATE_HISTORY_TABLE`, `MIGRATE_ORDERING`,
//!   `MIGRATE_LOCK_WAIT`, `MIGRATE_VIEW_LOCK_WAIT`, `MIGRATE_VIEW_LOCK_TIMEOUT`, `MIGRATE_ON_CHANGED`,
//!   `MIGRATE_DATABASES_<NAME>_URL`, `MIGRATE_DATABASES_<NAME>_LOCK_TIMEOUT`. An empty variable is an unset one.
//!   `DATABASE_URL` counts where `MIGRATE_DATABASE_URL` is set nowhere.
//! - **`${VAR}`** and **`${VAR:-default}`** in a value of the file are replaced from the
//!   environment, then `.env`; `$${` stands for `${`. A value that is overridden or not needed is
//!   not looked into, so an unset variable in it does no harm.
//! - **A relative SQLite path** is relative to the directory of `migrate.toml` when it stands there
//!   (the file means the same database wherever the program is started), and to the working
//!   directory when it comes from a flag, the environment or `.env`.
//!
//! # Exit codes
//! See [`exit`].
#![forbid(unsafe_code)]

mod args;
mod command;
mod config;
pub mod exit;
mod invocation;
mod render;
mod request;
mod scaffold;
mod signals;
mod startup;
mod suggest;

use std::process::ExitCode;

use migrate_core::{Application, DatabaseUrl, Failure};

use signals::Signals;

pub use invocation::{Input, Invocation, Live, Program, Stream, StreamKind, Streams};

/// Runs the command line of this process.
///
/// The first SIGINT or SIGTERM ends a run as soon as it can: what is running is finished or rolled back,
/// the lock given back, the exit code 1. The second ends the process, with 130 or 143.
pub fn main(program: &Program, app: &dyn Application) -> ExitCode {
    let invocation = Invocation::of_this_process();
    invocation::with_process_streams(|streams| {
        ExitCode::from(command::run(
            program,
            app,
            &invocation,
            streams,
            Signals::Heeded,
        ))
    })
}

/// Runs one command line and returns its [exit code](exit).
///
/// The process is touched in two ways only (its signals are left alone): a live line is drawn where [`Streams::live`] allows it,
/// and `-v` or `RUST_LOG` installs a `tracing` subscriber on standard error.
pub fn run(
    program: &Program,
    app: &dyn Application,
    invocation: &Invocation,
    streams: Streams<'_>,
) -> u8 {
    command::run(program, app, invocation, streams, Signals::LeftAlone)
}

/// The URL that is configured for `database` where this process runs: for tests, which ask as the
/// command line does. `None` where nothing is configured.
///
/// # Errors
/// A file is broken, or the setting that counts has no meaning.
pub fn configured_url(database: &str) -> Result<Option<DatabaseUrl>, Failure> {
    let program = Program {
        name: "migrate",
        version: "",
        // `cargo test` runs in the directory of the package.
        manifest_dir: "",
    };
    let invocation = Invocation::of_this_process();
    let loaded = config::load(&program, &invocation, &request::Options::default())?;
    if !loaded.config.has_url(database) {
        return Ok(None);
    }
    let carried = [database.to_owned()];
    let targets = loaded.config.targets(&carried, &carried, &[])?;
    Ok(targets.into_iter().next().map(|target| target.url))
}
