//! MySQL and MariaDB.

mod attributes;
mod blockers;
mod connect;
mod name;
mod rights;
mod snapshot;
mod views;

pub(crate) use connect::establish;

use std::{collections::HashMap, fmt::Write as _, time::Duration};

use diesel::{ConnectionResult, MysqlConnection, QueryResult, RunQueryDsl};
use migrate_core::{
    Limits,
    report::LockHolder,
    unlock::{Activity, LockSession},
};

use super::{
    Asking, Cancelling, Dialect, Driver, Held, ImplicitCommit, LockKey, Locked,
    MigrationConnection, Prepared, RowValues, SessionState, TextRow, ViewCatalog, diesel_plumbing,
    limited::{milliseconds, unsupported},
};
use crate::error::Error;

impl MigrationConnection for MysqlConnection {
    const BACKENDS: &'static [&'static str] = &["mysql"];
}

static DIALECT: Dialect = Dialect::MYSQL;

impl Dialect {
    /// The words of MySQL and MariaDB. A dialect of your own takes from it what is alike: `..Dialect::MYSQL`.
    pub const MYSQL: Self = Self {
        name: "mysql",
        implicit_commit: ImplicitCommit::OnDdl,
        pipelined: false,
        // Not START TRANSACTION: DDL ends that for good, and a savepoint of `db.transaction(..)` after it
        // would vanish at once. With autocommit off the next statement begins a new transaction.
        begin: "SET autocommit = 0",
        commit: "COMMIT; SET autocommit = 1",
        rollback: "ROLLBACK; SET autocommit = 1",
        mark: "",
        unmark: "",
        key_type: "VARCHAR(255)",
        sequence_column: "BIGINT NOT NULL AUTO_INCREMENT UNIQUE",
        timestamp_type: "DATETIME(6)",
        double_type: "DOUBLE",
        table_options: " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin",
        identifier_quote: '`',
        text,
        number_as_text: "CAST({} AS CHAR)",
        timestamp_as_text: "DATE_FORMAT({}, '%Y-%m-%dT%H:%i:%s.%fZ')",
        all_lines: "",
        tabbed: "CONCAT_WS(CHAR(9), {})",
        longest_name: 64,
        now: "UTC_TIMESTAMP(6)",
        later: "(UTC_TIMESTAMP(6) + INTERVAL {} SECOND)",
        seconds_until: "(TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), {}) / 1000000)",
        row_values: RowValues::Spelled,
        // Under REPEATABLE READ a range locks the gap behind it: two workers side by side would wait for each
        // other, and so would who inserts.
        read_committed: "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    };
}

/// Plain where nothing in it could end a literal; else as bytes, which mean the same under every `sql_mode`.
fn text(text: &str) -> String {
    if text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b" _:.@/-".contains(&byte))
    {
        return format!("'{text}'");
    }
    text.bytes()
        .fold("_utf8mb4 0x".to_owned(), |mut literal, byte| {
            // Writing to a String cannot fail.
            let _ = write!(literal, "{byte:02x}");
            literal
        })
}

/// The lock's name: user-level locks belong to the server, so the database is part of it.
fn lock_name(key: &LockKey) -> String {
    format!("CONCAT('{}', ':', LEFT(MD5(DATABASE()), 16))", key.name)
}

impl Driver for MysqlConnection {
    diesel_plumbing!();

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn rows_prepared(&mut self, sql: &str, numbers: &[i64]) -> Option<QueryResult<Vec<TextRow>>> {
        let _asking = Asking::begin();
        Some(RunQueryDsl::load(Prepared { sql, numbers }, self))
    }

    fn views(&mut self) -> Option<&mut dyn ViewCatalog> {
        Some(self)
    }

    fn columns(&mut self, table: &str) -> QueryResult<Vec<String>> {
        let (schema, table) = match table.split_once('.') {
            Some((schema, table)) => (text(schema), table),
            None => ("DATABASE()".to_owned(), table),
        };
        let rows = self.rows(&format!(
            "SELECT LOWER(column_name) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
             FROM information_schema.columns WHERE table_schema = {schema} AND table_name = {} ORDER BY 1",
            text(table)
        ))?;
        Ok(rows.into_iter().filter_map(|row| row.c0).collect())
    }

