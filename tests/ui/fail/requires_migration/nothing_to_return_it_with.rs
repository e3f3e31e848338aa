use migrate_diesel::{prelude::*, requires_migration};

#[migration]
pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[requires_migration(create_users)]
fn count() -> u64 {
    1
}

#[requires_migration(create_users)]
async fn greet() {}

#[requires_migration(create_users)]
fn query() -> QueryResult<u64> {
    Ok(1)
}

fn main() {
    let _ = (count(), greet(), query());
}
