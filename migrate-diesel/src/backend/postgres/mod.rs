//! PostgreSQL.

mod acl;
mod create;
mod dependents;
mod readers;
mod snapshot;
mod views;

use std::{
    process,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use diesel::{Connection as _, PgConnection, QueryResult};
use migrate_core::report::LockHolder;

use super::{
    Cancelling, Dialect, Driver, Held, ImplicitCommit, LockKey, Locked, MigrationConnection,
    SessionState, ViewCatalog, dialect::standard_text, diesel_plumbing,
};

impl MigrationConnection for PgConnection {
    const BACKENDS: &'static [&'static str] = &["postgres"];
}

static DIALECT: Dialect = Dialect {
    name: "postgres",
    implicit_commit: ImplicitCommit::Never,
    pipelined: true,
    begin: "BEGIN",
    commit: "COMMIT",
    rollback: "ROLLBACK",
    mark: "SAVEPOINT migrate_body",
    unmark: "RELEASE SAVEPOINT migrate_body",
    key_type: "VARCHAR(255) COLLATE \"C\"",
    sequence_column: "BIGINT GENERATED ALWAYS AS IDENTITY",
    timestamp_type: "TIMESTAMPTZ",
    double_type: "DOUBLE PRECISION",
    table_options: "",
    identifier_quote: '"',
    text,
    number_as_text: "{}::text",
    timestamp_as_text: "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    all_lines: "(SELECT string_agg({line}, chr(10)) FROM {table})",
    tabbed: "concat_ws(chr(9), {})",
    longest_name: 63,
};

/// A standard literal where there is no backslash; else the escape form, which means the same under
/// either value of `standard_conforming_strings`.
/// <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE>
fn text(text: &str) -> String {
    let literal = standard_text(text);
    if literal.contains('\\') {
        format!("E{}", literal.replace('\\', "\\\\"))
    } else {
        literal
    }
}

impl Driver for PgConnection {
    diesel_plumbing!();

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn columns(&mut self, table: &str) -> QueryResult<Vec<String>> {
        let name = text(&DIALECT.identifier(table));
        let rows = self.rows(&format!(
            "SELECT attname::text AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM pg_attribute \
             WHERE attrelid = to_regclass({name}) AND attnum > 0 AND NOT attisdropped ORDER BY 1"
        ))?;
        Ok(rows.into_iter().filter_map(|row| row.c0).collect())
    }

    /// A session lock, tried and never waited for: a session that *waits* for an advisory lock holds
    /// a snapshot, for which `CREATE INDEX CONCURRENTLY` of the lock's holder waits in turn.
    fn try_lock(&mut self, key: &LockKey) -> QueryResult<Locked> {
        let rows = self.rows(&format!(
            "SELECT pg_try_advisory_lock({})::text AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5",
            key.number
        ))?;
        let locked = rows.first().and_then(|row| row.c0.as_deref()) == Some("true");
        Ok(if locked {
            Locked::Yes(Held::default())
        } else {
            Locked::No
        })
    }

    fn lock_holder(&mut self, key: &LockKey) -> QueryResult<Option<LockHolder>> {
        let (high, low) = (
            key.number.cast_unsigned() >> 32,
            key.number.cast_unsigned() & 0xffff_ffff,
        );
        let rows = self.rows(&format!(
            "SELECT a.pid::text AS c0, a.application_name AS c1, coalesce(a.client_hostname, host(a.client_addr)) AS c2, \
             extract(epoch FROM clock_timestamp() - a.backend_start)::bigint::text AS c3, NULL AS c4, NULL AS c5 \
             FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
             WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
             AND l.classid = {high} AND l.objid = {low} \
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1"
        ))?;
        Ok(rows.into_iter().next().map(|row| {
            row.c1
                .as_deref()
                .and_then(parse_application_name)
                .unwrap_or_else(|| LockHolder {
                    pid: row.c0.and_then(|pid| pid.parse().ok()),
                    host: row.c2,
                    since: row
                        .c3
                        .and_then(|seconds| seconds.parse().ok())
                        .map(Duration::from_secs),
                })
        }))
    }

    fn unlock(&mut self, key: &LockKey, _held: Held) -> QueryResult<()> {
        self.batch(&format!("SELECT pg_advisory_unlock({})", key.number))
    }

