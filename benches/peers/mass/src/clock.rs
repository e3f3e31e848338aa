//! What a run took: time on the wall, on the processors of both ends of its connections, and memory at this end.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types};
use migrate_diesel::AnyConnection;
use rustix::{
    param::clock_ticks_per_second,
    time::{ClockId, clock_gettime},
};

use crate::Result;

/// PostgreSQL's processes end after their client has: their time counts once their parent has seen that.
const LEAVING: Duration = Duration::from_millis(150);

/// Whose time counts.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    server: Server,
}

#[derive(Clone, Copy, Debug)]
enum Server {
    /// SQLite's is this process.
    None,
    /// One process, and those that it has begun.
    Process(u32),
}

/// A clock's start.
#[derive(Debug)]
pub struct Start {
    clock: Clock,
    at: Instant,
    own: Duration,
    server: Duration,
}

/// Since a start.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    wall: Duration,
    own: Duration,
    server: Duration,
    peak_kb: u64,
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = sql_types::Text)]
    told: String,
}

impl Clock {
    /// Asks the database which process it is.
    pub fn of(db: &mut AnyConnection) -> Result<Self> {
        let server = match db {
            AnyConnection::Postgres(db) => {
                let told: Told =
                    sql_query("SELECT pg_backend_pid()::text AS told").get_result(db)?;
                // The process that serves us was begun by the one that begins them all.
                Server::Process(Process::read(told.told.parse()?)?.parent)
            }
            AnyConnection::Mysql(db) => {
                let told: Told = sql_query(
                    "SELECT CAST(tid AS CHAR(20)) AS told FROM information_schema.processlist WHERE id = CONNECTION_ID()",
                )
                .get_result(db)?;
                Server::Process(process_of(&told.told)?)
            }
            _ => Server::None,
        };
        Ok(Self { server })
    }

    pub fn start(self) -> Result<Start> {
        Ok(Start {
            clock: self,
            server: self.server()?,
            own: own()?,
            at: Instant::now(),
        })
    }

    fn server(self) -> Result<Duration> {
        match self.server {
            Server::None => Ok(Duration::ZERO),
            Server::Process(id) => {
                let mut ticks = Process::read(id)?.ticks;
                for entry in fs::read_dir("/proc")? {
                    let name = entry?.file_name();
                    let Some(other) = name.to_str().and_then(|name| name.parse().ok()) else {
                        continue;
                    };
                    // It may have ended since it was listed.
                    if let Ok(other) = Process::read(other)
                        && other.parent == id
                    {
                        ticks += other.ticks;
                    }
                }
                let per_second = clock_ticks_per_second();
                Ok(Duration::from_millis(ticks * 1_000 / per_second))
            }
        }
    }
}

fn own() -> Result<Duration> {
    Ok(Duration::try_from(clock_gettime(ClockId::ProcessCPUTime))?)
}

impl Start {
    pub fn spent(&self) -> Result<Spent> {
        let wall = self.at.elapsed();
        let own = own()?;
        let peak_kb = peak_kb()?;
        if let Server::Process(_) = self.clock.server {
            thread::sleep(LEAVING);
        }
        Ok(Spent {
            wall,
            own: own.saturating_sub(self.own),
            server: self.clock.server()?.saturating_sub(self.server),
            peak_kb,
        })
    }
}

impl Spent {
    pub fn json(self) -> String {
        format!(
            "{{\"wall_us\":{},\"own_cpu_us\":{},\"server_cpu_us\":{},\"peak_kb\":{}}}",
            self.wall.as_micros(),
            self.own.as_micros(),
            self.server.as_micros(),
            self.peak_kb
        )
    }
}

/// The most memory that this process has had: `VmHWM`, which begins with the program and not with who started it.
fn peak_kb() -> Result<u64> {
    status("self", "VmHWM:")?.parse().map_err(Into::into)
}

/// The process that a thread belongs to.
fn process_of(thread: &str) -> Result<u32> {
    status(thread, "Tgid:")?.parse().map_err(Into::into)
}

fn status(id: &str, key: &str) -> Result<String> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|it| it.strip_prefix(key));
    let word = line.and_then(|it| it.split_whitespace().next());
    word.map(str::to_owned)
        .ok_or_else(|| format!("Linux does not say {key}").into())
}

/// What Linux says of a process: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
struct Process {
    parent: u32,
    /// On a processor, with those of its children that have ended.
    ticks: u64,
}

impl Process {
    fn read(id: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name before it may have spaces and parentheses.
        let (_, rest) = stat.rsplit_once(')').ok_or("no name in stat")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied().ok_or("stat is too short");
        let mut ticks = 0;
        for number in 14..=17 {
            ticks += field(number)?.parse::<u64>()?;
        }
        Ok(Self {
            parent: field(4)?.parse()?,
            ticks,
        })
    }
}
