//! Databases of a test's own, and programs on machines of their own: loopback addresses.
#![expect(
    dead_code,
    reason = "each test file is a program of its own, and uses its part"
)]

pub(crate) mod host;
pub(crate) mod queue;

use std::{
    env,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use diesel::{QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_types};
use migrate_diesel::{AnyConnection, core::DatabaseUrl};

/// The URL of a server of `cargo xtask servers`.
pub(crate) fn server(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set; run `cargo xtask test apalis`, or begin with `cargo xtask servers --`")
    })
}

/// A database of a test's own, gone with it.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
    server: String,
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    value: Option<String>,
}

impl Database {
    pub(crate) fn postgres() -> Self {
        Self::on(server("MIGRATE_TEST_POSTGRES_URL"))
    }

    pub(crate) fn mysql() -> Self {
        Self::on(server("MIGRATE_TEST_MYSQL_URL"))
    }

    fn on(server: String) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Relaxed);
        let name = format!("apalis{}_{number}", std::process::id());
        open(&server)
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        let (before, _) = server.rsplit_once('/').unwrap();
        Self {
            url: format!("{before}/{name}"),
            name,
            server,
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.server.starts_with("postgres")
    }

    /// Accounts without points.
    pub(crate) fn accounts(&self, rows: u32) {
        self.sql("CREATE TABLE accounts (id INTEGER NOT NULL PRIMARY KEY, points INTEGER NOT NULL DEFAULT 0)");
        let numbers = match self.is_postgres() {
            true => format!("SELECT generate_series(1, {rows})"),
            false => format!("SELECT seq FROM seq_1_to_{rows}"),
        };
        self.sql(&format!("INSERT INTO accounts (id) {numbers}"));
    }

    /// How many points accounts have, and how many accounts have so many.
    pub(crate) fn points(&self) -> Vec<String> {
        self.texts(
            "SELECT CONCAT(points, ' points: ', COUNT(*)) AS value FROM accounts GROUP BY points ORDER BY points",
        )
    }

    /// The state of the only run.
    pub(crate) fn state(&self) -> String {
        let states = self.texts("SELECT state AS value FROM migrate_history_mass");
        states.join(", ")
    }

    /// How many batches were committed.
    pub(crate) fn batches(&self) -> u32 {
        self.number("SELECT CAST(COALESCE(SUM(batches), 0) AS CHAR(20)) AS value FROM migrate_history_shards")
    }

    pub(crate) fn sql(&self, sql: &str) {
        open(&self.url).batch_execute(sql).unwrap();
    }

    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        let rows: Vec<Text> = diesel::sql_query(sql).load(&mut open(&self.url)).unwrap();
        rows.into_iter()
            .map(|row| row.value.unwrap_or_default().trim().to_owned())
            .collect()
    }

    /// The number that is the first column of the only row, called `value`.
    pub(crate) fn number(&self, sql: &str) -> u32 {
        let texts = self.texts(sql);
        let [text] = texts.as_slice() else {
            panic!("{sql}: {texts:?}");
        };
        text.parse().unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let force = match self.is_postgres() {
            true => " WITH (FORCE)",
            false => "",
        };
        let drop = format!("DROP DATABASE IF EXISTS {}{force}", self.name);
        let dropped = open(&self.server).batch_execute(&drop);
        assert!(dropped.is_ok() || thread::panicking(), "{dropped:?}");
    }
}

pub(crate) fn open(url: &str) -> AnyConnection {
    AnyConnection::open(&DatabaseUrl::new(url)).unwrap()
}

/// Waits for what others do meanwhile.
pub(crate) fn wait_for(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        thread::sleep(Duration::from_millis(100));
    }
}
