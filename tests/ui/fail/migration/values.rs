use migrate_diesel::prelude::*;

#[migration(id = create, was = "old", down = "undo", irreversible = 1, database = [a], crate = "x")]
fn one(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(id = , was = [], irreversible = "", database = "")]
fn two(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(id = b"x", was = [old], databases = ["a", ""])]
fn three(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(databases = [] id = "x")]
fn four(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
