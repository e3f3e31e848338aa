//! Users, their addresses and their consent.

use migrate_diesel::prelude::*;

/// People who may log in.
#[migration(down = drop_users)]
pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE users (
             id INTEGER PRIMARY KEY,
             email TEXT NOT NULL,
             name TEXT NOT NULL,
             created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
         )",
    )
}

fn drop_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE users")
}

/// E-mail addresses are unique, whatever their case.
#[migration(requires = [create_users], down = unindex_email)]
pub fn index_email(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE UNIQUE INDEX users_by_email ON users (lower(email))")
}

fn unindex_email(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP INDEX users_by_email")
}

/// Where parcels go; a user has several.
#[migration(requires = [create_users], down = drop_addresses)]
pub fn create_addresses(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE addresses (
             id INTEGER PRIMARY KEY,
             user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
             street TEXT NOT NULL,
             city TEXT NOT NULL,
             country TEXT NOT NULL CHECK (length(country) = 2)
         );
         CREATE INDEX addresses_by_user ON addresses (user_id)",
    )
}

fn drop_addresses(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE addresses")
}

/// Whether a user wants our letters. Nobody who was here before was asked: they do not.
#[migration(
    requires = [create_users],
    irreversible = "who consented, and when, cannot be made up again"
)]
pub fn add_newsletter_consent(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("ALTER TABLE users ADD COLUMN newsletter_consent_at TEXT")
}
