//! What one would write by hand on SQLite's C interface, knowing nothing but the task.
//!
//! `floor-sqlite per|all|savepoints PATH N` migrates, `floor-sqlite tables PATH` prints how many tables there are.

use std::ffi::{CStr, CString, c_char, c_int};
use std::process::ExitCode;
use std::ptr;

use libsqlite3_sys as ffi;

#[cfg(feature = "count")]
statements::count_statements!();

const HISTORY: &CStr =
    c"CREATE TABLE IF NOT EXISTS floor_history (version VARCHAR(50) PRIMARY KEY NOT NULL, \
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
const USAGE: &str = "usage: floor-sqlite per|all|savepoints PATH N, or floor-sqlite tables PATH";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor-sqlite: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tables", path] => {
            let database = Database::open(path)?;
            let count = database.prepare(
                c"SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB 't_[0-9]*'",
            )?;
            count.step()?;
            println!("{}", count.integer());
            Ok(())
        }
        [variant, path, size] => {
            let size = size.parse().map_err(|_| USAGE)?;
            migrate(&Database::open(path)?, variant, size)
        }
        _ => Err(USAGE.into()),
    }
}

fn migrate(database: &Database, variant: &str, size: usize) -> Result<(), String> {
    database.execute(HISTORY)?;
    let applied = database.applied()?;
    let pending = (1..=size).filter(|number| applied.binary_search(&version(*number)).is_err());
    let mut pending = pending.peekable();
    if pending.peek().is_none() {
        return Ok(());
    }
    let record = database.prepare(c"INSERT INTO floor_history (version) VALUES (?)")?;
    let (outer, before, after) = match variant {
        "per" => (false, Some(c"BEGIN"), Some(c"COMMIT")),
        "all" => (true, None, None),
        "savepoints" => (true, Some(c"SAVEPOINT s"), Some(c"RELEASE s")),
        _ => return Err(USAGE.into()),
    };
    if outer {
        database.execute(c"BEGIN")?;
    }
    for number in pending {
        before.map_or(Ok(()), |sql| database.execute(sql))?;
        let sql = format!("CREATE TABLE t_{number} (id INTEGER PRIMARY KEY, name TEXT NOT NULL)\0");
        database.execute(
            CStr::from_bytes_with_nul(sql.as_bytes()).map_err(|error| error.to_string())?,
        )?;
        record.run_with(&version(number))?;
        after.map_or(Ok(()), |sql| database.execute(sql))?;
    }
    if outer {
        database.execute(c"COMMIT")?;
    }
    Ok(())
}

/// Of one width, so that the order of the text is the order of the numbers.
fn version(number: usize) -> String {
    format!("{number:014}")
}

struct Database(*mut ffi::sqlite3);

impl Database {
    fn open(path: &str) -> Result<Self, String> {
        let name = CString::new(path).map_err(|error| error.to_string())?;
        let mut database = Self(ptr::null_mut());
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE;
        // SAFETY: a terminated string, and a place for the handle.
        let code =
            unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &raw mut database.0, flags, ptr::null()) };
        database.check(code)?;
        Ok(database)
    }

    fn execute(&self, sql: &CStr) -> Result<(), String> {
        // SAFETY: an open connection and a terminated string; no callback.
        self.check(unsafe {
            ffi::sqlite3_exec(self.0, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut())
        })
    }

    fn prepare(&self, sql: &CStr) -> Result<Statement<'_>, String> {
        let mut handle = ptr::null_mut();
        // SAFETY: an open connection, a terminated string, a place for the handle.
        self.check(unsafe {
            ffi::sqlite3_prepare_v2(self.0, sql.as_ptr(), -1, &raw mut handle, ptr::null_mut())
        })?;
        Ok(Statement {
            database: self,
            handle,
        })
    }

    fn applied(&self) -> Result<Vec<String>, String> {
        let statement = self.prepare(c"SELECT version FROM floor_history ORDER BY version")?;
        let mut versions = Vec::new();
        while statement.step()? {
            versions.push(statement.text());
        }
        Ok(versions)
    }

    fn check(&self, code: c_int) -> Result<(), String> {
        if code == ffi::SQLITE_OK {
            return Ok(());
        }
        // SAFETY: the message belongs to the connection, which nothing has used since.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.0)) };
        Err(message.to_string_lossy().into_owned())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: every statement borrows the connection, so that none is left.
        unsafe { ffi::sqlite3_close(self.0) };
    }
}

struct Statement<'d> {
    database: &'d Database,
    handle: *mut ffi::sqlite3_stmt,
}

impl Statement<'_> {
    /// Is there a row?
    fn step(&self) -> Result<bool, String> {
        // SAFETY: a prepared statement.
        match unsafe { ffi::sqlite3_step(self.handle) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => self.database.check(code).map(|()| false),
        }
    }

    fn run_with(&self, value: &str) -> Result<(), String> {
        let length = c_int::try_from(value.len()).map_err(|error| error.to_string())?;
        // SAFETY: the text outlives the step, after which the statement is reset; so SQLite need not copy it.
        let code = unsafe {
            ffi::sqlite3_bind_text(
                self.handle,
                1,
                value.as_ptr().cast::<c_char>(),
                length,
                ffi::SQLITE_STATIC(),
            )
        };
        self.database.check(code)?;
        self.step()?;
        // SAFETY: a prepared statement.
        self.database
            .check(unsafe { ffi::sqlite3_reset(self.handle) })
    }

    fn text(&self) -> String {
        // SAFETY: the column exists and is NOT NULL; the text is valid until the next step.
        let text =
            unsafe { CStr::from_ptr(ffi::sqlite3_column_text(self.handle, 0).cast::<c_char>()) };
        text.to_string_lossy().into_owned()
    }

    fn integer(&self) -> i64 {
        // SAFETY: the column exists.
        unsafe { ffi::sqlite3_column_int64(self.handle, 0) }
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is not used afterwards.
        unsafe { ffi::sqlite3_finalize(self.handle) };
    }
}
