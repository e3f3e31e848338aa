use migrate_diesel::prelude::*;

struct Plain;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(requires = [create_users], suspends = [create_users, Plain])]
fn change(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(requires = [create_users], suspends = [ActiveUsers])]
fn unknown(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
