use migrate_diesel::prelude::*;

#[mass_migration(batch = 100)]
fn fill(db: &mut SqliteConnection) -> QueryResult<()> {
    let _ = db;
    Ok(())
}

fn main() {}
