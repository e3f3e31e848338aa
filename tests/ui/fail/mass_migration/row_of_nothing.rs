use migrate_diesel::prelude::*;

struct User;

#[mass_migration]
fn fill(db: &mut SqliteConnection, user: &User) -> QueryResult<()> {
    let _ = (db, user);
    Ok(())
}

fn main() {}
