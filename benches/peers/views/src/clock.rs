//! Wall time, and processor time of both ends of a connection: beside a busy neighbour only the latter says much.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types};
use migrate_diesel::AnyConnection;
use rustix::time::{ClockId, clock_gettime};

/// Both, since a start.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    pub wall_us: u64,
    /// `None` where the server is not on this machine, or does not say which thread serves us.
    pub cpu_us: Option<u64>,
}

/// Of this thread and of the one that serves its connection.
#[derive(Clone, Debug)]
pub struct Clock {
    server: Server,
}

#[derive(Clone, Debug)]
enum Server {
    /// SQLite's is this thread.
    None,
    /// Where Linux says how long its thread was on a processor: brought up to date when that begins to wait for
    /// the next statement.
    Here(PathBuf),
    Unknown,
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
    /// Asks the database, so not while it is measured.
    pub fn of(db: &mut AnyConnection) -> Self {
        let thread: diesel::QueryResult<Thread> = match db {
            AnyConnection::Sqlite(_) => {
                return Self {
                    server: Server::None,
                };
            }
            AnyConnection::Postgres(db) => {
                sql_query("SELECT pg_backend_pid()::text AS id").get_result(db)
            }
            AnyConnection::Mysql(db) => sql_query(
                "SELECT CAST(tid AS CHAR(20)) AS id FROM information_schema.processlist WHERE id = CONNECTION_ID()",
            )
            .get_result(db),
        };
        let id = thread.ok().and_then(|thread| thread.id);
        Self {
            server: id.map_or(Server::Unknown, |id| {
                Server::Here(PathBuf::from(format!("/proc/{id}/schedstat")))
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

    fn cpu_ns(&self) -> Option<u64> {
        let server = match &self.server {
            Server::None => 0,
            // The first number; <https://docs.kernel.org/scheduler/sched-stats.html>
            Server::Here(file) => {
                let text = fs::read_to_string(file).ok()?;
                text.split_whitespace().next()?.parse().ok()?
            }
            Server::Unknown => return None,
        };
        let own = clock_gettime(ClockId::ThreadCPUTime);
        let own = Duration::try_from(own).ok()?;
        Some(server + u64::try_from(own.as_nanos()).ok()?)
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
