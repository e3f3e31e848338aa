use migrate_diesel::prelude::*;

#[migration(requires = [index_users])]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

#[migration(requires = [create_users])]
fn index_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id ON users (id)")
}

// Not in the circle: not mentioned.
#[migration(requires = [create_users])]
fn create_orders(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE orders (id INTEGER)")
}

fn main() {}
