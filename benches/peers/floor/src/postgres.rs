//! What one would write by hand on libpq, knowing nothing but the task.
//!
//! `floor-postgres VARIANT URL N` migrates. Besides, the benchmark's own needs: `floor-postgres reset URL DATABASE`
//! makes an empty database, `floor-postgres tables URL` prints how many tables there are.

use std::ffi::{CStr, CString, c_char};
use std::process::ExitCode;
use std::ptr;

const HISTORY: &str = "CREATE TABLE IF NOT EXISTS floor_history (version VARCHAR(50) PRIMARY KEY NOT NULL, \
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)";
const USAGE: &str = "usage: floor-postgres per|per2|per1|all|savepoints|all1 URL N, reset URL DATABASE, or tables URL";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor-postgres: {}", error.trim_end());
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["reset", url, database] => reset(&Connection::open(url)?, database),
        ["tables", url] => {
            let connection = Connection::open(url)?;
            let counted = connection.execute(
                "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^t_[0-9]+$'",
            )?;
            println!("{}", counted.text(0));
            Ok(())
        }
        [variant, url, size] => migrate(
            &Connection::open(url)?,
            variant,
            size.parse().map_err(|_| USAGE)?,
        ),
        _ => Err(USAGE.into()),
    }
}

fn reset(connection: &Connection, database: &str) -> Result<(), String> {
    connection.execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))?;
    connection.execute(&format!("CREATE DATABASE {database}"))?;
    // So that none falls into what is measured next.
    connection.execute("CHECKPOINT").map(drop)
}

fn migrate(connection: &Connection, variant: &str, size: usize) -> Result<(), String> {
    connection.silence_notices();
    let found = connection.execute(&format!(
        "{HISTORY}; SELECT version FROM floor_history ORDER BY version"
    ))?;
    let applied: Vec<String> = (0..found.rows()).map(|row| found.text(row)).collect();
    let pending: Vec<usize> = (1..=size)
        .filter(|number| applied.binary_search(&version(*number)).is_err())
        .collect();
    if pending.is_empty() {
        return Ok(());
    }
    match variant {
        // Four round trips each.
        "per" => prepared(connection, &pending, Some(["BEGIN", "COMMIT"])),
        "all" => in_one(connection, || prepared(connection, &pending, None)),
        "savepoints" => in_one(connection, || {
            prepared(connection, &pending, Some(["SAVEPOINT s", "RELEASE s"]))
        }),
        // Two: the record, the commit and the next begin travel together.
        "per2" => {
            connection.execute("BEGIN")?;
            for number in pending {
                connection.execute(&create(number))?;
                connection.execute(&format!("{}; COMMIT; BEGIN", record(number)))?;
            }
            connection.execute("COMMIT").map(drop)
        }
        // One: everything travels together, which a migration made of code cannot.
        "per1" => pending.into_iter().try_for_each(|number| {
            connection
                .execute(&format!(
                    "BEGIN; {}; {}; COMMIT",
                    create(number),
                    record(number)
                ))
                .map(drop)
        }),
        "all1" => {
            let mut batch: String = pending.iter().map(|number| create(*number) + ";").collect();
            batch += "INSERT INTO floor_history (version) SELECT v FROM unnest(ARRAY[";
            let versions: Vec<String> = pending
                .iter()
                .map(|number| format!("'{}'", version(*number)))
                .collect();
            batch += &(versions.join(",") + "]) AS u(v)");
            connection.execute(&batch).map(drop)
        }
        _ => Err(USAGE.into()),
    }
}

fn in_one(
    connection: &Connection,
    work: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    connection.execute("BEGIN")?;
    work()?;
    connection.execute("COMMIT").map(drop)
}

fn prepared(
    connection: &Connection,
    pending: &[usize],
    around: Option<[&str; 2]>,
) -> Result<(), String> {
    connection.prepare(
        c"record",
        c"INSERT INTO floor_history (version) VALUES ($1)",
    )?;
    for number in pending {
        if let Some([before, _]) = around {
            connection.execute(before)?;
        }
        connection.execute(&create(*number))?;
        connection.execute_prepared(c"record", &version(*number))?;
        if let Some([_, after]) = around {
            connection.execute(after)?;
        }
    }
    Ok(())
}

