use migrate_diesel::prelude::*;

#[migration]
#[migration(id = "other")]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

fn main() {}
