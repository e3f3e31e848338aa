//! Redis, without persistence: it lives as long as one run of the tests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use super::account::hermetic;
use super::engine::{Durability, Engine, Home};
use crate::error::{Error, IoContext as _};
use crate::process;

/// Redis.
#[derive(Debug)]
pub(super) struct Redis;

impl Engine for Redis {
    fn name(&self) -> &'static str {
        "Redis"
    }

    fn variable(&self) -> &'static str {
        "MIGRATE_TEST_REDIS_URL"
    }

    fn accounts(&self) -> &'static [&'static str] {
        &["redis", "nobody"]
    }

    fn stop_signal(&self) -> (Signal, &'static str) {
        (Signal::TERM, "TERM")
    }

    fn prepare(&self, home: &Home) -> Result<Option<Command>, Error> {
        let path = configuration_path(home);
        fs::write(&path, configuration(home)).context("write", &path)?;
        home.account.own(&path)?;
        Ok(None)
    }

    fn serve(&self, home: &Home, port: u16) -> Result<Command, Error> {
        let (_, signal) = self.stop_signal();
        let mut command = home
            .account
            .command(signal, program("redis-server")?, &home.directory);
        command
            .arg(configuration_path(home))
            .arg("--port")
            .arg(port.to_string());
        Ok(command)
    }

    fn probe(&self, home: &Home, port: u16) -> Result<Command, Error> {
        let mut command = Command::new(program("redis-cli")?);
        hermetic(&mut command, &home.directory);
        // -e: an error reply (wrong password) is a failure, too.
        command
            .env("REDISCLI_AUTH", &home.password)
            .args(["-e", "-h", "127.0.0.1", "-p"]);
        command.arg(port.to_string()).arg("PING");
        Ok(command)
    }

    fn url(&self, home: &Home, port: u16) -> String {
        format!("redis://default:{}@127.0.0.1:{port}/0", home.password)
    }
}

/// A file and not arguments, because `ps` shows arguments to everyone.
fn configuration(home: &Home) -> String {
    let durable = match home.durability {
        Durability::Relaxed => "appendonly no",
        Durability::Durable => "appendonly yes\nappendfsync always",
    };
    format!(
        "bind 127.0.0.1\nrequirepass {}\nsave \"\"\n{durable}\ndaemonize no\n",
        home.password
    )
}

fn configuration_path(home: &Home) -> PathBuf {
    home.directory.join("redis.conf")
}

/// Is a complete server installed?
pub(crate) fn installed() -> bool {
    ["redis-server", "redis-cli"]
        .into_iter()
        .all(|name| program(name).is_ok())
}

fn program(name: &'static str) -> Result<PathBuf, Error> {
    process::find(&[name]).ok_or(Error::NoProgram { program: name })
}
