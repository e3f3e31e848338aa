//! PostgreSQL: `initdb` and `postgres`, without Debian's cluster tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::account::hermetic;
use super::engine::{Durability, Engine, Home};
use crate::error::{Error, IoContext as _};
use crate::process;

const USER: &str = "postgres";
const DATABASE: &str = "postgres";
/// Debian keeps one directory per major version here, outside of `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres;

impl Engine for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn variable(&self) -> &'static str {
        "MIGRATE_TEST_POSTGRES_URL"
    }

    fn accounts(&self) -> &'static [&'static str] {
        &["postgres", "nobody"]
    }

    fn stop_signal(&self) -> (Signal, &'static str) {
        // "Fast" shutdown; SIGTERM would wait until every client has left.
        (Signal::INT, "INT")
    }

    fn prepare(&self, home: &Home) -> Result<Option<Command>, Error> {
        let secret = home.directory.join("password");
        fs::write(&secret, &home.password).context("write", &secret)?;
        home.account.own(&secret)?;
        let mut command = home
            .account
            .command("KILL", program("initdb")?, &home.directory);
        command.arg("--pgdata").arg(data(home));
        command.arg("--pwfile").arg(&secret);
        command.args(["--username", USER, "--auth", "scram-sha-256"]);
        command.args(["--encoding", "UTF8", "--locale", "C", "--no-sync"]);
        Ok(Some(command))
    }

    fn serve(&self, home: &Home, port: u16) -> Result<Command, Error> {
        let (_, signal) = self.stop_signal();
        let mut command = home
            .account
            .command(signal, program("postgres")?, &home.directory);
        command.arg("-D").arg(data(home));
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            "unix_socket_directories=".to_owned(),
            "max_connections=200".to_owned(),
        ];
        if home.durability == Durability::Relaxed {
            settings.extend(
                [
                    "fsync=off",
                    "full_page_writes=off",
                    "synchronous_commit=off",
                ]
                .map(String::from),
            );
        }
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        Ok(command)
    }

    fn probe(&self, home: &Home, port: u16) -> Result<Command, Error> {
        let mut command = Command::new(program("psql")?);
        hermetic(&mut command, &home.directory);
        command
            .env("PGPASSWORD", &home.password)
            .env("PGCONNECT_TIMEOUT", "5");
        command.args([
            "-X",
            "-w",
            "-h",
            "127.0.0.1",
            "-U",
            USER,
            "-d",
            DATABASE,
            "-c",
            "SELECT 1",
        ]);
        command.arg("-p").arg(port.to_string());
        Ok(command)
    }

    fn url(&self, home: &Home, port: u16) -> String {
        format!(
            "postgres://{USER}:{}@127.0.0.1:{port}/{DATABASE}",
            home.password
        )
    }
}

fn data(home: &Home) -> PathBuf {
    home.directory.join("data")
}

/// Is a complete server installed?
pub(crate) fn installed() -> bool {
    ["initdb", "postgres", "psql"]
        .into_iter()
        .all(|name| program(name).is_ok())
}

/// A program of the newest version in Debian's directory, otherwise of `PATH`.
fn program(name: &'static str) -> Result<PathBuf, Error> {
    let versions: Vec<PathBuf> = fs::read_dir(DEBIAN)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    // All programs of one version: a client package alone may be newer than the server.
    newest(versions, |version| version.join("bin/postgres").is_file())
        .map(|version| version.join("bin").join(name))
        .filter(|path| path.is_file())
        .or_else(|| process::find(&[name]))
        .ok_or(Error::NoProgram { program: name })
}

fn newest(versions: Vec<PathBuf>, complete: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    versions
        .into_iter()
        .filter_map(|path| Some((path.file_name()?.to_str()?.parse::<u32>().ok()?, path)))
        .filter(|(_, path)| complete(path))
        .max()
        .map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_chosen_by_number() {
        let versions = ["/v/9", "/v/15", "/v/lost+found"]
            .map(PathBuf::from)
            .to_vec();
        assert_eq!(newest(versions, |_| true), Some(PathBuf::from("/v/15")));
    }

    #[test]
    fn a_version_without_a_server_is_passed_over() {
        let versions = ["/v/15", "/v/17"].map(PathBuf::from).to_vec();
        assert_eq!(
            newest(versions, |path| path.ends_with("15")),
            Some(PathBuf::from("/v/15"))
        );
    }
}
