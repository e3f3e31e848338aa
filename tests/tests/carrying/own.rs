//! A program that is one crate.
use migrate_diesel::prelude::*;

#[migration]
fn create_notes(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE notes (id INTEGER PRIMARY KEY)")
}

migrate_diesel::main!();
