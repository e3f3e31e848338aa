//! Where a run takes place: its database, empty or full, and the one way in which programs are started.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::contestant::{Backend, Contestant, Program};
use super::program::{Build, Programs};
use crate::bench::peers::succeed;
use crate::error::{Error, IoContext as _};
use crate::process;
use crate::servers::Servers;

/// The place of all runs on one backend.
#[derive(Debug)]
pub(super) struct Arena<'p> {
    pub(super) programs: &'p Programs,
    pub(super) backend: Backend,
    server: Option<Server>,
    directory: PathBuf,
}

/// A PostgreSQL server: its URL in pieces.
#[derive(Debug, Clone)]
pub(super) struct Server {
    credentials: String,
    pub(super) address: String,
    database: String,
}

impl Server {
    fn parse(url: &str) -> Option<Self> {
        let (credentials, rest) = url.rsplit_once('@')?;
        let (address, database) = rest.split_once('/')?;
        Some(Self {
            credentials: credentials.to_owned(),
            address: address.to_owned(),
            database: database.to_owned(),
        })
    }

    /// Without TLS for all: half of the clients would ask for it, and all are on this machine.
    fn url(&self, address: &str, database: &str) -> String {
        format!("{}@{address}/{database}?sslmode=disable", self.credentials)
    }
}

/// What one run of a program cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) wall_us: u64,
    pub(super) cpu_us: u64,
    pub(super) peak_rss_kb: u64,
}

impl<'p> Arena<'p> {
    pub(super) fn new(
        programs: &'p Programs,
        backend: Backend,
        servers: Option<&Servers>,
    ) -> Result<Self, Error> {
        let server = servers
            .and_then(|servers| {
                servers
                    .variables()
                    .find(|(name, _)| *name == "MIGRATE_TEST_POSTGRES_URL")
            })
            .and_then(|(_, url)| Server::parse(&url));
        let directory = programs.scratch();
        remake(&directory)?;
        Ok(Self {
            programs,
            backend,
            server,
            directory,
        })
    }

    /// The server, on a backend that has one.
    pub(super) fn server(&self) -> Result<&Server, Error> {
        self.server.as_ref().ok_or_else(|| {
            Error::Benchmark(format!("there is no server for {}", self.backend.title()))
        })
    }

    /// What the contestant is told to connect to.
    pub(super) fn place(&self, contestant: &Contestant) -> Result<String, Error> {
        self.place_at(contestant, None)
    }

    /// The same, through a proxy.
    pub(super) fn place_at(
        &self,
        contestant: &Contestant,
        proxy: Option<&str>,
    ) -> Result<String, Error> {
        match self.backend {
            Backend::Sqlite => Ok(self.home(contestant).join("bench.db").display().to_string()),
            Backend::Postgres => {
                let server = self.server()?;
                Ok(server.url(proxy.unwrap_or(&server.address), &database(contestant)))
            }
        }
    }

    /// Makes the contestant's database empty.
    pub(super) fn reset(&self, contestant: &Contestant) -> Result<(), Error> {
        remake(&self.home(contestant))?;
        if self.backend == Backend::Postgres {
            let server = self.server()?;
            let admin = server.url(&server.address, &server.database);
            self.floor(["reset", &admin, &database(contestant)])?;
        }
        Ok(())
    }

    /// An error unless the contestant has made all its tables: a run that does less is no faster run.
    pub(super) fn verify(&self, contestant: &Contestant, size: usize) -> Result<(), Error> {
        let place = self.place(contestant)?;
        let found = self.floor(["tables", &place])?;
        if found.trim() == size.to_string() {
            return Ok(());
        }
        Err(Error::Benchmark(format!(
            "{} made {} tables instead of {size} on {}",
            contestant.name,
            found.trim(),
            self.backend.title()
        )))
    }

    /// The contestant's command, in a directory of its own without any configuration.
    pub(super) fn command(
        &self,
        wrapper: &[&OsStr],
        contestant: &Contestant,
        build: Build,
        place: &str,
    ) -> Command {
        let program = self.programs.path(build);
        let mut words = wrapper.iter().copied().chain([program.as_os_str()]);
        let mut command = process::tied("TERM", words.next().unwrap_or_default());
        command.args(words);
        command.args(contestant.words(self.backend, place, build.size));
        command.current_dir(self.home(contestant));
        process::forget_databases(&mut command);
        command
    }

    /// One measured run.
    pub(super) fn run(&self, contestant: &Contestant, build: Build) -> Result<Cost, Error> {
        let launcher = self.programs.launcher();
        let place = self.place(contestant)?;
        let mut command = self.command(&[launcher.as_os_str()], contestant, build, &place);
        let output = succeed(&mut command)?;
        let unreadable = |source| Error::Unreadable {
            command: "launcher".to_owned(),
            source,
        };
        let said: serde_json::Value =
            serde_json::from_slice(&output.stdout).map_err(|error| unreadable(Box::new(error)))?;
        let number = |key: &str| {
            said.get(key)
                .and_then(serde_json::Value::as_u64)
                .ok_or_else(|| unreadable(format!("no `{key}` in {said}").into()))
        };
        match number("code")? {
            0 => Ok(Cost {
                wall_us: number("wall_us")?,
                cpu_us: number("cpu_us")?,
                peak_rss_kb: number("peak_rss_kb")?,
            }),
            code => Err(Error::FailedWithOutput {
                command: contestant.name.to_owned(),
                status: ExitStatus::from_raw(i32::try_from(code).unwrap_or(1) << 8),
                output: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
        }
    }

    fn floor<const N: usize>(&self, words: [&str; N]) -> Result<String, Error> {
        let build = Build {
            program: Program::Floor,
            backend: self.backend,
            size: 0,
            counting: false,
        };
        let mut command = process::tied("TERM", self.programs.path(build));
        command.args(words);
        process::forget_databases(&mut command);
        // The words hold a URL with a password, so that they are not shown.
        let output = process::output(&mut command)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Error::FailedWithOutput {
            command: format!("floor-{}", self.backend.feature()),
            status: output.status,
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn home(&self, contestant: &Contestant) -> PathBuf {
        self.directory.join(contestant.slug())
    }
}

fn database(contestant: &Contestant) -> String {
    format!("bench_{}", contestant.slug())
}

fn remake(directory: &Path) -> Result<(), Error> {
    if directory.exists() {
        fs::remove_dir_all(directory).context("remove", directory)?;
    }
    fs::create_dir_all(directory).context("create", directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_led_through_a_proxy() {
        let server = Server::parse("postgres://me:se@cret@127.0.0.1:5433/postgres").expect("a URL");
        assert_eq!(server.address, "127.0.0.1:5433");
        assert_eq!(
            server.url("127.0.0.1:7", "bench_ours"),
            "postgres://me:se@cret@127.0.0.1:7/bench_ours?sslmode=disable"
        );
    }
}
