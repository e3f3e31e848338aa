//! SQLite.

mod views;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use diesel::{
    Connection as _, QueryResult, RunQueryDsl, SqliteConnection, connection::InstrumentationEvent,
    result::Error,
};
use migrate_core::{Limits, report::LockHolder};

use super::{
    Asking, Dialect, Driver, Held, ImplicitCommit, LockKey, Locked, MigrationConnection, Prepared,
    RowValues, SessionState, TextRow, ViewCatalog,
    dialect::standard_text,
    diesel_plumbing,
    limited::{milliseconds, unsupported},
};
use crate::error::Error as RunError;

impl MigrationConnection for SqliteConnection {
    const BACKENDS: &'static [&'static str] = &["sqlite"];
}

static DIALECT: Dialect = Dialect::SQLITE;

impl Dialect {
    /// SQLite's words. A dialect of your own takes from it what is alike: `..Dialect::SQLITE`.
    pub const SQLITE: Self = Self {
        name: "sqlite",
        implicit_commit: ImplicitCommit::Never,
        pipelined: false,
        // Takes the write lock at once: a deferred transaction that meets another writer later fails
        // with SQLITE_BUSY without waiting. <https://www.sqlite.org/lang_transaction.html>
        begin: "BEGIN IMMEDIATE",
        commit: "COMMIT",
        rollback: "ROLLBACK",
        mark: "",
        unmark: "",
        key_type: "TEXT",
        // The rowid under a name: no further index, and it grows.
        sequence_column: "INTEGER PRIMARY KEY",
        timestamp_type: "TEXT",
        double_type: "REAL",
        table_options: "",
        identifier_quote: '"',
        text: standard_text,
        number_as_text: "CAST({} AS TEXT)",
        timestamp_as_text: "{}",
        all_lines: "(SELECT group_concat({line}, char(10)) FROM {table})",
        tabbed: "concat_ws(char(9), {})",
        longest_name: 200,
        now: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        later: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{} seconds')",
        seconds_until: "((julianday({}) - julianday('now')) * 86400.0)",
        row_values: RowValues::Indexed,
        // There is one writer at a time.
        read_committed: "",
    };
}

/// How long a statement waits for another process's transaction, in milliseconds. Without it a
/// mere SELECT fails while somebody commits.
const BUSY_TIMEOUT_MS: u32 = 5_000;

/// Settings of a session that a body can change inside a transaction and that are restored.
const PRAGMAS: [&str; 8] = [
    "foreign_keys",
    "recursive_triggers",
    "ignore_check_constraints",
    "legacy_alter_table",
    "query_only",
    "writable_schema",
    "trusted_schema",
    "reverse_unordered_selects",
];

impl Driver for SqliteConnection {
    diesel_plumbing!();

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn rows_prepared(&mut self, sql: &str, numbers: &[i64]) -> Option<QueryResult<Vec<TextRow>>> {
        let _asking = Asking::begin();
        Some(RunQueryDsl::load(Prepared { sql, numbers }, self))
    }

    fn prepare(&mut self) -> QueryResult<()> {
        self.batch(&format!("PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"))
    }

    fn columns(&mut self, table: &str) -> QueryResult<Vec<String>> {
        let (schema, table) = table.split_once('.').unwrap_or(("main", table));
        let rows = self.rows(&format!(
            "SELECT lower(name) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM pragma_table_info({}, {}) ORDER BY 1",
            standard_text(table),
            standard_text(schema)
        ))?;
        Ok(rows.into_iter().filter_map(|row| row.c0).collect())
    }

    /// A locked file beside the database. SQLite's own lock ends with each transaction; the operating
    /// system's on a file lasts for the run and ends with the process, however that dies.
    fn try_lock(&mut self, _key: &LockKey) -> QueryResult<Locked> {
        let Some(path) = lock_path(self)? else {
            // In memory: no other process can see it.
            return Ok(Locked::Yes(Held::default()));
        };
        lock_file(&path).map_err(|error| lock_error(&path, &error))
    }

