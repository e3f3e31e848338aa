use migrate_diesel::prelude::*;

#[migration(id = "2026-create")]
fn one(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(id = "2026-create")]
fn two(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 2")
}

fn main() {}
