use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) {
    db.batch_execute("CREATE TABLE users (id INTEGER)").unwrap();
}

fn main() {}
