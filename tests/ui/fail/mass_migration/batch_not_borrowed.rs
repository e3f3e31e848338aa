use migrate_diesel::prelude::*;

#[mass_migration(table = "users")]
fn owned(db: &mut SqliteConnection, batch: Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users")]
fn mutable(db: &mut SqliteConnection, batch: &mut Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

fn main() {}
