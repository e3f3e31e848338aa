use migrate_diesel::prelude::*;

#[mass_migration(table = "users")]
fn fill(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[migration(requires = [fill])]
fn index(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = index, until = fill, sql = "SELECT 1")]
struct Users;

fn main() {}
