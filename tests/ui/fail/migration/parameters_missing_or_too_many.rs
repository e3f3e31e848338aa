use migrate_diesel::prelude::*;

#[migration]
fn none() -> QueryResult<()> {
    Ok(())
}

#[migration]
fn two(db: &mut SqliteConnection, name: &str) -> QueryResult<()> {
    db.batch_execute(name)
}

fn main() {}
