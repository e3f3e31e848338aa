//! Keys of all kinds.

use migrate_diesel::{core::mass::MassState, prelude::*};

use super::{Mass, succeeded};
use crate::database::Scratch;

fn count(db: &mut AnyConnection, table: &str, filter: &str) -> QueryResult<usize> {
    diesel::sql_query(format!("UPDATE {table} SET n = n + 1 WHERE {filter}")).execute(db)
}

#[mass_migration(database = "mass_pairs", table = "mass_pairs", batch = 7, shards = 3)]
pub(crate) fn mass_pairs(
    db: &mut AnyConnection,
    batch: &Batch<(i32, String)>,
) -> QueryResult<usize> {
    count(db, "mass_pairs", &batch.filter())
}

#[mass_migration(
    database = "mass_texts",
    table = "mass_texts",
    key = "name",
    batch = 5,
    shards = 4
)]
pub(crate) fn mass_texts(db: &mut AnyConnection, batch: &Batch<String>) -> QueryResult<usize> {
    count(db, "mass_texts", &batch.filter())
}

#[mass_migration(database = "mass_nulls", table = "mass_nulls", key = "code")]
pub(crate) fn mass_nulls(db: &mut AnyConnection, batch: &Batch<i32>) -> QueryResult<usize> {
    count(db, "mass_nulls", &batch.filter())
}

fn all_once(scratch: &Scratch, table: &str, rows: i64) {
    let once = format!("SELECT count(*) AS value FROM {table} WHERE n = 1");
    assert_eq!(scratch.number(&once), rows);
    let all = format!("SELECT count(*) AS value FROM {table}");
    assert_eq!(scratch.number(&all), rows);
}

/// A key of two columns: compared as a whole, though no shard ends where its first column changes.
pub fn two_columns(scratch: &Scratch) {
    scratch.sql(
        "CREATE TABLE mass_pairs (tenant INTEGER NOT NULL, name VARCHAR(20) NOT NULL, n INTEGER NOT NULL DEFAULT 0, \
         PRIMARY KEY (tenant, name))",
    );
    scratch.sql(
        "INSERT INTO mass_pairs (tenant, name) WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 200) \
         SELECT i % 3, CONCAT('name ', i) FROM k",
    );
    succeeded(&Mass::new(scratch, "mass_pairs", "mass_pairs").run(3));
    all_once(scratch, "mass_pairs", 200);
}

/// A text, with what a literal has to mind.
pub fn texts(scratch: &Scratch) {
    scratch.sql(
        "CREATE TABLE mass_texts (name VARCHAR(100) NOT NULL PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0)",
    );
    scratch.sql(
        "INSERT INTO mass_texts (name) WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 90) \
         SELECT CONCAT(CASE i % 4 WHEN 0 THEN 'it''s ' WHEN 1 THEN 'Ä' WHEN 2 THEN '\"' ELSE 'z' END, i) FROM k",
    );
    succeeded(&Mass::new(scratch, "mass_texts", "mass_texts").run(2));
    all_once(scratch, "mass_texts", 90);
}

/// Rows without a key would never be reached: refused before anything is done.
pub fn a_key_that_is_null_somewhere(scratch: &Scratch) {
    scratch.sql("CREATE TABLE mass_nulls (code INTEGER, n INTEGER NOT NULL DEFAULT 0)");
    scratch.sql("INSERT INTO mass_nulls (code) VALUES (1), (2), (NULL)");
    let status = Mass::new(scratch, "mass_nulls", "mass_nulls").run(1);
    assert_eq!(status.state, MassState::Failed);
    let reason = status.reason.unwrap();
    assert!(
        reason.contains("`code`") && reason.contains("NULL"),
        "{reason}"
    );
    let touched = "SELECT count(*) AS value FROM mass_nulls WHERE n > 0";
    assert_eq!(scratch.number(touched), 0);
}
