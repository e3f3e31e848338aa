use migrate_diesel::prelude::*;

#[migration(transaction = sometimes)]
fn one(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(transaction = "none")]
fn two(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(transaction = false)]
fn three(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
