//! Wall time, and processor time of both ends of a connection: beside a busy neighbour only the latter says much.

use std::{fs, path::PathBuf, time::Instant};

use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types};
use migrate_diesel::AnyConnection;

/// Both, since a start.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    pub wall_us: u64,
    /// `None` where the server is not on this machine, or does not say which thread serves us.
    pub cpu_us: Option<u64>,
}

/// Where Linux says how long threads were on a processor.
#[derive(Clone, Debug)]
pub struct Clock {
    threads: Option<Vec<PathBuf>>,
}

/// A clock's start.
#[derive(Debug)]
pub struct Start<'c> {
    clock: &'c Clock,
    at: Instant,
    cpu_ns: Option<u64>,
}

#[derive(QueryableByName)]
struct Thread {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    id: Option<String>,
}

impl Clock {
    /// Of this thread and of the one that serves the connection. Asks the database, so not while it is measured.
    pub fn of(db: &mut AnyConnection) -> Self {
        let server = match db {
            AnyConnection::Sqlite(_) => Some(Vec::new()),
            AnyConnection::Postgres(db) => sql_query("SELECT pg_backend_pid()::text AS id")
                .get_result(db)
                .ok()
                .and_then(|thread: Thread| Some(vec![stat(&thread.id?)])),
            AnyConnection::Mysql(db) => sql_query(
                "SELECT CAST(tid AS CHAR(20)) AS id FROM information_schema.processlist WHERE id = CONNECTION_ID()",
            )
            .get_result(db)
            .ok()
            .and_then(|thread: Thread| Some(vec![stat(&thread.id?)])),
        };
        Self {
            threads: server.map(|mut threads| {
                threads.push(stat("thread-self"));
                threads
            }),
        }
    }

    pub fn start(&self) -> Start<'_> {
        let cpu_ns = self.cpu_ns();
        Start {
            clock: self,
            at: Instant::now(),
            cpu_ns,
        }
    }

    /// The first number of the file; <https://docs.kernel.org/scheduler/sched-stats.html>
    fn cpu_ns(&self) -> Option<u64> {
        let on_processor = |file: &PathBuf| {
            let text = fs::read_to_string(file).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        };
        self.threads.as_ref()?.iter().map(on_processor).sum()
    }
}

impl Start<'_> {
    pub fn spent(&self) -> Spent {
        let wall = self.at.elapsed();
        let cpu_ns = self.clock.cpu_ns().zip(self.cpu_ns);
        Spent {
            wall_us: u64::try_from(wall.as_micros()).unwrap_or(u64::MAX),
            cpu_us: cpu_ns.map(|(now, then)| now.saturating_sub(then) / 1000),
        }
    }
}

impl Spent {
    /// `"run_us":1,"run_cpu_us":1`
    pub fn json(self, name: &str) -> String {
        let cpu = self
            .cpu_us
            .map_or_else(|| "null".to_owned(), |us| us.to_string());
        format!("\"{name}_us\":{},\"{name}_cpu_us\":{cpu}", self.wall_us)
    }
}

fn stat(thread: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{thread}/schedstat"))
}
