use migrate_diesel::prelude::*;

#[migration(requires = [create_users])]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

fn main() {}
