use migrate_diesel::prelude::*;

#[mass_migration(query = "SELECT id FROM users")]
fn fill(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

fn main() {}
