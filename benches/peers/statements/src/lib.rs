//! Counts the statements that SQLite runs, whoever asks it to.
//!
//! SQLite is linked in statically, so that nothing can be slipped under it from outside; but whatever client library
//! opens a connection, SQLite first calls its automatic extensions, and ours sets a trace on the connection.
//! Only in builds with the feature `count`, never in those that are timed.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use libsqlite3_sys as ffi;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static LIST: AtomicBool = AtomicBool::new(false);

/// Starts to count before `main`, and prints `statements: N` to standard error at exit.
#[macro_export]
macro_rules! count_statements {
    () => {
        #[used]
        #[unsafe(link_section = ".init_array")]
        static COUNT_STATEMENTS: extern "C" fn() = $crate::install;
    };
}

/// What [`count_statements`] runs. `STATEMENTS=list` in the environment prints each one as well.
pub extern "C" fn install() {
    LIST.store(
        std::env::var_os("STATEMENTS").is_some_and(|value| value == "list"),
        Ordering::Relaxed,
    );
    // SAFETY: both functions take a callback that lives as long as the program; nothing else runs yet.
    unsafe {
        ffi::sqlite3_auto_extension(Some(on_open));
        libc::atexit(report);
    }
}

extern "C" fn report() {
    eprintln!("statements: {}", COUNT.load(Ordering::Relaxed));
}

unsafe extern "C" fn on_open(
    connection: *mut ffi::sqlite3,
    _message: *mut *mut c_char,
    _api: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite hands us the connection that it has just opened.
    unsafe {
        ffi::sqlite3_trace_v2(
            connection,
            ffi::SQLITE_TRACE_STMT as c_uint,
            Some(on_statement),
            ptr::null_mut(),
        )
    }
}

unsafe extern "C" fn on_statement(
    _kind: c_uint,
    _context: *mut c_void,
    _statement: *mut c_void,
    text: *mut c_void,
) -> c_int {
    // SAFETY: for this kind of event the last argument is the statement's text, valid during the call.
    let text = unsafe { CStr::from_ptr(text.cast::<c_char>()) };
    // What a trigger runs, and what SQLite runs for itself (reading its schema), is announced as a comment.
    if !text.to_bytes().starts_with(b"--") {
        COUNT.fetch_add(1, Ordering::Relaxed);
        if LIST.load(Ordering::Relaxed) {
            eprintln!("statement: {}", text.to_string_lossy());
        }
    }
    0
}
