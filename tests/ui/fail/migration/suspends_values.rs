use migrate_diesel::prelude::*;

#[migration(suspends = ActiveUsers, unmanaged = keep)]
fn one(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(suspends = ["ActiveUsers", Vec<u8>], unmanaged)]
fn two(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
