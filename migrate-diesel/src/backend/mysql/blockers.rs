//! Who holds the locks that a DDL statement waits for.

use diesel::MysqlConnection;

use super::{
    name::Name,
    text,
    views::{by_database, list},
};
use crate::backend::{Driver as _, TextRow};

/// Where locks are written down, and a word of doubt.
struct Source {
    /// From `FROM` on; the sessions are `p`.
    sql: String,
    doubt: &'static str,
}

/// Sessions in words.
pub(super) fn blockers(db: &mut MysqlConnection, names: &[Name]) -> Vec<String> {
    if names.is_empty() {
        return Vec::new();
    }
    first_answer(db, &sources(names))
}

/// Sessions in words that hold locks on anything: those with an open transaction.
pub(super) fn lock_holders(db: &mut MysqlConnection) -> Vec<String> {
    first_answer(db, &[open_transactions("")])
}

fn first_answer(db: &mut MysqlConnection, sources: &[Source]) -> Vec<String> {
    for Source { sql, doubt } in sources {
        let sql = format!(
            "SELECT DISTINCT CAST(p.ID AS CHAR) AS c0, p.USER AS c1, SUBSTRING_INDEX(p.HOST, ':', 1) AS c2, \
             p.COMMAND AS c3, CAST(p.TIME AS CHAR) AS c4, NULL AS c5 {sql} AND p.ID <> CONNECTION_ID() ORDER BY p.ID"
        );
        match db.rows(&sql) {
            Ok(rows) if rows.is_empty() => {}
            Ok(rows) => return rows.into_iter().map(|row| words(row, doubt)).collect(),
            // It may be absent or forbidden.
            Err(error) => tracing::debug!(%error, "could not ask for metadata locks"),
        }
    }
    Vec::new()
}

/// The server may keep no book of its metadata locks (MariaDB does only with a plugin or with the
/// performance schema on); then those with an open transaction, one of whom it is.
fn sources(names: &[Name]) -> [Source; 3] {
    let locked = |schema: &str, table: &str| -> String {
        let conditions: Vec<String> = by_database(names)
            .into_iter()
            .map(|(database, names)| {
                format!(
                    "({schema} = {} AND {table} IN ({}))",
                    text(database),
                    list(&names)
                )
            })
            .collect();
        conditions.join(" OR ")
    };
    [
        Source {
            sql: format!(
                "FROM performance_schema.metadata_locks l \
                 JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID \
                 JOIN information_schema.PROCESSLIST p ON p.ID = t.PROCESSLIST_ID \
                 WHERE l.LOCK_STATUS = 'GRANTED' AND ({})",
                locked("l.OBJECT_SCHEMA", "l.OBJECT_NAME")
            ),
            doubt: "",
        },
        Source {
            sql: format!(
                "FROM information_schema.METADATA_LOCK_INFO l \
                 JOIN information_schema.PROCESSLIST p ON p.ID = l.THREAD_ID WHERE ({})",
                locked("l.TABLE_SCHEMA", "l.TABLE_NAME")
            ),
            doubt: "",
        },
        open_transactions("perhaps "),
    ]
}

fn open_transactions(doubt: &'static str) -> Source {
    Source {
        sql: "FROM information_schema.INNODB_TRX l \
              JOIN information_schema.PROCESSLIST p ON p.ID = l.trx_mysql_thread_id WHERE TRUE"
            .to_owned(),
        doubt,
    }
}

fn words(row: TextRow, doubt: &str) -> String {
    let part = |text: Option<String>| text.unwrap_or_default();
    let doing = match row.c3.as_deref() {
        Some("Sleep") => "idle in a transaction".to_owned(),
        other => other.unwrap_or("busy").to_lowercase(),
    };
    format!(
        "{doubt}connection {} ({}@{}, {doing} for {} s)",
        part(row.c0),
        part(row.c1),
        part(row.c2),
        part(row.c4)
    )
}
