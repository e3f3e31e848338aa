use migrate_diesel::prelude::*;

#[migration(down = undo, irreversible = "no way back")]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

fn undo(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE users")
}

fn main() {}
