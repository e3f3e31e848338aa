use migrate_diesel::prelude::*;

#[migration]
fn shared(db: &SqliteConnection) -> QueryResult<()> {
    let _ = db;
    Ok(())
}

#[migration]
fn owned(db: SqliteConnection) -> QueryResult<()> {
    let _ = db;
    Ok(())
}

#[migration]
fn session(db: &Session<'_, SqliteConnection>) -> QueryResult<()> {
    let _ = db;
    Ok(())
}

#[migration]
fn any(db: &mut impl SimpleConnection) -> QueryResult<()> {
    db.batch_execute("")
}

fn main() {}