    fn lock_holder(&mut self, _key: &LockKey) -> QueryResult<Option<LockHolder>> {
        let Some(path) = lock_path(self)? else {
            return Ok(None);
        };
        match read_holder(&path) {
            Ok(holder) => Ok(holder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(lock_error(&path, &error)),
        }
    }

    fn unlock(&mut self, _key: &LockKey, held: Held) -> QueryResult<()> {
        if let Some((file, path)) = held.file {
            // First the name, then the lock: who opened the file meanwhile notices that it has no name any more.
            let _ = fs::remove_file(path);
            drop(file);
        }
        Ok(())
    }

    fn remember_session(&mut self, _key: &LockKey) -> QueryResult<SessionState> {
        let mut variables = Vec::new();
        for name in PRAGMAS {
            if let Some(value) = pragma(self, name)? {
                variables.push((name.to_owned(), value));
            }
        }
        let attached = self.rows(
            "SELECT name AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM pragma_database_list \
             WHERE name NOT IN ('main', 'temp')",
        )?;
        variables.extend(
            attached
                .into_iter()
                .filter_map(|row| row.c0)
                .map(|name| ("attached".to_owned(), name)),
        );
        Ok(SessionState {
            variables,
            ..SessionState::default()
        })
    }

    fn search_in(&mut self, _path: &str) -> Result<Vec<String>, RunError> {
        Err(unsupported(
            &DIALECT,
            "search_path",
            "its database is the file of the URL, so leave it out",
        ))
    }

    fn limit(&mut self, limits: Limits) -> Result<Vec<String>, RunError> {
        if let Some(why) = self.cannot_limit(limits) {
            return Err(RunError::Setting(why));
        }
        let Some(limit) = limits.lock else {
            return Ok(Vec::new());
        };
        let doing = || RunError::database("set up the session");
        let before = self
            .rows("SELECT CAST(timeout AS TEXT) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM pragma_busy_timeout")
            .map_err(doing())?;
        self.batch(&format!("PRAGMA busy_timeout = {}", milliseconds(limit)))
            .map_err(doing())?;
        let before = before.into_iter().filter_map(|row| row.c0);
        Ok(before
            .map(|before| format!("PRAGMA busy_timeout = {before}"))
            .collect())
    }

    fn cannot_limit(&mut self, limits: Limits) -> Option<String> {
        limits.statement.map(|_| {
            "`statement_timeout` is set, and SQLite has nothing that ends a statement from outside: leave it out"
                .to_owned()
        })
    }

    fn views(&mut self) -> Option<&mut dyn ViewCatalog> {
        Some(self)
    }

    fn watch(&mut self) -> Option<Arc<AtomicBool>> {
        let flag = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&flag);
        self.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event
                && !seen.load(Relaxed)
                && may_change_session(&query.to_string())
            {
                seen.store(true, Relaxed);
            }
        });
        Some(flag)
    }

    /// <https://www.sqlite.org/lang_corefunc.html#total_changes>
    fn rows_changed(&mut self) -> QueryResult<Option<u64>> {
        let rows = self.rows(
            "SELECT CAST(total_changes() AS TEXT) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5",
        )?;
        Ok(rows.first().and_then(|row| row.c0.as_ref()?.parse().ok()))
    }

    fn clean_condition(&self, state: &SessionState) -> Option<String> {
        let attached = state
            .variables
            .iter()
            .filter(|(name, _)| name == "attached")
            .count();
        let pragmas = state
            .variables
            .iter()
            .filter(|(name, _)| name != "attached")
            .fold(String::new(), |condition, (name, value)| {
                format!("{condition} AND (SELECT {name} FROM pragma_{name}) = {value}")
            });
        Some(format!(
            "NOT EXISTS (SELECT 1 FROM sqlite_temp_master) AND \
             (SELECT count(*) FROM pragma_database_list WHERE name NOT IN ('main', 'temp')) = {attached}{pragmas}"
        ))
    }

    fn isolate(&mut self, state: &SessionState) -> QueryResult<()> {
        let left = self.rows(
            "SELECT type AS c0, name AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM sqlite_temp_master \
             WHERE type IN ('table', 'view') OR (type = 'trigger' AND tbl_name NOT IN (SELECT name FROM sqlite_temp_master)) \
             ORDER BY type DESC",
        )?;
        for (kind, name) in left.into_iter().filter_map(|row| row.c0.zip(row.c1)) {
            self.batch(&format!(
                "DROP {kind} IF EXISTS temp.{}",
                DIALECT.identifier(&name)
            ))?;
        }
        for (name, value) in state
            .variables
            .iter()
            .filter(|(name, _)| name != "attached")
        {
            self.batch(&format!("PRAGMA {name} = {value}"))?;
        }
        let attached = self.rows(
            "SELECT name AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM pragma_database_list \
             WHERE name NOT IN ('main', 'temp')",
        )?;
        for name in attached.into_iter().filter_map(|row| row.c0) {
            if !state
                .variables
                .iter()
                .any(|(key, value)| key == "attached" && *value == name)
            {
                self.batch(&format!("DETACH DATABASE {}", DIALECT.identifier(&name)))?;
            }
        }
        Ok(())
    }
}

