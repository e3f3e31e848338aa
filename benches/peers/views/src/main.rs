//! Views out of the way of a change and back again, by a guard and by hand.
//!
//! `bench-views reset URL DATABASE` makes an empty database, and `bench-views remove URL DATABASE` takes it away, by way
//! of a server's other one. `bench-views prepare TASK` makes tables and views in it,
//! `bench-views run TASK` runs the migration once more and prints one JSON object about that, where a task is
//! `CONTESTANT URL SHAPE IN_THE_WAY BESIDE LENGTH`.
#![forbid(unsafe_code)]

mod catalog;
mod clock;
mod fixture;
mod migrations;
mod task;

use std::{env, error::Error, process::ExitCode};

use diesel::connection::SimpleConnection as _;
use migrate_diesel::{AnyConnection, Migrator, core::DatabaseUrl, migrations};

use crate::{
    clock::Clock,
    migrations::{
        body, by_hand, create_tables, guarded, in_one_batch, suspending, suspending_barrier,
        time_by,
    },
    task::{Backend, Contestant, Task},
};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let result = match words.split_first() {
        Some((word, [url, database])) if word == "reset" => reset(url, database),
        Some((word, [url, database])) if word == "remove" => {
            open(url).and_then(|mut db| remove(&mut db, url, database))
        }
        Some((word, rest)) if word == "prepare" => parsed(rest).and_then(|task| prepare(&task)),
        Some((word, rest)) if word == "run" => parsed(rest).and_then(|task| run(&task)),
        _ => Err("usage: bench-views reset|remove URL DATABASE | prepare|run TASK".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-views: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn parsed(words: &[String]) -> Result<Task, Box<dyn Error>> {
    let task = Task::parse(words)?;
    task.publish();
    Ok(task)
}

fn open(url: &str) -> Result<AnyConnection, Box<dyn Error>> {
    Ok(AnyConnection::open(&DatabaseUrl::new(url))?)
}

fn reset(url: &str, database: &str) -> Result<(), Box<dyn Error>> {
    let mut db = open(url)?;
    remove(&mut db, url, database)?;
    let reader = fixture::READER;
    db.batch_execute(&match Backend::of(url) {
        Backend::Mysql => format!("CREATE USER IF NOT EXISTS '{reader}'@'%'"),
        _ => format!(
            "DO $$BEGIN IF to_regrole('{reader}') IS NULL THEN CREATE ROLE {reader}; END IF; END$$"
        ),
    })?;
    Ok(db.batch_execute(&format!("CREATE DATABASE {database}"))?)
}

fn remove(db: &mut AnyConnection, url: &str, database: &str) -> Result<(), Box<dyn Error>> {
    let force = match Backend::of(url) {
        Backend::Sqlite => return Err("SQLite's databases are files".into()),
        Backend::Postgres => " WITH (FORCE)",
        Backend::Mysql => "",
    };
    Ok(db.batch_execute(&format!("DROP DATABASE IF EXISTS {database}{force}"))?)
}

/// Tables and views. Declared ones are made by the runner; the others as a person would.
fn prepare(task: &Task) -> Result<(), Box<dyn Error>> {
    let backend = task.backend();
    let declares = task.contestant.declares();
    let mut db = open(&task.url)?;
    let views = if declares {
        fixture::declared(task)
    } else {
        Vec::new()
    };
    Migrator::new(migrations![create_tables])?
        .with_views(views)?
        .up(&mut db)?;
    for view in fixture::planned(task) {
        if !declares {
            db.batch_execute(&view.create(backend))?;
        }
        for statement in view.hang(backend) {
            db.batch_execute(&statement)?;
        }
    }
    if backend == Backend::Postgres {
        db.batch_execute("VACUUM ANALYZE")?;
    }
    Ok(())
}

/// One migration, in a database where everything before it has been done.
fn run(task: &Task) -> Result<(), Box<dyn Error>> {
    let backend = task.backend();
    let before = {
        let mut db = open(&task.url)?;
        forget(&mut db, backend)?;
        catalog::views(&mut db, backend)?
    };
    let expected = task.in_the_way + task.beside;
    if before.len() != expected {
        return Err(format!("there are {} views instead of {expected}", before.len()).into());
    }
    let views = if task.contestant.declares() {
        fixture::declared(task)
    } else {
        Vec::new()
    };
    let [first, second] = migrations(task);
    let mut db = open(&task.url)?;
    let clock = Clock::of(&mut db);
    time_by(&clock);
    let start = clock.start();
    let summary = Migrator::new([first, second])?
        .with_views(views)?
        .up(&mut db)?;
    let run = start.spent();

    drop(db);
    let mut db = open(&task.url)?;
    if summary.applied != 1 || catalog::length(&mut db, backend)? != task.length.to_string() {
        return Err("the migration did not do its work".into());
    }
    if catalog::views(&mut db, backend)? != before {
        return Err("the views are not what they were".into());
    }
    let parts = [Some(run.json("run")), body().map(|body| body.json("body"))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    println!("{{{}}}", parts.join(","));
    Ok(())
}

/// So that it runs once more, and does not meet what earlier runs left in PostgreSQL's catalogs.
fn forget(db: &mut AnyConnection, backend: Backend) -> Result<(), Box<dyn Error>> {
    db.batch_execute("DELETE FROM migrate_history WHERE id <> 'bench_views:create_tables'")?;
    if backend == Backend::Postgres {
        db.batch_execute(
            "VACUUM pg_class, pg_type, pg_attribute, pg_rewrite, pg_depend, pg_shdepend, pg_description, migrate_history",
        )?;
    }
    Ok(())
}

fn migrations(task: &Task) -> [migrate_diesel::core::NodeRef; 2] {
    match (task.contestant, task.backend()) {
        (Contestant::Guard, _) => migrations![create_tables, guarded],
        (Contestant::Suspends, Backend::Postgres) => migrations![create_tables, suspending_barrier],
        (Contestant::Suspends, _) => migrations![create_tables, suspending],
        (Contestant::Hand, _) => migrations![create_tables, by_hand],
        (Contestant::Batch, _) => migrations![create_tables, in_one_batch],
    }
}
