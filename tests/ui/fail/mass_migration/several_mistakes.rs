use migrate_diesel::prelude::*;

#[mass_migration(table = 5, qery = "SELECT 1", repeat = always, requires = [fill])]
async fn fill(db: &SqliteConnection, batch: Batch<i64>) {
    let _ = (db, batch);
}

fn main() {}
