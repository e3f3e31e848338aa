use migrate_diesel::prelude::*;

#[mass_migration(table = "users", batches = 100)]
fn near(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[migration(table = "users")]
fn of_the_other_attribute(db: &mut SqliteConnection) -> QueryResult<()> {
    let _ = db;
    Ok(())
}

fn main() {}
