//! Writes the same migrations in each contestant's own form, from its build script.
//!
//! How many is a feature (`n1000`) and not a variable, so that cargo keeps the builds of all sizes side by side.
#![forbid(unsafe_code)]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The sizes that can be asked for; each contestant has one feature for each.
const SIZES: [usize; 4] = [1, 100, 1000, 5000];

/// The backend that the contestant is being built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Backend {
    /// The one feature among `sqlite` and `postgres` that is on.
    #[must_use]
    pub fn of_this_build() -> Self {
        match (feature("sqlite"), feature("postgres")) {
            (true, false) => Self::Sqlite,
            (false, true) => Self::Postgres,
            _ => panic!("build with either `--features sqlite` or `--features postgres`"),
        }
    }

    /// The one statement of a migration.
    #[must_use]
    pub fn statement(self, number: usize) -> String {
        let key = match self {
            Self::Sqlite => "INTEGER",
            Self::Postgres => "BIGINT",
        };
        format!("CREATE TABLE t_{number} (id {key} PRIMARY KEY, name TEXT NOT NULL)")
    }
}

/// How many migrations this build carries.
#[must_use]
pub fn size() -> usize {
    let chosen: Vec<usize> = SIZES
        .into_iter()
        .filter(|size| feature(&format!("n{size}")))
        .collect();
    match chosen.as_slice() {
        [size] => *size,
        _ => panic!("build with exactly one of the features n1, n100, n1000, n5000"),
    }
}

/// SQL files below `OUT_DIR`, named by `name`; returns their directory, relative to the package.
///
/// Relative because sqlx refuses absolute paths.
pub fn write_sql_files(name: impl Fn(usize) -> PathBuf) -> String {
    let backend = Backend::of_this_build();
    let directory = out().join("sql");
    if directory.exists() {
        fs::remove_dir_all(&directory).expect("old files can be removed");
    }
    for number in 1..=size() {
        let path = directory.join(name(number));
        fs::create_dir_all(path.parent().expect("below sql/")).expect("directory can be made");
        fs::write(path, format!("{};\n", backend.statement(number))).expect("file can be written");
    }
    relative(&package(), &directory)
}

/// Rust source that the contestant's `main.rs` includes as `embed.rs`.
pub fn write_source(text: &str) {
    fs::write(out().join("embed.rs"), text).expect("embed.rs can be written");
    println!("cargo:rerun-if-changed=build.rs");
}

/// One line per migration, for sources that are generated.
pub fn per_migration(mut line: impl FnMut(usize, &str) -> String) -> String {
    let backend = Backend::of_this_build();
    let mut text = String::new();
    for number in 1..=size() {
        writeln!(text, "{}", line(number, &backend.statement(number))).expect("a string takes it");
    }
    text
}

fn feature(name: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase())).is_some()
}

fn out() -> PathBuf {
    env::var_os("OUT_DIR").expect("set by cargo").into()
}

fn package() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .expect("set by cargo")
        .into()
}

fn relative(from: &Path, to: &Path) -> String {
    let shared = from
        .iter()
        .zip(to.iter())
        .take_while(|(a, b)| a == b)
        .count();
    let up = from.iter().skip(shared).map(|_| "..");
    let down = to
        .iter()
        .skip(shared)
        .map(|part| part.to_str().expect("UTF-8 path"));
    up.chain(down).collect::<Vec<_>>().join("/")
}
