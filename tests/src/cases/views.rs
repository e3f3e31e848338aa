//! Views: up between `since` and `until`, out of the way of what touches them, and back with
//! everything that hung on them.

pub mod failure;
pub mod guard;
pub mod kept;
pub mod lifecycle;
pub mod lossy;
pub mod readers;
pub mod undeclared;

use diesel::{QueryResult, connection::SimpleConnection as _};
use migrate_diesel::{AnyConnection, Migrator, Session};

use crate::database::{Backend, Scratch};

/// Changes the type of `email` of a table `(id, email)`: what no database with views on that column
/// lets pass, or (MySQL) what breaks them later.
pub(super) fn retype(db: &mut AnyConnection, table: &str) -> QueryResult<()> {
    let sql = match Backend::of(db) {
        Backend::Sqlite => format!(
            "CREATE TABLE {table}_new (id INTEGER PRIMARY KEY, email VARCHAR(200)); \
             INSERT INTO {table}_new SELECT id, email FROM {table}; \
             DROP TABLE {table}; ALTER TABLE {table}_new RENAME TO {table}"
        ),
        Backend::Postgres => {
            format!("ALTER TABLE {table} ALTER COLUMN email TYPE varchar(200)")
        }
        Backend::Mysql => format!("ALTER TABLE {table} MODIFY email VARCHAR(200)"),
    };
    db.batch_execute(&sql)
}

/// As [`retype`], in the hands of a body.
pub(crate) fn retype_in(db: &mut Session<'_, AnyConnection>, table: &str) -> QueryResult<()> {
    retype(db, table)
}

/// A table `(id, email)` with one row.
pub(crate) fn table(db: &mut AnyConnection, name: &str) -> QueryResult<()> {
    db.batch_execute(&format!(
        "CREATE TABLE {name} (id INTEGER PRIMARY KEY, email VARCHAR(100)); \
         INSERT INTO {name} (id, email) VALUES (1, 'a@b')"
    ))
}

/// What stands in a list of events about views: `down a, up a`.
pub(super) fn views_of(events: &[String]) -> String {
    let views = events
        .iter()
        .filter(|it| it.starts_with("down ") || it.starts_with("up "));
    views.cloned().collect::<Vec<_>>().join(", ")
}

/// Every view with its state: `a up, b down`.
pub(super) fn view_states(scratch: &Scratch, migrator: &Migrator) -> String {
    let status = migrator.status(&mut scratch.connect()).unwrap();
    let states = status
        .views
        .iter()
        .map(|view| format!("{} {}", view.name, view.state.as_str()));
    states.collect::<Vec<_>>().join(", ")
}

/// The text of a view, as the catalog has it.
pub(super) fn text_of(scratch: &Scratch, name: &str) -> String {
    let sql = match scratch.backend {
        Backend::Sqlite => {
            format!("SELECT sql AS value FROM sqlite_master WHERE name = '{name}'")
        }
        Backend::Postgres => format!("SELECT pg_get_viewdef('{name}'::regclass) AS value"),
        Backend::Mysql => format!(
            "SELECT view_definition AS value FROM information_schema.views \
             WHERE table_schema = DATABASE() AND table_name = '{name}'"
        ),
    };
    scratch.texts(&sql).join("\n")
}
