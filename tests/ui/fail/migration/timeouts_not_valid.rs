use migrate_diesel::prelude::*;

#[migration(statement_timeout = "5 minutes")]
pub fn words(_db: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

#[migration(lock_timeout = "0s")]
pub fn nothing(_db: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

#[migration(lock_timeout = 2)]
pub fn number(_db: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

#[migration(statement_timeout = "")]
pub fn empty(_db: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

fn main() {}
