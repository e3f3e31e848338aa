use migrate_diesel::prelude::*;

#[migration(requires = [squash])]
fn old(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("")
}

#[migration(replaces = [old, unknown])]
fn squash(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("")
}

fn main() {}
