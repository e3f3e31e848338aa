use migrate_diesel::prelude::*;

#[migration(requires = [Box<index_users>])]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

#[migration(requires = [create_users])]
fn index_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id ON users (id)")
}

fn main() {}
