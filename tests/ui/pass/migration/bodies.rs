//! What a body may take and return.
use migrate_diesel::prelude::*;

type Db = SqliteConnection;
type Nothing = Result<(), Box<dyn std::error::Error + Send + Sync>>;

#[migration]
fn alias(db: &mut Db) -> Nothing {
    Ok(db.batch_execute("SELECT 1")?)
}

#[migration]
fn session(db: &mut Session<SqliteConnection>) -> QueryResult<()> {
    let _ = db.migration();
    db.batch_execute("SELECT 1")
}

#[migration]
fn elided(db: &mut Session<'_, Db>) -> Result<Outcome, String> {
    let _ = db;
    Ok(Outcome::NotYet("later"))
}

#[migration]
fn named<'a, 'b>(mut db: &'a mut Session<'b, SqliteConnection>) -> Result<(), std::io::Error> {
    let _ = &mut db;
    Ok(())
}

#[migration]
fn full_path(db: &mut migrate_diesel::Session<'_, migrate_diesel::prelude::SqliteConnection>) -> Result<(), &'static str> {
    let _ = db;
    Err("no")
}

#[migration]
fn any(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration]
fn any_session(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    let _ = db;
    Ok(())
}

#[migration]
fn ignored(_: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

fn main() {}
