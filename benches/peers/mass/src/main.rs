//! One update of every row of a large table: by a mass migration, by a loop that a person would write, and by a single
//! statement.
//!
//! `bench-mass reset URL DATABASE` makes an empty database, and `bench-mass remove URL DATABASE` takes it away, by way
//! of a server's other one. `bench-mass prepare URL ROWS` makes the table anew, `bench-mass run CONTESTANT URL ROWS BATCH`
//! updates it once and prints one JSON object about that.
#![forbid(unsafe_code)]

mod clock;
mod contestant;
mod hand;
mod ours;
mod table;

use std::{env, error::Error, process::ExitCode};

use diesel::connection::SimpleConnection as _;
use migrate_diesel::{AnyConnection, core::DatabaseUrl};

use crate::{clock::Clock, contestant::Contestant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["reset", url, database] => reset(url, database),
        ["remove", url, database] => open(url).and_then(|mut db| remove(&mut db, database)),
        ["prepare", url, rows] => number(rows).and_then(|rows| table::prepare(url, rows)),
        ["run", contestant, url, rows, batch] => run(contestant, url, rows, batch),
        _ => Err(
            "usage: bench-mass reset|remove URL DATABASE | prepare URL ROWS | run CONTESTANT URL ROWS BATCH"
                .into(),
        ),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-mass: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn open(url: &str) -> Result<AnyConnection> {
    Ok(AnyConnection::open(&DatabaseUrl::new(url))?)
}

fn number(word: &str) -> Result<u32> {
    word.parse()
        .map_err(|error| format!("`{word}` is no number: {error}").into())
}

fn reset(url: &str, database: &str) -> Result<()> {
    let mut db = open(url)?;
    remove(&mut db, database)?;
    Ok(db.batch_execute(&format!("CREATE DATABASE {database}"))?)
}

fn remove(db: &mut AnyConnection, database: &str) -> Result<()> {
    let force = match db {
        AnyConnection::Postgres(_) => " WITH (FORCE)",
        _ => "",
    };
    Ok(db.batch_execute(&format!("DROP DATABASE IF EXISTS {database}{force}"))?)
}

fn run(contestant: &str, url: &str, rows: &str, batch: &str) -> Result<()> {
    let contestant = Contestant::parse(contestant)?;
    let (rows, batch) = (number(rows)?, number(batch)?);
    let clock = Clock::of(&mut open(url)?)?;
    let start = clock.start()?;
    match contestant {
        Contestant::Ours { workers } => ours::run(url, batch, workers)?,
        Contestant::Hand(keeps) => hand::run(url, batch, keeps)?,
        Contestant::Single => table::update_at_once(url)?,
    }
    let spent = start.spent()?;
    table::verify(url, rows)?;
    println!("{}", spent.json());
    Ok(())
}
