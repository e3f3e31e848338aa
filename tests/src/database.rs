//! [`Scratch`]: a database of one test's own.

use std::{
    env,
    fmt::Display,
    path::Path,
    process,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use diesel::{QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_types};
use migrate_diesel::{
    AnyConnection, Error, MigrationConnection, Migrator,
    backend::Driver,
    core::{DatabaseUrl, NodeRef, report::Summary},
};
use tempfile::TempDir;

/// A backend of another crate, for the suite: where its databases come from.
pub trait Database: 'static {
    /// Its connection. Its crate registers it for the scheme of [`create`](Self::create)'s URLs.
    type Connection: MigrationConnection;

    /// Whose SQL it understands; the cases choose their statements by it.
    const SPEAKS: Backend;

    /// Makes an empty database, and gives its URL. `name` is one that no other test has; `directory` is the
    /// test's own, and lives as long.
    ///
    /// # Panics
    /// When it cannot be made.
    fn create(name: &str, directory: &Path) -> String;

    /// Removes it. Nothing to do where it lies in the directory.
    ///
    /// # Errors
    /// Why it could not, in words.
    fn drop(name: &str) -> Result<(), String>;

    /// One migration whose body takes `&mut Self::Connection` (or a `Session` of it), and inserts one row into
    /// `effects(name)`.
    fn own_migration() -> NodeRef;
}

/// The databases that every case runs on, and whose SQL it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file of the test's own.
    Sqlite,
    /// A database on the server of `MIGRATE_TEST_POSTGRES_URL`.
    Postgres,
    /// A database on the server of `MIGRATE_TEST_MYSQL_URL`.
    Mysql,
}

/// What a [`Database`] gives, without its type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Foreign {
    create: fn(&str, &Path) -> String,
    drop: fn(&str) -> Result<(), String>,
    /// A migration whose body takes the connection itself.
    pub(crate) own_migration: fn() -> NodeRef,
    /// `up` on the connection itself.
    pub(crate) up: fn(&Migrator, AnyConnection) -> Result<Summary, Error>,
}

impl Foreign {
    fn of<D: Database>() -> Self {
        Self {
            create: D::create,
            drop: D::drop,
            own_migration: D::own_migration,
            up: |migrator, connection| match connection {
                AnyConnection::Other(mut it) => {
                    migrator.up(it.downcast_mut::<D::Connection>().unwrap())
                }
                own => panic!("{own:?} is no connection of another crate"),
            },
        }
    }
}

/// What dialects of other crates speak, by their names.
static SPOKEN: Mutex<Vec<(&str, Backend)>> = Mutex::new(Vec::new());

impl Backend {
    /// Whose SQL the database at the other end understands.
    ///
    /// # Panics
    /// For one that no [`Scratch`] of this program is of.
    #[must_use]
    pub fn of(connection: &impl Driver) -> Self {
        match connection.dialect().name {
            "sqlite" => Self::Sqlite,
            "postgres" => Self::Postgres,
            "mysql" => Self::Mysql,
            name => {
                let spoken = SPOKEN.lock().unwrap();
                let known = spoken.iter().find(|(known, _)| *known == name);
                known.unwrap_or_else(|| panic!("what does {name} speak?")).1
            }
        }
    }

    /// Whether DDL is part of a transaction.
    #[must_use]
    pub fn has_transactional_ddl(self) -> bool {
        self != Self::Mysql
    }

    /// The server's administrator.
    ///
    /// # Panics
    /// When the servers are not there.
    #[must_use]
    pub fn admin_url(self) -> String {
        let variable = match self {
            Self::Sqlite => panic!("SQLite has no server"),
            Self::Postgres => "MIGRATE_TEST_POSTGRES_URL",
            Self::Mysql => "MIGRATE_TEST_MYSQL_URL",
        };
        env::var(variable).unwrap_or_else(|_| {
            panic!(
                "{variable} is not set; run `cargo xtask servers -- cargo test -p migrate-tests`"
            )
        })
    }
}