    fn try_lock(&mut self, key: &LockKey) -> QueryResult<Locked> {
        let rows = self.rows(&format!(
            "SELECT CAST(GET_LOCK({}, 0) AS CHAR) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5",
            lock_name(key)
        ))?;
        let locked = rows.first().and_then(|row| row.c0.as_deref()) == Some("1");
        Ok(if locked {
            Locked::Yes(Held::default())
        } else {
            Locked::No
        })
    }

    fn lock_holder(&mut self, key: &LockKey) -> QueryResult<Option<LockHolder>> {
        Ok(self.lock_session(key)?.map(|session| session.holder))
    }

    fn lock_session(&mut self, key: &LockKey) -> QueryResult<Option<LockSession>> {
        let rows = self.rows(&format!(
            "SELECT CAST(l.session AS CHAR) AS c0, SUBSTRING_INDEX(p.HOST, ':', 1) AS c1, CAST(p.TIME AS CHAR) AS c2, \
             p.COMMAND AS c3, NULL AS c4, NULL AS c5 \
             FROM (SELECT IS_USED_LOCK({}) AS session) l LEFT JOIN information_schema.PROCESSLIST p ON p.ID = l.session \
             WHERE l.session IS NOT NULL",
            lock_name(key)
        ))?;
        Ok(rows.into_iter().next().map(|row| {
            let since = row.c2.and_then(|seconds| seconds.parse().ok());
            let since = since.map(Duration::from_secs);
            let activity = match (row.c3.as_deref(), since) {
                (Some("Sleep"), Some(since)) => Activity::Idle(since),
                (Some("Sleep") | None, _) => Activity::Unknown,
                (Some(_), _) => Activity::Working,
            };
            LockSession {
                holder: LockHolder {
                    pid: row.c0.as_ref().and_then(|session| session.parse().ok()),
                    host: row.c1,
                    since,
                },
                session: row.c0,
                activity,
            }
        }))
    }

    fn end_session(&mut self, key: &LockKey, session: &str) -> QueryResult<()> {
        // A number is never given twice; whose session ended meanwhile has no lock any more.
        let still = self.lock_session(key)?.and_then(|now| now.session);
        match still {
            Some(still) if still == session => self.batch(&format!("KILL {still}")),
            _ => Ok(()),
        }
    }

    fn unlock(&mut self, key: &LockKey, _held: Held) -> QueryResult<()> {
        self.batch(&format!("DO RELEASE_LOCK({})", lock_name(key)))
    }

    fn remember_session(&mut self, _key: &LockKey) -> QueryResult<SessionState> {
        Ok(SessionState {
            id: self.session_id()?,
            variables: session_variables(self)?,
            ..SessionState::default()
        })
    }

    fn search_in(&mut self, _path: &str) -> Result<Vec<String>, Error> {
        Err(unsupported(
            &DIALECT,
            "search_path",
            "names are looked up in the database of the URL, so name it there",
        ))
    }

    fn limit(&mut self, limits: Limits) -> Result<Vec<String>, Error> {
        if let Some(why) = self.cannot_limit(limits) {
            return Err(Error::Setting(why));
        }
        let mut wanted = Vec::new();
        if let Some(limit) = limits.statement {
            wanted.push(("max_statement_time", limit.as_secs_f64().to_string()));
        }
        if let Some(limit) = limits.lock {
            // They count in seconds, and MySQL takes no nothing.
            let seconds = milliseconds(limit).div_ceil(1_000).to_string();
            wanted.push(("lock_wait_timeout", seconds.clone()));
            wanted.push(("innodb_lock_wait_timeout", seconds));
        }
        let doing = || Error::database("set up the session");
        let before: Vec<String> = wanted
            .iter()
            .map(|(name, _)| format!("'SESSION {name} = ', @@SESSION.{name}"))
            .collect();
        let rows = self
            .rows(&format!(
                "SELECT CONCAT('SET ', {}) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5",
                before.join(", ', ', ")
            ))
            .map_err(doing())?;
        let set = wanted
            .iter()
            .map(|(name, value)| format!("SESSION {name} = {value}"));
        self.batch(&format!("SET {}", set.collect::<Vec<_>>().join(", ")))
            .map_err(doing())?;
        Ok(rows.into_iter().filter_map(|row| row.c0).collect())
    }

