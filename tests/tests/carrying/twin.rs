//! One of two libraries with one name.
use migrate_diesel::prelude::*;

#[migration]
pub fn create_thing(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE thing (id INTEGER PRIMARY KEY)")
}
