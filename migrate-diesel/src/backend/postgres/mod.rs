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

use diesel::{PgConnection, QueryResult, connection::LoadConnection, pg::Pg};
use migrate_core::{
    Limits,
    report::LockHolder,
    unlock::{Activity, LockSession},
};

use super::{
    Cancelling, Dialect, Driver, Held, ImplicitCommit, LockKey, Locked, MigrationConnection,
    RowValues, SessionState, ViewCatalog, dialect::standard_text, diesel_plumbing,
    limited::milliseconds,
};
use crate::error::Error;

/// A connection of Diesel's [`Pg`] that talks to a PostgreSQL server: with this one line it has the dialect,
/// the lock, the sessions and the views of the connection that comes with Diesel.
///
/// ```text
/// impl migrate_diesel::backend::PostgresConnection for MyConnection {}
/// ```
pub trait PostgresConnection: LoadConnection<Backend = Pg> + Sized + 'static {}

impl PostgresConnection for PgConnection {}

#[diagnostic::do_not_recommend]
impl<C: PostgresConnection> MigrationConnection for C {
    const BACKENDS: &'static [&'static str] = &["postgres"];
}

static DIALECT: Dialect = Dialect::POSTGRES;

impl Dialect {
    /// PostgreSQL's words. A dialect of your own takes from it what is alike: `..Dialect::POSTGRES`.
    pub const POSTGRES: Self = Self {
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
        now: "clock_timestamp()",
        later: "(clock_timestamp() + interval '{} seconds')",
        seconds_until: "extract(epoch FROM {} - clock_timestamp())",
        row_values: RowValues::Indexed,
        // Under a stricter default the heartbeat of a shard would fail the batch that moves its cursor.
        read_committed: "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
    };
}

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

#[diagnostic::do_not_recommend]
impl<C: PostgresConnection> Driver for C {
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
        Ok(self.lock_session(key)?.map(|session| session.holder))
    }

    fn lock_session(&mut self, key: &LockKey) -> QueryResult<Option<LockSession>> {
        let rows = self.rows(&format!(
            "SELECT a.pid::text AS c0, a.application_name AS c1, coalesce(a.client_hostname, host(a.client_addr)) AS c2, \
             extract(epoch FROM clock_timestamp() - a.backend_start)::bigint::text AS c3, a.state AS c4, \
             extract(epoch FROM clock_timestamp() - a.state_change)::bigint::text AS c5 \
             FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE {} LIMIT 1",
            is_deploy_lock(key)
        ))?;
        Ok(rows.into_iter().next().map(|row| {
            let activity = match row.c4.as_deref() {
                Some("active" | "fastpath function call") => Activity::Working,
                Some(state) if state.starts_with("idle") => {
                    seconds(row.c5).map_or(Activity::Unknown, Activity::Idle)
                }
                // Another role's session, of which we may know nothing.
                _ => Activity::Unknown,
            };
            let session = row.c0.clone();
            let named = row.c1.as_deref().and_then(parse_application_name);
            let holder = named.unwrap_or_else(|| LockHolder {
                pid: row.c0.and_then(|pid| pid.parse().ok()),
                host: row.c2,
                since: seconds(row.c3),
            });
            LockSession {
                holder,
                session,
                activity,
            }
        }))
    }

    fn end_session(&mut self, key: &LockKey, session: &str) -> QueryResult<()> {
        // In one statement: a number may be another session's by now.
        self.batch(&format!(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE {} AND l.pid::text = {}",
            is_deploy_lock(key),
            text(session)
        ))
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
        let ours = application_name(&key.application);
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

    fn search_in(&mut self, path: &str) -> Result<Vec<String>, Error> {
        self.set(&[("search_path", path.to_owned())])
    }

    fn limit(&mut self, limits: Limits) -> Result<Vec<String>, Error> {
        let limit = |limit: Duration| format!("{}ms", milliseconds(limit));
        let mut settings = Vec::new();
        settings.extend(limits.statement.map(|it| ("statement_timeout", limit(it))));
        settings.extend(limits.lock.map(|it| ("lock_timeout", limit(it))));
        self.set(&settings)
    }

    fn lock_holders(&mut self) -> QueryResult<Vec<String>> {
        views::lock_holders(self)
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

/// Settings of a session.
trait Settings: Driver {
    /// Sets these, and returns what sets them back.
    fn set(&mut self, settings: &[(&str, String)]) -> Result<Vec<String>, Error> {
        let names: Vec<String> = settings.iter().map(|(name, _)| text(name)).collect();
        let doing = || Error::database("set up the session");
        let before = self
            .rows(&format!(
                "SELECT format('SELECT set_config(%L, %L, false)', name, current_setting(name)) AS c0, \
                 NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM unnest(ARRAY[{}]) name",
                names.join(", ")
            ))
            .map_err(doing())?;
        let calls = settings
            .iter()
            .map(|(name, value)| format!("set_config({}, {}, false)", text(name), text(value)));
        let calls: Vec<String> = calls.collect();
        self.batch(&format!("SELECT {}", calls.join(", ")))
            .map_err(doing())?;
        Ok(before.into_iter().filter_map(|row| row.c0).collect())
    }
}

impl<C: PostgresConnection> Settings for C {}

/// What the session of a deployer calls itself, so that those who wait can say for whom:
/// `migrate 4711@web-2 since 1763631000`.
///
/// The host is cut to what remains of the 63 bytes that a name has.
fn application_name(application: &str) -> String {
    let room = 37_usize.saturating_sub(application.len()).max(8);
    let host: String = crate::who::host().chars().take(room).collect();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    format!("{application} {}@{host} since {now}", process::id())
}

/// Of a row of `pg_locks` `l`.
fn is_deploy_lock(key: &LockKey) -> String {
    let (high, low) = (
        key.number.cast_unsigned() >> 32,
        key.number.cast_unsigned() & 0xffff_ffff,
    );
    format!(
        "l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = {high} AND l.objid = {low} \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

fn seconds(text: Option<String>) -> Option<Duration> {
    text?.parse().ok().map(Duration::from_secs)
}

fn parse_application_name(name: &str) -> Option<LockHolder> {
    let (who, since) = name.rsplit_once(" since ")?;
    let (_, who) = who.rsplit_once(' ')?;
    let (pid, host) = who.split_once('@')?;
    let began = UNIX_EPOCH + Duration::from_secs(since.parse().ok()?);
    Some(LockHolder {
        pid: Some(pid.parse().ok()?),
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
        for application in ["migrate", "deploy of the shop"] {
            let name = application_name(application);
            assert!(name.len() <= 63, "{name}");
            let holder = parse_application_name(&name).unwrap();
            assert_eq!(holder.pid, Some(process::id()));
        }
        assert_eq!(parse_application_name("psql"), None);
    }
}
