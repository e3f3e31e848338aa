use migrate_diesel::prelude::*;

#[migration]
async fn asynchronous(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration]
const fn constant(_db: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

#[migration]
unsafe fn dangerous(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration]
extern "C" fn foreign(_db: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

// Both at once.
#[migration]
async unsafe fn both(_db: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

fn main() {}
