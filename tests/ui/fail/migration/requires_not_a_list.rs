use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

#[migration(requires = self::create_users)]
fn index_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id ON users (id)")
}

#[migration(requires(create_users))]
fn index_more(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id2 ON users (id)")
}

#[migration(requires = "create_users")]
fn index_most(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id3 ON users (id)")
}

#[migration(requires)]
fn index_none(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id4 ON users (id)")
}

#[migration(requires = [create_users index_more,, index_most])]
fn index_two(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id5 ON users (id)")
}

fn main() {}