    fn remember_session(&mut self, key: &LockKey) -> QueryResult<SessionState> {
        // What the caller set before it handed the connection over (a tenant's search_path, Diesel's
        // own time zone) is what bodies are to find; `set_config` takes lists as `setting` shows them.
        let row = self
            .rows(
                "SELECT string_agg(format('set_config(%L, %L, false)', name, setting), ', ') AS c0, \
                 current_setting('role') AS c1, current_setting('application_name') AS c2, pg_backend_pid()::text AS c3, NULL AS c4, NULL AS c5 \
                 FROM pg_settings WHERE source = 'session' AND context IN ('user', 'superuser') \
                 AND name NOT IN ('application_name', 'role', 'session_authorization')",
            )?
            .pop()
            .unwrap_or_default();
        let settings = row.c0.map_or_else(String::new, |list| format!("{list}, "));
        let role = text(row.c1.as_deref().unwrap_or("none"));
        let reset = "SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; \
                     DISCARD TEMP; DISCARD SEQUENCES";
        let restore = |application: &str| {
            format!(
                "SELECT {settings}set_config('application_name', {}, false), set_config('role', {role}, false)",
                text(application)
            )
        };
        let ours = application_name();
        self.batch(&restore(&ours))?;
        let number = key.number;
        Ok(SessionState {
            id: row.c3,
            // What is deferred to the commit runs now, as the body would have it, and not in a session
            // that was brought back. The lock has to outlive `unlock_all`: the transaction holds it
            // meanwhile.
            restore: format!(
                "SET CONSTRAINTS ALL IMMEDIATE; SELECT pg_advisory_xact_lock({number}), pg_advisory_unlock_all(), pg_advisory_lock({number}); {reset}; {}",
                restore(&ours)
            ),
            restore_names: format!(
                "SELECT set_config('application_name', {}, false)",
                text(row.c2.as_deref().unwrap_or_default())
            ),
            restore_finally: format!(
                "{reset}; {}; SELECT pg_advisory_unlock_all()",
                restore(row.c2.as_deref().unwrap_or_default())
            ),
            variables: Vec::new(),
        })
    }

    /// Where `track_counts` is on.
    /// <https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS-TABLE>
    fn rows_changed(&mut self) -> QueryResult<Option<u64>> {
        let rows = self.rows(
            "SELECT (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_catalog.pg_stat_xact_user_tables)::text AS c0, \
             NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
             WHERE pg_catalog.current_setting('track_counts') = 'on'",
        )?;
        // The sum of no table is NULL.
        Ok(rows.first().map(|row| {
            row.c0
                .as_ref()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0)
        }))
    }

    fn cancelling(&self, state: &SessionState) -> Option<Cancelling> {
        let id = state.id.as_ref()?;
        Some(Cancelling {
            connect: |url| Ok(Box::new(Self::establish(url)?)),
            sql: format!("SELECT pg_cancel_backend({id})"),
        })
    }

    fn isolation_sql(&self, state: &SessionState) -> String {
        state.restore.clone()
    }

    fn views(&mut self) -> Option<&mut dyn ViewCatalog> {
        Some(self)
    }
}

/// What the session of a deployer calls itself, so that those who wait can say for whom:
/// `migrate 4711@web-2 since 1763631000`.
fn application_name() -> String {
    let host: String = crate::who::host().chars().take(30).collect();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    format!("migrate {}@{host} since {now}", process::id())
}

fn parse_application_name(name: &str) -> Option<LockHolder> {
    let (who, since) = name.strip_prefix("migrate ")?.split_once(" since ")?;
    let (pid, host) = who.split_once('@')?;
    let began = UNIX_EPOCH + Duration::from_secs(since.parse().ok()?);
    Some(LockHolder {
        pid: pid.parse().ok(),
        host: Some(host.to_owned()),
        since: SystemTime::now().duration_since(began).ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        assert_eq!(text("it's"), "'it''s'");
        assert_eq!(text(r"a\'; DROP"), r"E'a\\''; DROP'");
    }

    #[test]
    fn a_holder_says_who_it_is() {
        let holder = parse_application_name(&application_name()).unwrap();
        assert_eq!(holder.pid, Some(process::id()));
        assert_eq!(parse_application_name("psql"), None);
    }
}
