use migrate_diesel::prelude::*;

#[mass_migration(table = "users")]
fn fill(db: &mut SqliteConnection, batch: &Batch<i64>) -> Result<String, String> {
    let _ = (db, batch);
    Err(String::new())
}

#[mass_migration(table = "users")]
fn nothing(db: &mut SqliteConnection, batch: &Batch<i64>) {
    let _ = (db, batch);
}

fn main() {}