    fn cannot_limit(&mut self, limits: Limits) -> Option<String> {
        limits.statement?;
        let rows = self.rows(
            "SELECT VERSION() AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5",
        );
        let version = rows.ok()?.into_iter().next()?.c0?;
        (!version.contains("MariaDB")).then(|| {
            "`statement_timeout` is set, and MySQL can limit nothing but SELECT: leave it out, or use \
             `lock_timeout`"
                .to_owned()
        })
    }

    fn lock_holders(&mut self) -> QueryResult<Vec<String>> {
        Ok(blockers::lock_holders(self))
    }

    fn session_id(&mut self) -> QueryResult<Option<String>> {
        let rows = self.rows(
            "SELECT CAST(CONNECTION_ID() AS CHAR) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5",
        )?;
        Ok(rows.into_iter().next().and_then(|row| row.c0))
    }

    fn cancelling(&self, state: &SessionState) -> Option<Cancelling> {
        let id = state.id.as_ref()?;
        Some(Cancelling {
            connect: |url| Ok(Box::new(connect::establish(url)?)),
            sql: format!("KILL QUERY {id}"),
        })
    }

    /// Only a new session is free of temporary tables: the server lists them nowhere, and the
    /// protocol's reset is not to be had through Diesel.
    fn reopen(&mut self, url: &str) -> ConnectionResult<bool> {
        *self = connect::establish(url)?;
        Ok(true)
    }

    /// Without a URL, what can be seen is brought back: variables and user-level locks. Temporary
    /// tables and user variables stay.
    fn isolate(&mut self, state: &SessionState) -> QueryResult<()> {
        let now: HashMap<String, String> = session_variables(self)?.into_iter().collect();
        for (name, value) in &state.variables {
            if now.get(name).is_some_and(|current| current != value) {
                let literal = if value.parse::<f64>().is_ok() {
                    value.clone()
                } else {
                    text(value)
                };
                // A variable that cannot be set (it follows another one) is not a reason to stop.
                if let Err(error) = self.batch(&format!("SET SESSION {name} = {literal}")) {
                    tracing::debug!(variable = name, %error, "could not restore a session variable");
                }
            }
        }
        Ok(())
    }
}

fn session_variables(connection: &mut MysqlConnection) -> QueryResult<Vec<(String, String)>> {
    let rows = connection.rows(
        "SELECT LOWER(VARIABLE_NAME) AS c0, VARIABLE_VALUE AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
         FROM information_schema.SESSION_VARIABLES",
    );
    // MySQL 8 moved the table.
    let rows = match rows {
        Ok(rows) => rows,
        Err(_) => connection.rows(
            "SELECT LOWER(VARIABLE_NAME) AS c0, VARIABLE_VALUE AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
             FROM performance_schema.session_variables",
        )?,
    };
    const MOVING: [&str; 8] = [
        "timestamp",
        "last_insert_id",
        "identity",
        "insert_id",
        "rand_seed1",
        "rand_seed2",
        "pseudo_thread_id",
        "autocommit",
    ];
    Ok(rows
        .into_iter()
        .filter_map(|row| row.c0.zip(row.c1))
        .filter(|(name, _)| {
            !MOVING.contains(&name.as_str())
                && !name.starts_with("gtid")
                && !name.starts_with("in_")
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        assert_eq!(text("shop:create_users"), "'shop:create_users'");
        assert_eq!(text("it's"), "_utf8mb4 0x69742773");
    }
}
