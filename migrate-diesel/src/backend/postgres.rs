//! postgres.

use diesel::PgConnection;

use super::MigrationConnection;

impl MigrationConnection for PgConnection {
    const BACKENDS: &'static [&'static str] = &["postgres"];
}