/// Whether a statement may do something that outlives its transaction in the session. Rather once
/// too often: bringing a clean session back costs a few statements and nothing else.
fn may_change_session(sql: &str) -> bool {
    let sql = sql.as_bytes();
    let starts = |at: usize, word: &[u8]| {
        sql.get(at..at + word.len())
            .is_some_and(|part| part.eq_ignore_ascii_case(word))
    };
    sql.iter().enumerate().any(|(at, byte)| match byte {
        b't' | b'T' => starts(at, b"temp"),
        b'p' | b'P' => starts(at, b"pragma"),
        b'a' | b'A' => starts(at, b"attach"),
        _ => false,
    })
}

fn pragma(connection: &mut SqliteConnection, name: &str) -> QueryResult<Option<String>> {
    let rows = connection.rows(&format!(
        "SELECT CAST({name} AS TEXT) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM pragma_{name}"
    ))?;
    Ok(rows.into_iter().next().and_then(|row| row.c0))
}

/// Where the lock file of a connection's database is; `None` for one in memory.
fn lock_path(connection: &mut SqliteConnection) -> QueryResult<Option<PathBuf>> {
    let rows = connection.rows(
        "SELECT file AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM pragma_database_list WHERE name = 'main'",
    )?;
    let file = rows
        .into_iter()
        .next()
        .and_then(|row| row.c0)
        .unwrap_or_default();
    Ok((!file.is_empty()).then(|| PathBuf::from(format!("{file}-migrate-lock"))))
}

fn lock_file(path: &Path) -> io::Result<Locked> {
    loop {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Locked::No),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if !still_named(&file, path) {
            // Its last holder removed it between our opening and our locking it.
            continue;
        }
        file.set_len(0)?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        write!(file, "{} {} {now}", process::id(), crate::who::host())?;
        return Ok(Locked::Yes(Held {
            file: Some((file, path.to_owned())),
            ..Held::default()
        }));
    }
}

#[cfg(unix)]
fn still_named(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    matches!((file.metadata(), fs::metadata(path)), (Ok(ours), Ok(theirs)) if ours.ino() == theirs.ino() && ours.dev() == theirs.dev())
}

#[cfg(not(unix))]
fn still_named(_file: &File, path: &Path) -> bool {
    path.exists()
}

fn read_holder(path: &Path) -> io::Result<Option<LockHolder>> {
    let mut file = File::options().read(true).open(path)?;
    if file.try_lock_shared().is_ok() {
        return Ok(None);
    }
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    let mut words = text.split(' ');
    let pid = words.next().and_then(|pid| pid.parse().ok());
    let host = words.next().map(str::to_owned);
    let began = words
        .next()
        .and_then(|since| since.parse().ok())
        .map(|since| UNIX_EPOCH + Duration::from_secs(since));
    Ok(Some(LockHolder {
        pid,
        host,
        since: began.and_then(|began| SystemTime::now().duration_since(began).ok()),
    }))
}

fn lock_error(path: &Path, error: &io::Error) -> Error {
    Error::QueryBuilderError(format!("cannot lock {}: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_a_session() {
        for sql in [
            "CREATE TEMP TABLE x (y)",
            "create temporary view x as select 1",
            "Pragma x = 1",
            "ATTACH 'x' AS y",
        ] {
            assert!(may_change_session(sql), "{sql}");
        }
        assert!(!may_change_session(
            "CREATE TABLE x (id INTEGER PRIMARY KEY)"
        ));
    }

    #[test]
    fn the_lock_is_exclusive_names_its_holder_and_leaves_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db-migrate-lock");
        let Locked::Yes(held) = lock_file(&path).unwrap() else {
            panic!("free")
        };
        assert!(matches!(lock_file(&path).unwrap(), Locked::No));
        assert_eq!(
            read_holder(&path).unwrap().unwrap().pid,
            Some(process::id())
        );
        let (file, path) = held.file.unwrap();
        fs::remove_file(&path).unwrap();
        drop(file);
        assert!(!path.exists());
        assert!(matches!(lock_file(&path).unwrap(), Locked::Yes(_)));
    }
}
