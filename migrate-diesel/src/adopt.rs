//! The history tables of other tools, read.
//!
//! | tool | where its table is made |
//! |---|---|
//! | diesel | `diesel::migration::CREATE_MIGRATIONS_TABLE` (2.3) |
//! | refinery | `ASSERT_MIGRATIONS_TABLE_QUERY` of refinery-core (0.10), `traits/mod.rs` |
//! | sqlx | `ensure_migrations_table` of sqlx-sqlite, -postgres, -mysql (0.9), `migrate.rs` |
//! | sea-orm | `seaql_migrations::Model` of sea-orm-migration (2.0) |
//! | edwh | `define_ewh_implemented_features` of edwh-migrate |
//! | flux | `FluxPostgresBackend.initialize` of flux-migrations |

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use migrate_core::adopt::{AdoptError, AdoptRequest, Outcome, Theirs, Tool};

use crate::{
    backend::{Dialect, Driver, TextRow},
    error::Error,
};

/// The rows of the tool's table, in the order in which it applies.
///
/// # Errors
/// The table is not there, or not that tool's.
pub(crate) fn read(driver: &mut dyn Driver, request: &AdoptRequest) -> Result<Vec<Theirs>, Error> {
    let tool = request.tool;
    let table = request.table.as_deref().unwrap_or(tool.table());
    let doing = || format!("read the table `{table}`");
    let there = driver.columns(table).map_err(Error::database(doing()))?;
    let table_name = table.to_owned();
    if there.is_empty() {
        let table = table_name;
        return Err(AdoptError::NoTable { tool, table }.into());
    }
    let missing: Vec<&'static str> = columns(tool)
        .iter()
        .filter(|column| !there.iter().any(|it| it == *column))
        .copied()
        .collect();
    if !missing.is_empty() {
        return Err(AdoptError::NotTheirs {
            tool,
            table: table_name,
            missing,
        }
        .into());
    }
    let sql = select(driver.dialect(), tool, table);
    let rows = driver.rows(&sql).map_err(Error::database(doing()))?;
    Ok(rows
        .into_iter()
        .filter_map(|row| theirs(tool, row))
        .collect())
}

/// Those that are read.
fn columns(tool: Tool) -> &'static [&'static str] {
    match tool {
        Tool::Edwh => &["name", "installed", "last_update_dttm"],
        Tool::Flux => &["id", "applied_at"],
        Tool::Diesel => &["version", "run_on"],
        Tool::Refinery => &["version", "name", "applied_on"],
        Tool::Sqlx => &["version", "description", "installed_on", "success"],
        Tool::SeaOrm => &["version", "applied_at"],
    }
}

/// Name, time, and what else there is.
fn select(dialect: &Dialect, tool: Tool, table: &str) -> String {
    let number = |column: &str| dialect.number_as_text.replace("{}", column);
    let (name, at, more, rest, order) = match tool {
        Tool::Edwh => (
            "name".to_owned(),
            time(dialect, "last_update_dttm", UTC),
            "installed".to_owned(),
            "NULL",
            "id",
        ),
        Tool::Flux => (
            "id".to_owned(),
            time(dialect, "applied_at", SERVERS),
            "NULL".to_owned(),
            "NULL",
            "id",
        ),
        // Diesel sets the session's time zone to UTC.
        Tool::Diesel => (
            "version".to_owned(),
            time(dialect, "run_on", UTC),
            "NULL".to_owned(),
            "NULL",
            "version",
        ),
        Tool::Refinery => (
            number("version"),
            "applied_on".to_owned(),
            "NULL".to_owned(),
            "name",
            "version",
        ),
        Tool::Sqlx => (
            number("version"),
            time(dialect, "installed_on", UTC),
            "CASE WHEN success THEN '1' ELSE '0' END".to_owned(),
            "description",
            "version",
        ),
        Tool::SeaOrm => (
            "version".to_owned(),
            number("applied_at"),
            "NULL".to_owned(),
            "NULL",
            "version",
        ),
    };
    let table = dialect.identifier(table);
    format!(
        "SELECT {name} AS c0, {at} AS c1, {more} AS c2, {rest} AS c3, NULL AS c4, NULL AS c5 FROM {table} ORDER BY {order}"
    )
}

/// PostgreSQL's time zone of a column that has none.
const UTC: &str = "'UTC'";
/// That of the server: who wrote it had set no other.
const SERVERS: &str = "(SELECT reset_val FROM pg_settings WHERE name = 'TimeZone')";

/// A column of time as RFC 3339.
fn time(dialect: &Dialect, column: &str, zone: &str) -> String {
    match dialect.name {
        "sqlite" => format!("strftime('%Y-%m-%dT%H:%M:%fZ', {column})"),
        "postgres" if column == "installed_on" => dialect.timestamp_as_text.replace("{}", column),
        "postgres" => dialect
            .timestamp_as_text
            .replace("{}", &format!("({column} AT TIME ZONE {zone})")),
        _ => dialect.timestamp_as_text.replace("{}", column),
    }
}

fn theirs(tool: Tool, row: TextRow) -> Option<Theirs> {
    let name = row.c0?;
    let words = row.c3.unwrap_or_default();
    let (name, outcome) = match tool {
        Tool::Refinery => (format!("V{name}__{words}"), Outcome::Applied),
        Tool::Sqlx => {
            let outcome = if row.c2.as_deref() == Some("1") {
                Outcome::Applied
            } else {
                Outcome::Dirty
            };
            // As in the name of its file, from which the description is made.
            (format!("{name}_{}", words.replace(' ', "_")), outcome)
        }
        // What failed was rolled back, and is marked so that it is not tried again.
        Tool::Edwh if row.c2.as_deref().map(str::trim) != Some("T") => (name, Outcome::NotApplied),
        _ => (name, Outcome::Applied),
    };
    let at = row.c1.and_then(|text| match tool {
        Tool::SeaOrm => Some(UNIX_EPOCH + Duration::from_secs(text.parse().ok()?)),
        _ => parse(&text),
    });
    Some(Theirs { name, at, outcome })
}

/// What is no time of this form is none that is known.
fn parse(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}
