use migrate_diesel::prelude::*;

#[mass_migration(table = "users", batch = 0)]
fn batch(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", shards = 0)]
fn shards(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", max_failures = -1)]
fn failures(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", batch = "many")]
fn words(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", target = "500")]
fn target(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", pause = 5)]
fn pause(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[mass_migration(table = "users", added = sometimes)]
fn added(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

fn main() {}
