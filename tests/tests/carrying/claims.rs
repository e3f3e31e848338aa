//! Says that it was what another crate still has.
use migrate_diesel::prelude::*;

#[migration(was = ["first:create_users"])]
pub fn create_people(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE people (id INTEGER PRIMARY KEY)")
}
