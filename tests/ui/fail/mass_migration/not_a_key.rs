use migrate_diesel::prelude::*;

#[mass_migration(table = "users")]
fn fill(db: &mut SqliteConnection, batch: &Batch<f64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

fn main() {}
