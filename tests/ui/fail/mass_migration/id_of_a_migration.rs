use migrate_diesel::prelude::*;

#[migration(id = "fill")]
fn create(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[mass_migration(table = "users")]
fn fill(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

fn main() {}