fn create(number: usize) -> String {
    format!("CREATE TABLE t_{number} (id BIGINT PRIMARY KEY, name TEXT NOT NULL)")
}

fn record(number: usize) -> String {
    format!(
        "INSERT INTO floor_history (version) VALUES ('{}')",
        version(number)
    )
}

/// Of one width, so that the order of the text is the order of the numbers.
fn version(number: usize) -> String {
    format!("{number:014}")
}

struct Connection(*mut pq_sys::PGconn);

impl Connection {
    fn open(url: &str) -> Result<Self, String> {
        let url = text(url)?;
        // SAFETY: a terminated string; libpq always hands back a connection, perhaps a failed one.
        let connection = Self(unsafe { pq_sys::PQconnectdb(url.as_ptr()) });
        // SAFETY: the connection from above.
        match unsafe { pq_sys::PQstatus(connection.0) } {
            pq_sys::ConnStatusType::CONNECTION_OK => Ok(connection),
            _ => Err(connection.message()),
        }
    }

    /// "relation already exists, skipping" is no news here.
    fn silence_notices(&self) {
        unsafe extern "C" fn nobody(_: *mut std::ffi::c_void, _: *const c_char) {}
        // SAFETY: a callback that does nothing.
        unsafe { pq_sys::PQsetNoticeProcessor(self.0, Some(nobody), ptr::null_mut()) };
    }

    fn execute(&self, sql: &str) -> Result<Answer, String> {
        let sql = text(sql)?;
        // SAFETY: an open connection and a terminated string.
        self.answer(unsafe { pq_sys::PQexec(self.0, sql.as_ptr()) })
    }

    fn prepare(&self, name: &CStr, sql: &CStr) -> Result<(), String> {
        // SAFETY: an open connection and terminated strings; the server finds the types.
        self.answer(unsafe {
            pq_sys::PQprepare(self.0, name.as_ptr(), sql.as_ptr(), 1, ptr::null())
        })
        .map(drop)
    }

    fn execute_prepared(&self, name: &CStr, value: &str) -> Result<(), String> {
        let value = text(value)?;
        let values = [value.as_ptr()];
        // SAFETY: one parameter, in text form, that lives through the call.
        self.answer(unsafe {
            pq_sys::PQexecPrepared(
                self.0,
                name.as_ptr(),
                1,
                values.as_ptr(),
                ptr::null(),
                ptr::null(),
                0,
            )
        })
        .map(drop)
    }

    fn answer(&self, result: *mut pq_sys::PGresult) -> Result<Answer, String> {
        let answer = Answer(result);
        // SAFETY: libpq takes a null pointer too, and calls it a fatal error.
        match unsafe { pq_sys::PQresultStatus(result) } {
            pq_sys::ExecStatusType::PGRES_COMMAND_OK | pq_sys::ExecStatusType::PGRES_TUPLES_OK => {
                Ok(answer)
            }
            _ => Err(self.message()),
        }
    }

    fn message(&self) -> String {
        // SAFETY: the text belongs to the connection and is copied at once.
        unsafe { CStr::from_ptr(pq_sys::PQerrorMessage(self.0)) }
            .to_string_lossy()
            .into_owned()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: not used afterwards.
        unsafe { pq_sys::PQfinish(self.0) };
    }
}

struct Answer(*mut pq_sys::PGresult);

impl Answer {
    fn rows(&self) -> i32 {
        // SAFETY: a result that libpq called good.
        unsafe { pq_sys::PQntuples(self.0) }
    }

    fn text(&self, row: i32) -> String {
        // SAFETY: the row and the first column exist; the text lives as long as the result.
        unsafe { CStr::from_ptr(pq_sys::PQgetvalue(self.0, row, 0)) }
            .to_string_lossy()
            .into_owned()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: not used afterwards.
        unsafe { pq_sys::PQclear(self.0) };
    }
}

fn text(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|error| error.to_string())
}
