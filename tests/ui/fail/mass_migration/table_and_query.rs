use migrate_diesel::prelude::*;

#[mass_migration(table = "users", query = "SELECT id FROM users", key = "id")]
fn fill(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

fn main() {}
