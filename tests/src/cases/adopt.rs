//! `adopt`: the histories of other tools, in the tables that they make.
//!
//! The statements are those of the tools' sources: diesel's own `CREATE_MIGRATIONS_TABLE`,
//! `ASSERT_MIGRATIONS_TABLE_QUERY` of refinery-core 0.10, `ensure_migrations_table` of sqlx 0.9,
//! `seaql_migrations` of sea-orm-migration 2.0; pydal's of edwh-migrate and flux's as they stand in a
//! database that these tools made.

use std::{collections::BTreeMap, time::UNIX_EPOCH};

use migrate_diesel::{
    Error, Migrator,
    core::{
        FailureKind,
        adopt::{AdoptRequest, Adoption, Fate, Mapped, Tool},
    },
    migrations,
    prelude::*,
};

use super::leave;
use crate::{
    database::{Backend, Scratch},
    run::{chain, migrator, states, up},
};

#[migration]
pub(crate) fn m20240101_000000_adopted_users(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "users")
}

#[migration(requires = [m20240101_000000_adopted_users])]
pub(crate) fn adopted_orders_20240102_000000(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "orders")
}

#[migration(requires = [adopted_orders_20240102_000000])]
pub(crate) fn adopted_new(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "new")
}

fn dated() -> Migrator {
    migrator(migrations![
        m20240101_000000_adopted_users,
        adopted_orders_20240102_000000,
        adopted_new
    ])
}

#[migration]
pub(crate) fn v1_adopted_users(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "users")
}

#[migration(requires = [v1_adopted_users])]
pub(crate) fn adopted_orders(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "orders")
}

fn counted() -> Migrator {
    migrator(migrations![v1_adopted_users, adopted_orders])
}

fn request(tool: Tool) -> AdoptRequest {
    AdoptRequest {
        tool,
        table: None,
        map: BTreeMap::new(),
        names: Vec::new(),
        wait: None,
    }
}

fn adopt(scratch: &Scratch, migrator: &Migrator, tool: Tool) -> Result<Adoption, Error> {
    migrator.adopt(&mut scratch.connect(), &request(tool))
}

/// `theirs = ours, seconds, fate` a row.
fn lines(adoption: &Adoption) -> Vec<String> {
    let rows = adoption.rows.iter().map(|row| {
        let id = row.id.as_deref().unwrap_or("-");
        let id = id.trim_start_matches("migrate_tests:");
        let seconds = row
            .at
            .map(|at| at.duration_since(UNIX_EPOCH).unwrap().as_secs());
        let at = seconds.map_or_else(|| "?".to_owned(), |it| it.to_string());
        format!("{} = {id}, {at}, {}", row.theirs, row.fate.as_str())
    });
    rows.collect()
}

/// Adopted once, and then no more; with the times that they were applied at; theirs is as it was.
fn adopts_once(scratch: &Scratch, migrator: &Migrator, tool: Tool, expected: &[&str]) {
    let count = format!("SELECT count(*) AS value FROM {}", tool.table());
    let before = scratch.number(&count);
    let first = adopt(scratch, migrator, tool).unwrap();
    assert_eq!(lines(&first), expected);
    let status = migrator.status(&mut scratch.connect()).unwrap();
    for row in first.rows.iter().filter(|row| row.fate == Fate::Record) {
        let id = row.id.as_deref().unwrap();
        let ours = status.migrations.iter().find(|it| it.id == id).unwrap();
        assert_eq!(ours.state.as_str(), "applied");
        let at = ours.applied_at.as_deref().unwrap();
        assert!(at.starts_with("2024-01-0"), "{at}");
        let detail = ours.detail.as_deref().unwrap_or_default();
        assert!(detail.contains(&row.theirs), "{detail}");
    }
    let second = adopt(scratch, migrator, tool).unwrap();
    assert!(second.rows.iter().all(|row| row.fate != Fate::Record));
    assert_eq!(scratch.number(&count), before);
    assert!(scratch.effects().is_empty());
    let log = migrator.log(&mut scratch.connect(), 20).unwrap();
    let adopted = log.iter().filter(|it| it.event == "adopted");
    let recorded = first.rows.iter().filter(|row| row.fate == Fate::Record);
    assert_eq!(adopted.count(), recorded.count());
}

