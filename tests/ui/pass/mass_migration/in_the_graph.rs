//! A mass migration is a node like any other: what requires it, and what lives from it on.
#![forbid(unsafe_code)]
use migrate_diesel::prelude::*;

#[migration]
fn create(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, domain TEXT)")
}

mod data {
    use migrate_diesel::prelude::*;

    #[mass_migration(requires = [super::create], table = "users")]
    pub(crate) fn fill(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
        let _ = (db, batch);
        Ok(0)
    }

    #[mass_migration(requires = [fill], table = "users")]
    pub(crate) fn fill_again(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
        let _ = (db, batch);
        Ok(0)
    }
}

use data::{fill, fill_again as again};

#[migration(requires = [fill, again])]
fn index(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_by_domain ON users (domain)")
}

#[view_manager(since = fill, until = last, sql = "SELECT domain FROM users")]
struct Domains;

#[migration(requires = [index], suspends = [Domains])]
fn widen(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[mass_migration(requires = [widen], table = "users")]
fn last(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[migration(requires = [last], replaces = [fill])]
fn squashed(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migrate_diesel::requires_migration(fill)]
fn guarded() -> Result<(), migrate_diesel::NotMigrated> {
    Ok(())
}

fn main() {
    let _ = guarded as fn() -> _;
    let [fill, again, index] = migrate_diesel::migrations![fill, again, index];
    assert_eq!(index.get().requires, [fill, again]);
    assert_eq!(again.get().requires, [fill]);
    assert_eq!(fill.get().requires, migrate_diesel::migrations![create]);
}
