use migrate_diesel::prelude::*;

#[migration(id = "shop:create")]
fn colon(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(id = "create users")]
fn space(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(id = "")]
fn empty(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