fn diesel_table(scratch: &Scratch) {
    scratch.sql(diesel::migration::CREATE_MIGRATIONS_TABLE);
}

/// By number: at the beginning or at the end of our names.
pub fn of_diesel(scratch: &Scratch) {
    diesel_table(scratch);
    scratch.sql(
        "INSERT INTO __diesel_schema_migrations VALUES ('20240101000000', '2024-01-01 10:00:00'), \
         ('20240102000000', '2024-01-02 10:00:00')",
    );
    adopts_once(
        scratch,
        &dated(),
        Tool::Diesel,
        &[
            "20240101000000 = m20240101_000000_adopted_users, 1704103200, record",
            "20240102000000 = adopted_orders_20240102_000000, 1704189600, record",
        ],
    );
    let migrator = dated();
    assert_eq!(up(scratch, &migrator).done().applied, 1);
    assert_eq!(scratch.effects(), ["new"]);
}

fn refinery_table(scratch: &Scratch) {
    scratch.sql(
        "CREATE TABLE IF NOT EXISTS refinery_schema_history(version INTEGER PRIMARY KEY, name VARCHAR(255), \
         applied_on VARCHAR(255), checksum VARCHAR(255))",
    );
    scratch.sql(
        "INSERT INTO refinery_schema_history VALUES \
         (1, 'adopted_users', '2024-01-01T10:00:00.123456789Z', '123'), \
         (2, 'adopted_orders', '2024-01-02T10:00:00Z', '456')",
    );
}

/// By number and words, or by words alone.
pub fn refinery(scratch: &Scratch) {
    refinery_table(scratch);
    adopts_once(
        scratch,
        &counted(),
        Tool::Refinery,
        &[
            "V1__adopted_users = v1_adopted_users, 1704103200, record",
            "V2__adopted_orders = adopted_orders, 1704189600, record",
        ],
    );
}

fn sqlx_table(scratch: &Scratch) {
    let (zoned, bytes) = match scratch.backend {
        Backend::Postgres => ("TIMESTAMPTZ", "BYTEA"),
        _ => ("TIMESTAMP", "BLOB"),
    };
    scratch.sql(&format!(
        "CREATE TABLE IF NOT EXISTS _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on {zoned} NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
         checksum {bytes} NOT NULL, execution_time BIGINT NOT NULL)"
    ));
    let row = |version: &str, description: &str, at: &str, success: &str| {
        scratch.sql(&format!(
            "INSERT INTO _sqlx_migrations VALUES ({version}, '{description}', '{at}', {success}, 'x', 5)"
        ));
    };
    row(
        "20240101000000",
        "adopted users",
        "2024-01-01 10:00:00",
        "TRUE",
    );
    row(
        "20240102000000",
        "adopted orders",
        "2024-01-02 10:00:00",
        "TRUE",
    );
}

/// The description is the name with blanks.
pub fn sqlx(scratch: &Scratch) {
    sqlx_table(scratch);
    adopts_once(
        scratch,
        &dated(),
        Tool::Sqlx,
        &[
            "20240101000000_adopted_users = m20240101_000000_adopted_users, 1704103200, record",
            "20240102000000_adopted_orders = adopted_orders_20240102_000000, 1704189600, record",
        ],
    );
}

