//! What the processes of `signals.rs` run: bodies that take long, unless the switch `quick` is on.

use std::{thread, time::Duration};

use migrate_diesel::prelude::*;

use crate::{
    cases::{is_on, leave},
    database::Backend,
};

/// One statement that leaves `name`, after some seconds; SQLite's takes two or so, because nothing stops it.
fn dawdle(db: &mut AnyConnection, name: &str, seconds: u32) -> QueryResult<()> {
    if is_on(db, "quick") {
        return leave(db, name);
    }
    let statement = match Backend::of(db) {
        Backend::Postgres => {
            format!("INSERT INTO effects (name) SELECT '{name}' FROM pg_sleep({seconds})")
        }
        // One that is killed in a mere SELECT is no error.
        Backend::Mysql => format!(
            "INSERT INTO effects (name) SELECT '{name}' FROM (SELECT SLEEP({seconds}) AS slept) s WHERE slept >= 0"
        ),
        _ => {
            thread::sleep(Duration::from_secs(2));
            return leave(db, name);
        }
    };
    db.batch_execute(&statement)
}

#[migration(database = "signals")]
pub(crate) fn signals_1_short(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "1")
}

#[migration(database = "signals", requires = [signals_1_short], down = undo_long)]
pub(crate) fn signals_2_long(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "2 before")?;
    dawdle(db, "2", 60)
}

/// As long as the switch `slow_down` is on.
fn undo_long(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("DELETE FROM effects WHERE name LIKE '2%'")?;
    if !is_on(db, "slow_down") {
        return Ok(());
    }
    db.batch_execute("DELETE FROM switches WHERE name = 'quick'")?;
    dawdle(db, "undone", 60)
}

#[migration(database = "signals", requires = [signals_2_long])]
pub(crate) fn signals_3_after(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "3")
}

/// Outside a transaction: what is begun is finished.
#[migration(database = "signals_steps", transaction = none)]
pub(crate) fn signals_steps(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.step("one", |db| dawdle(db, "one", 2))?;
    db.step("two", |db| leave(db, "two"))
}

/// Outside a transaction, in one piece.
#[migration(database = "signals_whole", transaction = none)]
pub(crate) fn signals_whole(db: &mut AnyConnection) -> QueryResult<()> {
    dawdle(db, "one", 3)?;
    leave(db, "two")
}

#[migration(database = "signals_whole", requires = [signals_whole])]
pub(crate) fn signals_whole_after(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "three")
}

/// DDL has committed on MySQL what came before it: there it is finished, elsewhere cut short.
#[migration(database = "signals_ddl")]
pub(crate) fn signals_ddl(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE signalled (id INTEGER)")?;
    dawdle(db, "ddl", 3)
}

/// What it did not need to be told of: it goes on after the error of a statement.
#[migration(database = "signals_swallowed")]
pub(crate) fn signals_swallowed(db: &mut AnyConnection) -> QueryResult<()> {
    let _ = db.transaction(|db| dawdle(db, "swallowed", 60));
    leave(db, "after")
}
