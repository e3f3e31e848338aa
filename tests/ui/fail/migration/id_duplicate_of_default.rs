use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(id = "create_users")]
fn create_users_again(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 2")
}

fn main() {}
