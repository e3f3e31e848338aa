//! Migrations in the crate's root and in a module below.
use migrate_diesel::prelude::*;

#[migration]
pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
}

mod deeper {
    pub mod still {
        use migrate_diesel::prelude::*;

        #[migration]
        fn deeper_roles(db: &mut SqliteConnection) -> QueryResult<()> {
            db.batch_execute("CREATE TABLE roles (id INTEGER PRIMARY KEY)")
        }
    }
}

#[migration(requires = [create_users])]
fn index_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_by_name ON users (name)")
}
