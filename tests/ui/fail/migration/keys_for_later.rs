use migrate_diesel::prelude::*;

#[migration(repeat = always, phase = before, replaces = [a])]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

fn main() {}