/// A row that says `success = false` is not taken for done.
pub fn what_failed_in_the_middle_is_refused(scratch: &Scratch) {
    sqlx_table(scratch);
    scratch.sql("UPDATE _sqlx_migrations SET success = FALSE WHERE version = 20240102000000");
    let error = adopt(scratch, &dated(), Tool::Sqlx).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    let said = chain(&error);
    assert!(
        said.contains("sqlx failed in the middle: `20240102000000_adopted_orders`"),
        "{said}"
    );
    assert!(!states(scratch, &dated()).contains("applied"));
    let mut request = request(Tool::Sqlx);
    let theirs = "20240102000000_adopted_orders".to_owned();
    request.map.insert(theirs, Mapped::Skip);
    let adoption = dated().adopt(&mut scratch.connect(), &request).unwrap();
    assert_eq!(adoption.rows[1].fate, Fate::Skipped);
    assert_eq!(adoption.positions().len(), 1);
    assert_eq!(adoption.pending.len(), 2);
}

/// The same name; seconds since 1970.
pub fn sea_orm(scratch: &Scratch) {
    scratch.sql(
        "CREATE TABLE seaql_migrations (version VARCHAR(255) NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)",
    );
    scratch
        .sql("INSERT INTO seaql_migrations VALUES ('m20240101_000000_adopted_users', 1704103200)");
    adopts_once(
        scratch,
        &dated(),
        Tool::SeaOrm,
        &["m20240101_000000_adopted_users = m20240101_000000_adopted_users, 1704103200, record"],
    );
}

/// The same name; what is marked as not installed stays pending.
pub fn edwh(scratch: &Scratch) {
    let key = match scratch.backend {
        Backend::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
        Backend::Postgres => "serial PRIMARY KEY",
        Backend::Mysql => "INT AUTO_INCREMENT PRIMARY KEY",
    };
    let time = match scratch.backend {
        Backend::Mysql => "DATETIME",
        _ => "TIMESTAMP",
    };
    scratch.sql(&format!(
        "CREATE TABLE ewh_implemented_features (id {key}, name VARCHAR(512) UNIQUE, installed CHAR(1), \
         last_update_dttm {time})"
    ));
    scratch.sql(
        "INSERT INTO ewh_implemented_features (name, installed, last_update_dttm) VALUES \
         ('m20240101_000000_adopted_users', 'T', '2024-01-01 10:00:00'), \
         ('adopted_orders_20240102_000000', 'F', '2024-01-02 10:00:00'), ('adopted_gone', 'F', NULL)",
    );
    adopts_once(
        scratch,
        &dated(),
        Tool::Edwh,
        &[
            "m20240101_000000_adopted_users = m20240101_000000_adopted_users, 1704103200, record",
            "adopted_orders_20240102_000000 = -, 1704189600, not applied there",
            "adopted_gone = -, ?, not applied there",
        ],
    );
    let migrator = dated();
    assert_eq!(up(scratch, &migrator).done().applied, 2);
}

/// Its names may begin with digits, which ours cannot.
pub fn flux(scratch: &Scratch) {
    scratch.sql(
        "CREATE TABLE public._flux_migrations (id text primary key, hash text not null, \
         applied_at timestamp not null default current_timestamp)",
    );
    scratch.sql(
        "INSERT INTO public._flux_migrations VALUES \
         ('20240101_000000_adopted_users', 'd41d8cd9', '2024-01-01 10:00:00'), \
         ('adopted_orders_20240102_000000', 'd41d8cd9', '2024-01-02 10:00:00')",
    );
    let adoption = adopt(scratch, &dated(), Tool::Flux).unwrap();
    let ids: Vec<&str> = adoption
        .rows
        .iter()
        .filter_map(|it| it.id.as_deref())
        .collect();
    assert_eq!(
        ids,
        [
            "migrate_tests:m20240101_000000_adopted_users",
            "migrate_tests:adopted_orders_20240102_000000"
        ]
    );
    assert!(adoption.rows.iter().all(|it| it.at.is_some()));
}

