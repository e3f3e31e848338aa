use migrate_diesel::prelude::*;

#[mass_migration(table = "users", before = count)]
fn before(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<()> {
    let _ = (db, batch);
    Ok(())
}

fn count(_db: &SqliteConnection) -> QueryResult<()> {
    Ok(())
}

#[mass_migration(table = "users", on_error = tell)]
fn on_error(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<()> {
    let _ = (db, batch);
    Ok(())
}

fn tell(_db: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

#[mass_migration(table = "users", throttle = [LAG])]
fn throttle(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<()> {
    let _ = (db, batch);
    Ok(())
}

static LAG: u32 = 5;

fn main() {}
