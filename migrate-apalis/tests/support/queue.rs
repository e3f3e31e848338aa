//! A queue of a test's own, and what is in it.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use super::{Database, server};

/// Where hints go.
pub(crate) enum Queue {
    Postgres(Database),
    /// One of the server's numbered databases.
    Redis(String),
}

/// A job, as the queue has it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) state: String,
    pub(crate) attempts: u32,
    pub(crate) most_attempts: u32,
    pub(crate) result: String,
}

impl Queue {
    pub(crate) fn postgres() -> Self {
        Self::Postgres(Database::postgres())
    }

    /// A Redis has sixteen databases: more than a test file has tests.
    pub(crate) fn redis() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let server = server("MIGRATE_TEST_REDIS_URL");
        let (before, _) = server.rsplit_once('/').unwrap();
        let url = format!("{before}/{}", NEXT.fetch_add(1, Relaxed));
        redis::cmd("FLUSHDB").exec(&mut connect(&url)).unwrap();
        Self::Redis(url)
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Postgres(database) => &database.url,
            Self::Redis(url) => url,
        }
    }

    pub(crate) fn jobs(&self) -> Vec<Job> {
        match self {
            Self::Postgres(database) => {
                let rows = database.texts(
                    "SELECT concat_ws(chr(9), status, attempts, max_attempts, last_result::text) AS value \
                     FROM apalis.jobs WHERE job_type = 'migrate-mass' ORDER BY id",
                );
                rows.iter().map(|row| Job::of_row(row)).collect()
            }
            Self::Redis(url) => {
                let connection = &mut connect(url);
                let mut ask = redis::cmd("KEYS");
                let keys: Vec<String> = ask.arg("migrate-mass:meta:*").query(connection).unwrap();
                let metas = keys.iter().filter_map(|key| {
                    let meta = redis::cmd("HGETALL").arg(key).query(connection);
                    // The results of all jobs are a hash of that name as well.
                    meta.ok()
                        .filter(|meta: &HashMap<String, String>| meta.contains_key("status"))
                });
                metas.map(|meta| Job::of_meta(&meta)).collect()
            }
        }
    }

    /// Of those in one of these states.
    pub(crate) fn count(&self, states: &[&str]) -> usize {
        let jobs = self.jobs();
        jobs.iter()
            .filter(|job| states.contains(&&*job.state))
            .count()
    }

    /// Names of workers that were there.
    pub(crate) fn workers(&self) -> Vec<String> {
        match self {
            Self::Postgres(database) => {
                database.texts("SELECT id AS value FROM apalis.workers ORDER BY id")
            }
            Self::Redis(url) => {
                let mut ask = redis::cmd("ZRANGE");
                let ask = ask.arg("migrate-mass:workers").arg(0).arg(-1);
                ask.query(&mut connect(url)).unwrap()
            }
        }
    }
}

impl Job {
    fn of_row(row: &str) -> Self {
        let mut words = row.splitn(4, '\t');
        let mut next = || words.next().unwrap_or_default().to_owned();
        Self {
            state: next(),
            attempts: next().parse().unwrap(),
            most_attempts: next().parse().unwrap(),
            result: next(),
        }
    }

    fn of_meta(meta: &HashMap<String, String>) -> Self {
        let word = |key: &str| meta.get(key).cloned().unwrap_or_default();
        Self {
            state: word("status"),
            attempts: word("attempts").parse().unwrap(),
            most_attempts: word("max_attempts").parse().unwrap(),
            result: word("result"),
        }
    }
}

fn connect(url: &str) -> redis::Connection {
    redis::Client::open(url).unwrap().get_connection().unwrap()
}
