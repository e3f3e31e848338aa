//! Requires from another crate.
use migrate_diesel::prelude::*;

#[migration(requires = [first::create_users])]
pub fn create_invoices(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE invoices (id INTEGER PRIMARY KEY)")
}
