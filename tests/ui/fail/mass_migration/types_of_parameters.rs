use migrate_diesel::prelude::*;

struct Amount;

#[mass_migration(parameters = Amount)]
fn no_parameters(db: &mut SqliteConnection, amount: &Amount) -> QueryResult<()> {
    let _ = (db, amount);
    Ok(())
}

#[mass_migration(parameters = String)]
fn not_taken(db: &mut SqliteConnection) -> QueryResult<()> {
    let _ = db;
    Ok(())
}

fn main() {}
