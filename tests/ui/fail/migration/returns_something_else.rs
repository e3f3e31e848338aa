use migrate_diesel::prelude::*;

#[migration]
fn count(_db: &mut SqliteConnection) -> u32 {
    0
}

#[migration]
fn rows(_db: &mut SqliteConnection) -> QueryResult<usize> {
    Ok(1)
}

pub struct NoError;

#[migration]
fn no_error(_db: &mut SqliteConnection) -> Result<(), NoError> {
    Err(NoError)
}

fn main() {}
