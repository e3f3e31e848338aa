//! A dependency that not every program names.
use migrate_diesel::prelude::*;

#[migration]
pub fn create_letters(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE letters (id INTEGER PRIMARY KEY)")
}
