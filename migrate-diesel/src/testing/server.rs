//! The server of test databases: one session of this process to each, and the databases it makes.

use std::{
    collections::BTreeMap,
    process,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use migrate_core::DatabaseUrl;

use super::TestError;
use crate::backend::{AnyConnection, Driver as _};

/// A session that lives as long as the process: what other processes see of it tells them that the
/// databases of this one are in use. Those of a process that was killed, and the templates of one
/// that has ended, are dropped by the next that comes.
#[derive(Clone, Debug)]
pub(super) struct Server {
    url: DatabaseUrl,
    session: Arc<Mutex<AnyConnection>>,
}

static SERVERS: Mutex<BTreeMap<String, Server>> = Mutex::new(BTreeMap::new());

impl Server {
    /// That of `url`, whatever database of it the URL names.
    pub(super) fn of(url: &DatabaseUrl) -> Result<Self, TestError> {
        let mut servers = locked(&SERVERS);
        if let Some(server) = servers.get(url.reveal()) {
            return Ok(server.clone());
        }
        let mut session = open(url)?;
        let is_postgres = session.dialect().name == "postgres";
        let claim = claim();
        // Seen by every session of the server: PostgreSQL's advisory locks are those of one database.
        let announce = if is_postgres {
            format!("SET application_name = '{claim}'")
        } else {
            format!("DO GET_LOCK('{claim}', 0)")
        };
        session
            .batch(&announce)
            .map_err(TestError::server("announce this process to the server"))?;
        let server = Self {
            url: url.clone(),
            session: Arc::new(Mutex::new(session)),
        };
        server.sweep(if is_postgres {
            POSTGRES_LEFT
        } else {
            MYSQL_LEFT
        })?;
        servers.insert(url.reveal().to_owned(), server.clone());
        Ok(server)
    }

    /// A new database; a copy of `template` where there is one.
    pub(super) fn create(&self, template: Option<&str>) -> Result<String, TestError> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("{}_{}", claim(), NEXT.fetch_add(1, Relaxed));
        let copy = template.map_or_else(String::new, |it| format!(" TEMPLATE {it}"));
        locked(&self.session)
            .batch(&format!("CREATE DATABASE {name}{copy}"))
            .map_err(TestError::server(format!("create the database `{name}`")))?;
        Ok(name)
    }

    pub(super) fn drop_database(&self, name: &str) -> Result<(), TestError> {
        let mut session = locked(&self.session);
        // The test may have left connections of its own open; before version 13 that has to wait.
        let forced = match session.dialect().name {
            "postgres" => session.batch(&format!("DROP DATABASE {name} WITH (FORCE)")),
            _ => session.batch(&format!("DROP DATABASE {name}")),
        };
        forced
            .or_else(|_| session.batch(&format!("DROP DATABASE {name}")))
            .map_err(TestError::server(format!("drop the database `{name}`")))
    }

    pub(super) fn url_of(&self, name: &str) -> DatabaseUrl {
        with_database(&self.url, name)
    }

    /// Drops databases of processes that are no more.
    fn sweep(&self, left: &str) -> Result<(), TestError> {
        let mut session = locked(&self.session);
        let rows = session.rows(left).map_err(TestError::server(
            "look for test databases that were left behind",
        ))?;
        for name in rows.into_iter().filter_map(|row| row.c0) {
            // Without force: whoever still uses it keeps it.
            if let Err(error) = session.batch(&format!("DROP DATABASE {name}")) {
                tracing::debug!(database = name, %error, "a test database that was left behind stays");
            }
        }
        Ok(())
    }
}

/// Those of our own role, since only of its sessions we see the names.
const POSTGRES_LEFT: &str = r"SELECT datname::text AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5
    FROM pg_database WHERE datname ~ '^migrate_test_[a-z0-9]+_[0-9]+$'
      AND pg_get_userbyid(datdba) = current_user
      AND regexp_replace(datname, '_[0-9]+$', '') NOT IN (SELECT application_name FROM pg_stat_activity)";

const MYSQL_LEFT: &str = "SELECT schema_name AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
    FROM information_schema.schemata WHERE schema_name REGEXP '^migrate_test_[a-z0-9]+_[0-9]+$' \
      AND IS_FREE_LOCK(SUBSTRING_INDEX(schema_name, '_', 3)) = 1";

/// What the names of all databases of this process begin with. The time, because containers that
/// share a server share process ids.
fn claim() -> String {
    static STARTED: std::sync::OnceLock<u128> = std::sync::OnceLock::new();
    let started = STARTED.get_or_init(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos())
    });
    format!("migrate_test_{}x{started:x}", process::id())
}

/// Connects to the database that the URL names, or, where that is not there yet, to the one that
/// every server has.
fn open(url: &DatabaseUrl) -> Result<AnyConnection, TestError> {
    AnyConnection::open(url).or_else(|error| {
        let scheme = url.scheme().unwrap_or_default();
        let always = if scheme.starts_with("postgres") {
            "postgres"
        } else {
            ""
        };
        AnyConnection::open(&with_database(url, always)).map_err(|_| error.into())
    })
}

/// The same server, another database.
fn with_database(url: &DatabaseUrl, name: &str) -> DatabaseUrl {
    let text = url.reveal();
    let (place, query) = match text.split_once('?') {
        Some((place, query)) => (place, format!("?{query}")),
        None => (text, String::new()),
    };
    let (scheme, rest) = place.split_once("://").unwrap_or(("", place));
    // A password may hold a `/` that nobody encoded.
    let authority = match rest.rsplit_once('/') {
        Some((authority, last)) if !last.contains('@') => authority,
        _ => rest,
    };
    DatabaseUrl::new(format!("{scheme}://{authority}/{name}{query}"))
}

/// A test that panicked has not broken what is inside.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_the_same_server() {
        for (url, expected) in [
            (
                "postgres://me:pw@db:5432/shop",
                "postgres://me:pw@db:5432/x",
            ),
            ("mysql://me@db", "mysql://me@db/x"),
            (
                "postgres:///shop?host=/run/pg",
                "postgres:///x?host=/run/pg",
            ),
            (
                "postgres://me:p/w@db/shop?a=b",
                "postgres://me:p/w@db/x?a=b",
            ),
            ("postgres://me:p/w@db", "postgres://me:p/w@db/x"),
        ] {
            let other = with_database(&DatabaseUrl::new(url), "x");
            assert_eq!(other.reveal(), expected);
        }
    }
}
