//! Private PostgreSQL, MariaDB and Redis on free ports, gone when [`Servers`] is dropped.
//!
//! "Gone" on every path: the end of a run, a failing test, a panic and a signal come through `Drop`;
//! after a SIGKILL the kernel signals the servers (`setpriv --pdeathsig`), and the next start removes their directory.

mod account;
mod command;
mod engine;
mod mariadb;
mod postgres;
mod redis;
mod running;
mod scratch;

use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

pub(crate) use command::{Args, run};
pub(crate) use engine::Durability;
pub(crate) use mariadb::installed as mariadb_installed;
pub(crate) use postgres::installed as postgres_installed;
pub(crate) use redis::installed as redis_installed;

use self::account::Account;
use self::engine::{Engine, Home};
use self::running::{Running, Setup};
use self::scratch::Scratch;
use crate::error::{Error, IoContext as _};
use crate::interrupt;

/// The servers of one run.
#[derive(Debug)]
pub(crate) struct Servers {
    // Before `scratch`: fields are dropped in order, and a server must be down before its files go.
    running: Vec<Running>,
    _scratch: Scratch,
}

impl Servers {
    /// Starts all of them and returns once each has let us in.
    ///
    /// Call it from the main thread: the servers stop when the thread that started them ends.
    pub(crate) fn start(durability: Durability) -> Result<Self, Error> {
        let engines: Vec<Box<dyn Engine>> = vec![
            Box::new(postgres::Postgres),
            Box::new(mariadb::MariaDb),
            Box::new(redis::Redis),
        ];
        Self::start_these(engines, durability)
    }

    fn start_these(engines: Vec<Box<dyn Engine>>, durability: Durability) -> Result<Self, Error> {
        let scratch = Scratch::create()?;
        // Every stage is begun for all before it is awaited for any: initialisation takes seconds each.
        let mut initialising = Vec::new();
        for engine in engines {
            let home = home(engine.as_ref(), scratch.path(), durability)?;
            initialising.push(Setup::begin(engine, home)?);
        }
        let mut starting = Vec::new();
        for setup in initialising {
            let ready = setup.finish()?;
            starting.push(Running::start(ready, free_port()?)?);
        }
        let mut running = Vec::new();
        for server in starting {
            running.push(server.wait_until_ready(free_port)?);
        }
        Ok(Self {
            running,
            _scratch: scratch,
        })
    }

    /// The variables that tests look at, with their values.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.running.iter().map(Running::variable)
    }

    /// Hands the variables to a command.
    pub(crate) fn export(&self, command: &mut Command) {
        command.envs(self.variables());
    }

    /// An error if one of them has ended by itself.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        interrupt::check()?;
        self.running.iter_mut().try_for_each(Running::check)
    }

    /// Stops them, after a last look whether all were still there.
    pub(crate) fn stop(mut self) -> Result<(), Error> {
        self.running.iter_mut().try_for_each(Running::check)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // All at once, so that they stop side by side; each one's own drop then waits for it.
        self.running.iter().for_each(Running::ask_to_stop);
    }
}

fn home(engine: &dyn Engine, scratch: &Path, durability: Durability) -> Result<Home, Error> {
    let directory = scratch.join(engine.name().to_lowercase());
    std::fs::create_dir(&directory).context("create", &directory)?;
    let account = Account::choose(engine.accounts())?;
    account.own(&directory)?;
    Ok(Home {
        directory,
        account,
        password: password()?,
        durability,
    })
}

/// Random, because whoever may log in as a superuser may run programs as the server's account.
fn password() -> Result<String, Error> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; 12];
    std::fs::File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("read", source)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A port that is free now. Somebody may take it before the server does; [`Running`] then asks for another.
fn free_port() -> Result<u16, Error> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .context("find a free port on", "127.0.0.1")
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    // Redis goes through the same machinery as the others, and is up in a tenth of a second.
    #[test]
    fn a_dropped_server_leaves_neither_port_nor_directory() {
        let servers = Servers::start_these(vec![Box::new(redis::Redis)], Durability::Relaxed)
            .expect("redis starts");
        let (name, url) = servers.variables().next().expect("one variable");
        assert_eq!(name, "MIGRATE_TEST_REDIS_URL");
        let address = url
            .split(['@', '/'])
            .nth(3)
            .expect("host and port")
            .to_owned();
        let directory = servers._scratch.path().to_owned();
        TcpStream::connect(&address).expect("it listens");
        assert!(directory.exists());

        drop(servers);
        assert!(
            TcpStream::connect(&address).is_err(),
            "{address} still listens"
        );
        assert!(!directory.exists());
    }

    #[test]
    fn a_server_that_died_is_reported_with_its_log() {
        let mut servers = Servers::start_these(vec![Box::new(redis::Redis)], Durability::Relaxed)
            .expect("redis starts");
        servers.check().expect("alive");
        for server in &servers.running {
            server.ask_to_stop();
        }
        let error = loop {
            match servers.check() {
                Ok(()) => std::thread::sleep(crate::process::POLL),
                Err(error) => break error.to_string(),
            }
        };
        assert!(
            error.starts_with("Redis stopped while it was in use"),
            "{error}"
        );
        assert!(error.contains("Received SIGTERM"), "its log: {error}");
    }

    #[test]
    fn every_password_is_new() {
        let first = password().expect("random");
        assert_eq!(first.len(), 24);
        assert_ne!(first, password().expect("random"));
    }
}
