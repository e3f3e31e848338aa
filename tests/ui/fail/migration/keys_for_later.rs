use migrate_diesel::prelude::*;

#[migration(manual = yes)]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

fn main() {}
