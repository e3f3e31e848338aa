use migrate_diesel::prelude::*;

#[mass_migration(key = "id")]
fn fill(db: &mut SqliteConnection) -> QueryResult<()> {
    let _ = db;
    Ok(())
}

fn main() {}
