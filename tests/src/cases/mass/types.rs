//! Keys of the types and orders that only a database knows.

use migrate_diesel::prelude::*;

use super::{Mass, succeeded};
use crate::database::{Backend, Scratch};

fn count(db: &mut AnyConnection, table: &str, filter: &str) -> QueryResult<usize> {
    diesel::sql_query(format!("UPDATE {table} SET n = n + 1 WHERE {filter}")).execute(db)
}

fn all_once(scratch: &Scratch, table: &str, rows: i64) {
    let once = format!("SELECT count(*) AS value FROM {table} WHERE n = 1");
    assert_eq!(scratch.number(&once), rows);
}

const NUMBERS: &str =
    "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 60)";

#[mass_migration(database = "mass_uuids", table = "mass_uuids", batch = 4, shards = 5)]
pub(crate) fn mass_uuids(db: &mut AnyConnection, batch: &Batch<uuid::Uuid>) -> QueryResult<usize> {
    count(db, "mass_uuids", &batch.filter())
}

#[mass_migration(database = "mass_blobs", table = "mass_blobs", batch = 4, shards = 5)]
pub(crate) fn mass_blobs(db: &mut AnyConnection, batch: &Batch<Vec<u8>>) -> QueryResult<usize> {
    count(db, "mass_blobs", &batch.filter())
}

#[mass_migration(database = "mass_days", table = "mass_days", batch = 4, shards = 5)]
pub(crate) fn mass_days(db: &mut AnyConnection, batch: &Batch<String>) -> QueryResult<usize> {
    count(db, "mass_days", &batch.filter())
}

#[mass_migration(database = "mass_big", table = "mass_big", batch = 4, shards = 5)]
pub(crate) fn mass_big(
    db: &mut AnyConnection,
    batch: &Batch<(i64, String, i16)>,
) -> QueryResult<usize> {
    count(db, "mass_big", &batch.filter())
}

#[mass_migration(
    database = "mass_folded",
    table = "mass_folded",
    key = "name",
    batch = 2,
    shards = 3
)]
pub(crate) fn mass_folded(db: &mut AnyConnection, batch: &Batch<String>) -> QueryResult<usize> {
    count(db, "mass_folded", &batch.filter())
}

/// As the database's own type where it has one, else as bytes and as texts.
pub fn uuids_bytes_and_days(scratch: &Scratch) {
    let (uuid, some_uuid, bytes, some_bytes) = match scratch.backend {
        Backend::Sqlite => ("BLOB", "randomblob(16)", "BLOB", "randomblob(1 + i % 9)"),
        Backend::Postgres => (
            "UUID",
            "gen_random_uuid()",
            "BYTEA",
            "decode(md5(CAST(i AS TEXT)), 'hex')",
        ),
        Backend::Mysql => (
            "BINARY(16)",
            "UNHEX(MD5(i))",
            "VARBINARY(40)",
            "UNHEX(LEFT(MD5(i), 2 + 2 * (i % 16)))",
        ),
    };
    let own = "n INTEGER NOT NULL DEFAULT 0";
    for (table, kind, one) in [
        ("mass_uuids", uuid, some_uuid),
        ("mass_blobs", bytes, some_bytes),
    ] {
        scratch.sql(&format!(
            "CREATE TABLE {table} (id {kind} NOT NULL PRIMARY KEY, {own})"
        ));
        let distinct = format!("{NUMBERS} SELECT DISTINCT {one} FROM k");
        scratch.sql(&format!("INSERT INTO {table} (id) {distinct}"));
        let rows = scratch.number(&format!("SELECT count(*) AS value FROM {table}"));
        assert!(rows > 20, "{rows}");
        succeeded(&Mass::new(scratch, table, table).run(2));
        all_once(scratch, table, rows);
    }
    scratch.sql(&format!(
        "CREATE TABLE mass_days (id DATE NOT NULL PRIMARY KEY, {own})"
    ));
    for day in [
        "2024-02-29",
        "1999-12-31",
        "2024-03-01",
        "2030-01-01",
        "2024-02-28",
        "1970-01-01",
    ] {
        scratch.sql(&format!("INSERT INTO mass_days (id) VALUES ('{day}')"));
    }
    succeeded(&Mass::new(scratch, "mass_days", "mass_days").run(1));
    all_once(scratch, "mass_days", 6);
}

/// Three columns, the first with few values and beyond 32 bits.
pub fn three_columns(scratch: &Scratch) {
    scratch.sql(
        "CREATE TABLE mass_big (a BIGINT NOT NULL, b VARCHAR(20) NOT NULL, c SMALLINT NOT NULL, \
         n INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (a, b, c))",
    );
    scratch.sql(&format!(
        "INSERT INTO mass_big (a, b, c) {NUMBERS} SELECT 9000000000 + i % 2, CONCAT('b', i % 7), i FROM k"
    ));
    succeeded(&Mass::new(scratch, "mass_big", "mass_big").run(3));
    all_once(scratch, "mass_big", 60);
}

/// Texts that are equal to the database though they differ: by case, by accents, by spaces at their end. They
/// stay together in a batch, wherever the limit falls.
pub fn texts_that_compare_equal(scratch: &Scratch) {
    let kind = match scratch.backend {
        Backend::Sqlite => "TEXT COLLATE NOCASE",
        Backend::Mysql => "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        Backend::Postgres => {
            scratch.sql(
                "CREATE COLLATION mass_folding (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
            );
            "VARCHAR(20) COLLATE mass_folding"
        }
    };
    scratch.sql(&format!(
        "CREATE TABLE mass_folded (id INTEGER NOT NULL PRIMARY KEY, name {kind} NOT NULL, n INTEGER NOT NULL DEFAULT 0)"
    ));
    scratch.sql("CREATE INDEX mass_folded_name ON mass_folded (name)");
    let names = [
        "b", "B", "a", "A", "a ", "Á", "c", "C", "ab", "AB", "Ab", "é", "E", "z'", "Z'",
    ];
    for (id, name) in names.iter().enumerate() {
        let name = name.replace('\'', "''");
        scratch.sql(&format!(
            "INSERT INTO mass_folded (id, name) VALUES ({id}, '{name}')"
        ));
    }
    succeeded(&Mass::new(scratch, "mass_folded", "mass_folded").run(2));
    all_once(scratch, "mass_folded", 15);
}
