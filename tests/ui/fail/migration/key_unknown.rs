use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

#[migration(require = [create_users], name = "x", 3)]
fn index_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id ON users (id)")
}

fn main() {}
