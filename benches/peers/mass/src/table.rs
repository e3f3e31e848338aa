//! The table: made anew before every run, looked at after it.

use diesel::{
    QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types,
};
use migrate_diesel::AnyConnection;

use crate::{Result, open};

const UPDATE: &str = "UPDATE people SET visits = visits + 1";

/// Rows in one INSERT: MariaDB keeps an undo log of the whole of it.
const INSERTED_AT_ONCE: u32 = 100_000;

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = sql_types::BigInt)]
    rows: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    least: Option<i64>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    most: Option<i64>,
}

/// What Diesel opens by the name of a URL.
pub fn sqlite_file(url: &str) -> &str {
    url.strip_prefix("sqlite://").unwrap_or(url)
}

/// Every run meets the same table, and a server that has written everything before it.
pub fn prepare(url: &str, rows: u32) -> Result<()> {
    let mut db = open(url)?;
    for table in [
        "people",
        "place",
        "migrate_history",
        "migrate_history_log",
        "migrate_history_steps",
        "migrate_history_meta",
        "migrate_history_views",
        "migrate_history_mass",
        "migrate_history_shards",
        "migrate_history_quarantine",
    ] {
        db.batch_execute(&format!("DROP TABLE IF EXISTS {table}"))?;
    }
    db.batch_execute(
        "CREATE TABLE people (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL, visits BIGINT NOT NULL)",
    )?;
    db.batch_execute(
        "CREATE TABLE place (id INTEGER NOT NULL PRIMARY KEY, after BIGINT NOT NULL)",
    )?;
    db.batch_execute("INSERT INTO place VALUES (1, 0)")?;
    for begin in (0..rows).step_by(INSERTED_AT_ONCE as usize) {
        let count = INSERTED_AT_ONCE.min(rows - begin);
        db.batch_execute(&insert(&db, begin, count))?;
    }
    match db {
        AnyConnection::Sqlite(_) => Ok(()),
        AnyConnection::Postgres(_) => {
            // In messages of their own: together they would be one transaction, in which there is no VACUUM.
            db.batch_execute("VACUUM ANALYZE people")?;
            Ok(db.batch_execute("CHECKPOINT")?)
        }
        AnyConnection::Mysql(_) => Ok(db.batch_execute("ANALYZE TABLE people")?),
        _ => Err("not one of ours".into()),
    }
}

/// Rows `begin + 1 ..= begin + count`.
fn insert(db: &AnyConnection, begin: u32, count: u32) -> String {
    let (first, last) = (begin + 1, begin + count);
    let numbers = match db {
        AnyConnection::Postgres(_) => format!("generate_series({first}, {last}) AS numbers (n)"),
        AnyConnection::Mysql(_) => format!("(SELECT seq AS n FROM seq_{first}_to_{last}) numbers"),
        _ => format!(
            "(WITH RECURSIVE counted (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM counted WHERE n < {last}) \
             SELECT n FROM counted) AS numbers"
        ),
    };
    let name = match db {
        AnyConnection::Mysql(_) => "CONCAT('somebody called number ', n)",
        _ => "'somebody called number ' || n",
    };
    format!("INSERT INTO people (id, name, visits) SELECT n, {name}, 0 FROM {numbers}")
}

/// The floor that no loop reaches; and what it locks meanwhile, no loop locks.
pub fn update_at_once(url: &str) -> Result<()> {
    Ok(open(url)?.batch_execute(UPDATE)?)
}

/// A run that does less, or something twice, is no faster run.
pub fn verify(url: &str, rows: u32) -> Result<()> {
    let mut db = open(url)?;
    let query = "SELECT COUNT(*) AS `rows`, MIN(visits) AS least, MAX(visits) AS most FROM people";
    let counted: Counted = match &mut db {
        AnyConnection::Postgres(db) => sql_query(query.replace('`', "\"")).get_result(db)?,
        AnyConnection::Sqlite(db) => sql_query(query).get_result(db)?,
        AnyConnection::Mysql(db) => sql_query(query).get_result(db)?,
        _ => return Err("not one of ours".into()),
    };
    if (counted.rows, counted.least, counted.most) == (i64::from(rows), Some(1), Some(1)) {
        return Ok(());
    }
    Err(format!(
        "of {} rows, which should be {rows}, the least was updated {:?} and the most {:?} times",
        counted.rows, counted.least, counted.most
    )
    .into())
}
