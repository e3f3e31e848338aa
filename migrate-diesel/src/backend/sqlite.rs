//! sqlite.

use diesel::SqliteConnection;

use super::MigrationConnection;

impl MigrationConnection for SqliteConnection {
    const BACKENDS: &'static [&'static str] = &["sqlite"];
}
