use migrate_diesel::prelude::*;

fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

#[migration(requires = [create_users])]
fn index_users(db: &mut SqliteConnection) -> QueryResult<()> {
    create_users(db)
}

fn main() {}
