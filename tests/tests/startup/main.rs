//! The start of a container, at real servers: a database that comes later, Redis, a dump to begin with.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, from one end to the other"
)]

mod flush;
mod line;
mod restore;
mod wait;

use migrate_diesel::prelude::*;

#[migration(database = "startup")]
fn create_books(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(190) NOT NULL)")
}

#[migration(database = "startup", requires = [create_books])]
fn create_readers(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE readers (id INTEGER PRIMARY KEY)")
}
