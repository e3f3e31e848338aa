use migrate_diesel::prelude::*;

#[mass_migration(table = "a.b.users")]
fn table(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", key = ["tenant", "`id`"])]
fn key(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(query = "users", key = "id")]
fn query(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

fn main() {}
