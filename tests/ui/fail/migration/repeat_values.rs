use migrate_diesel::prelude::*;

#[migration(phase = before)]
fn no_repeat(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("")
}

#[migration(repeat = sometimes, phase = "after")]
fn words(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("")
}

#[migration(repeat = always, irreversible = "why")]
fn never_reverted(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("")
}

#[migration(replaces = [itself])]
fn itself(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("")
}

fn main() {}
