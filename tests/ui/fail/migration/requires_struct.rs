use migrate_diesel::prelude::*;

pub struct Users;

#[migration(requires = [Users])]
fn index_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id ON users (id)")
}

fn main() {}