/// A database of one test's own, gone with the test. It has two tables that bodies may use without
/// DDL of their own: `effects`, where a row is an effect that can be counted, and `switches`.
#[derive(Debug)]
pub struct Scratch {
    /// Which, or whose SQL it understands.
    pub backend: Backend,
    foreign: Option<Foreign>,
    url: String,
    name: String,
    directory: TempDir,
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    value: Option<String>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = sql_types::BigInt)]
    value: i64,
}

impl Scratch {
    /// A new one.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        Self::make(backend, None)
    }

    /// A new one of another crate's backend.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn of<D: Database>() -> Self {
        let scratch = Self::make(D::SPEAKS, Some(Foreign::of::<D>()));
        let name = scratch.connect().dialect().name;
        SPOKEN.lock().unwrap().push((name, D::SPEAKS));
        scratch
    }

    /// A new one of the same backend.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::make(self.backend, self.foreign)
    }

    fn make(backend: Backend, foreign: Option<Foreign>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("t{}_{}", process::id(), NEXT.fetch_add(1, Relaxed));
        let directory = tempfile::tempdir().unwrap();
        let url = match (foreign, backend) {
            (Some(foreign), _) => (foreign.create)(&name, directory.path()),
            (None, Backend::Sqlite) => {
                format!("sqlite://{}/{name}.db", directory.path().display())
            }
            (None, Backend::Postgres | Backend::Mysql) => {
                let admin = backend.admin_url();
                let sql = match backend {
                    // A checkpoint less than the default strategy, and other tests need not wait.
                    Backend::Postgres => format!("CREATE DATABASE {name}"),
                    _ => format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
                };
                open(&admin).batch_execute(&sql).unwrap();
                with_database(&admin, &name)
            }
        };
        let scratch = Self {
            backend,
            foreign,
            url,
            name,
            directory,
        };
        scratch.sql("CREATE TABLE effects (name VARCHAR(190) NOT NULL)");
        scratch.sql("CREATE TABLE switches (name VARCHAR(190) NOT NULL)");
        scratch
    }

    /// What only another crate's backend has.
    pub(crate) fn foreign(&self) -> Option<Foreign> {
        self.foreign
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::new(&self.url)
    }

    /// The same database at another address of the server.
    #[must_use]
    pub fn url_at(&self, address: impl Display) -> DatabaseUrl {
        let (before, rest) = self.url.split_once('@').unwrap();
        let (_, after) = rest.split_once('/').unwrap();
        // No word about encryption before the first message, so that a proxy understands everything.
        let plain = match self.backend {
            Backend::Postgres => "?sslmode=disable&gssencmode=disable",
            _ => "",
        };
        DatabaseUrl::new(format!("{before}@{address}/{after}{plain}"))
    }

    /// The same database as another user.
    #[must_use]
    pub fn url_as(&self, user: &str, password: &str) -> DatabaseUrl {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let (_, rest) = rest.split_once('@').unwrap();
        DatabaseUrl::new(format!("{scheme}://{user}:{password}@{rest}"))
    }

    /// Host and port of the server.
    #[must_use]
    pub fn address(&self) -> &str {
        let (_, rest) = self.url.split_once('@').unwrap();
        rest.split('/').next().unwrap()
    }

    /// The database's name on its server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A directory that lives as long.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// A new connection.
    ///
    /// # Panics
    /// When there is none to be had.
    #[must_use]
    pub fn connect(&self) -> AnyConnection {
        open(&self.url)
    }

    /// Runs statements on a connection of its own.
    ///
    /// # Panics
    /// When one fails.
    pub fn sql(&self, sql: &str) {
        let result = self.connect().batch_execute(sql);
        result.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The column `value` of the rows of a query, as text.
    ///
    /// # Panics
    /// When the query fails.
    #[must_use]
    pub fn texts(&self, sql: &str) -> Vec<String> {
        texts(&mut self.connect(), sql)
    }

    /// The number `value` in the one row of a query.
    ///
    /// # Panics
    /// When the query fails.
    #[must_use]
    pub fn number(&self, sql: &str) -> i64 {
        number(&mut self.connect(), sql)
    }

    /// What bodies have left, in order.
    #[must_use]
    pub fn effects(&self) -> Vec<String> {
        self.texts("SELECT name AS value FROM effects ORDER BY name")
    }

    /// Turns a switch on that a body looks at.
    pub fn switch_on(&self, name: &str) {
        self.sql(&format!("INSERT INTO switches (name) VALUES ('{name}')"));
    }

    /// Whether there is such a table.
    #[must_use]
    pub fn has_table(&self, table: &str) -> bool {
        let count = match self.backend {
            Backend::Sqlite => {
                format!("SELECT count(*) AS value FROM sqlite_master WHERE name = '{table}'")
            }
            Backend::Postgres => {
                format!("SELECT count(*) AS value FROM pg_class WHERE oid = to_regclass('{table}')")
            }
            Backend::Mysql => format!(
                "SELECT count(*) AS value FROM information_schema.tables \
                 WHERE table_schema = DATABASE() AND table_name = '{table}'"
            ),
        };
        self.number(&count) == 1
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let result = match (self.foreign, self.backend) {
            (Some(foreign), _) => (foreign.drop)(&self.name),
            (None, Backend::Sqlite) => return,
            (None, Backend::Postgres) => {
                self.remove(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            }
            (None, Backend::Mysql) => self.remove(&format!("DROP DATABASE {}", self.name)),
        };
        // A panic here would hide the test's own.
        if let Err(error) = result {
            tell(&error);
        }
    }
}

impl Scratch {
    fn remove(&self, sql: &str) -> Result<(), String> {
        open(&self.backend.admin_url())
            .batch_execute(sql)
            .map_err(|error| format!("{sql}: {error}"))
    }
}

#[expect(clippy::print_stderr, reason = "the test's output")]
fn tell(text: &str) {
    eprintln!("{text}");
}

fn open(url: &str) -> AnyConnection {
    let connection = AnyConnection::open(&DatabaseUrl::new(url)).unwrap();
    let mut connection = connection;
    if let AnyConnection::Sqlite(sqlite) = &mut connection {
        // Another connection of the test may be in the middle of a commit.
        sqlite.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    }
    connection
}

fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// The column `value` of the rows of a query, by the driver: of other crates' connections Diesel reads no rows
/// without knowing their types.
fn values(connection: &mut AnyConnection, sql: &str, as_text: &str) -> Vec<String> {
    let value = as_text.replace("{}", "q.value");
    let sql = format!(
        "SELECT {value} AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM ({sql}) q"
    );
    let rows = connection.rows(&sql);
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let null = || "NULL".to_owned();
    rows.into_iter()
        .map(|row| {
            let [value, ..] = row.into_columns();
            value.unwrap_or_else(null)
        })
        .collect()
}

/// The column `value` of the rows of a query, as text.
///
/// # Panics
/// When the query fails.
pub fn texts(connection: &mut AnyConnection, sql: &str) -> Vec<String> {
    if let AnyConnection::Other(_) = connection {
        return values(connection, sql, "{}");
    }
    let rows: Vec<Text> = diesel::sql_query(sql)
        .load(connection)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let null = || "NULL".to_owned();
    rows.into_iter()
        .map(|row| row.value.unwrap_or_else(null))
        .collect()
}

/// The number `value` in the one row of a query.
///
/// # Panics
/// When the query fails.
pub fn number(connection: &mut AnyConnection, sql: &str) -> i64 {
    if let AnyConnection::Other(_) = connection {
        let as_text = connection.dialect().number_as_text;
        let values = values(connection, sql, as_text);
        return values.first().unwrap().parse().unwrap();
    }
    let row: Number = diesel::sql_query(sql)
        .get_result(connection)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    row.value
}

impl Scratch {
    /// The database's clock, as RFC 3339 without a fraction: `2026-11-20T09:30:00`.
    #[must_use]
    pub fn now(&self) -> String {
        let sql = match self.backend {
            Backend::Sqlite => "SELECT strftime('%Y-%m-%dT%H:%M:%S', 'now') AS value",
            Backend::Postgres => {
                "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') AS value"
            }
            Backend::Mysql => "SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%s') AS value",
        };
        self.texts(sql).remove(0)
    }
}