/// All of it at once, with the file to write; nothing is recorded.
pub fn what_cannot_be_mapped_is_told_whole(scratch: &Scratch) {
    diesel_table(scratch);
    scratch.sql(
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('00000000000000'), ('20240101000000'), ('20250505000000')",
    );
    let error = adopt(scratch, &dated(), Tool::Diesel).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    let failure = migrate_diesel::core::Failure::from(error);
    assert_eq!(
        failure.message,
        "2 migrations of theirs cannot be mapped to ours"
    );
    assert_eq!(failure.causes.len(), 2);
    let next = failure.next_step.unwrap();
    assert!(next.contains("\"00000000000000\" = \"?\""), "{next}");
    assert!(next.contains("\"20250505000000\" = \"?\""), "{next}");
    assert!(!states(scratch, &dated()).contains("applied"));
}

/// A map, and the names of their directories.
pub fn a_map_says_what_names_do_not(scratch: &Scratch) {
    diesel_table(scratch);
    scratch.sql(
        "INSERT INTO __diesel_schema_migrations VALUES ('00000000000000', '2024-01-01 09:00:00'), \
         ('20231231000000', '2024-01-01 10:00:00'), ('20240102000000', '2024-01-02 10:00:00')",
    );
    let mut request = request(Tool::Diesel);
    request
        .map
        .insert("00000000000000".to_owned(), Mapped::Skip);
    let ours = Mapped::Is("v1_adopted_users".to_owned());
    request.map.insert("20231231000000".to_owned(), ours);
    request.names = vec!["2024-01-02-000000_adopted_orders".to_owned()];
    let adoption = counted().adopt(&mut scratch.connect(), &request).unwrap();
    assert_eq!(
        lines(&adoption),
        [
            "00000000000000 = -, 1704099600, skip",
            "20231231000000 = v1_adopted_users, 1704103200, record",
            "20240102000000 = adopted_orders, 1704189600, record",
        ]
    );
    let unknown = Mapped::Is("nobodys".to_owned());
    request.map.insert("20231231000000".to_owned(), unknown);
    let error = counted()
        .adopt(&mut scratch.connect(), &request)
        .unwrap_err();
    let failure = migrate_diesel::core::Failure::from(error);
    assert!(failure.causes[0].contains("nobodys"), "{failure:?}");
}

/// Ours requires what is not among theirs.
pub fn what_would_stand_alone_is_refused(scratch: &Scratch) {
    refinery_table(scratch);
    scratch.sql("DELETE FROM refinery_schema_history WHERE version = 1");
    let error = adopt(scratch, &counted(), Tool::Refinery).unwrap_err();
    let said = chain(&error);
    assert!(
        said.contains("it requires `migrate_tests:v1_adopted_users`"),
        "{said}"
    );
    assert!(error.next_step().unwrap().contains("--map"));
    assert!(!states(scratch, &counted()).contains("applied"));
}

#[migration(replaces = [v1_adopted_users, adopted_orders])]
pub(crate) fn adopted_squash(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "squash")
}

/// Old names of what a squash replaces: it counts as applied.
pub fn what_a_squash_replaces(scratch: &Scratch) {
    refinery_table(scratch);
    let migrator = migrator(migrations![
        v1_adopted_users,
        adopted_orders,
        adopted_squash
    ]);
    let adoption = adopt(scratch, &migrator, Tool::Refinery).unwrap();
    assert!(adoption.pending.is_empty(), "{:?}", adoption.pending);
    assert_eq!(up(scratch, &migrator).done().applied, 0);
    assert!(scratch.effects().is_empty());
}

/// Not there, or another's.
pub fn a_table_that_is_not_theirs(scratch: &Scratch) {
    let error = adopt(scratch, &counted(), Tool::Sqlx).unwrap_err();
    let said = chain(&error);
    assert!(said.contains("no table `_sqlx_migrations`"), "{said}");
    refinery_table(scratch);
    let mut request = request(Tool::Sqlx);
    request.table = Some("refinery_schema_history".to_owned());
    let error = counted()
        .adopt(&mut scratch.connect(), &request)
        .unwrap_err();
    let said = chain(&error);
    assert!(
        said.contains("no column `description`, `installed_on`, `success`"),
        "{said}"
    );
    assert!(error.next_step().unwrap().contains("--table"));
}
