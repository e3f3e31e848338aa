use migrate_diesel::prelude::*;

// Errors of the body are rustc's own, and the only ones.
#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_exec("CREATE TABLE users (id INTEGER)")
}

#[migration(requires = [create_users])]
fn index_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id ON users (id)")
}

fn main() {}
