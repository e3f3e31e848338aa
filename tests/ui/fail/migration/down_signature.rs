use migrate_diesel::prelude::*;

#[migration(down = undo)]
fn one(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn undo(_db: &SqliteConnection) -> QueryResult<()> {
    Ok(())
}

#[migration(down = count)]
fn two(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn count(_db: &mut SqliteConnection) -> u32 {
    0
}

#[migration(down = no_such_function)]
fn three(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
