use migrate_diesel::prelude::*;

#[mass_migration(batch = 500)]
fn fill(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

fn main() {}
