use migrate_diesel::prelude::*;

#[mass_migration(table = "users", transaction = none)]
fn transaction(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", repeat = always, phase = before)]
fn repeat(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", replaces = [repeat])]
fn replaces(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", suspends = [View], unmanaged = restore)]
fn suspends(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

fn main() {}
