//! mysql.

use diesel::MysqlConnection;

use super::MigrationConnection;

impl MigrationConnection for MysqlConnection {
    const BACKENDS: &'static [&'static str] = &["mysql"];
}
