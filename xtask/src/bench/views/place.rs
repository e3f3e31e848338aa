//! The databases of one backend, and the program that is run in them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use super::scenario::{Backend, Contestant, Scenario};
use crate::bench::peers::{self, succeed};
use crate::error::{Error, IoContext as _};
use crate::process;
use crate::servers::Servers;

/// Above what one byte can count in any character set: MySQL would write the table anew at that point.
const FIRST_LENGTH: usize = 100;

/// One of each database.
const BOTH: [Contestant; 2] = [Contestant::Guard, Contestant::Hand];

/// Where runs on one backend take place.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) backend: Backend,
    /// Of the server, without the database.
    server: Option<(String, String)>,
    directory: PathBuf,
}

/// What one run took, as the program says: time on the wall, and on the processors of both ends of its connection.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Sample {
    /// From the first look at the history to the end.
    pub(super) run_us: u64,
    /// `None` where the server does not say which thread serves whom.
    pub(super) run_cpu_us: Option<u64>,
    /// The body of the migration, where it could see that itself: what the guard and the change take.
    pub(super) body_us: Option<u64>,
    pub(super) body_cpu_us: Option<u64>,
}

impl Place {
    pub(super) fn new(backend: Backend, servers: Option<&Servers>) -> Result<Self, Error> {
        let server = backend.variable().and_then(|wanted| {
            let (_, url) = servers?.variables().find(|(name, _)| *name == wanted)?;
            let (server, database) = url.rsplit_once('/')?;
            Some((server.to_owned(), database.to_owned()))
        });
        if server.is_none() && backend.variable().is_some() {
            return Err(Error::Benchmark(format!(
                "there is no server for {}",
                backend.title()
            )));
        }
        let directory = peers::target().join("views");
        fs::create_dir_all(&directory).context("create", &directory)?;
        Ok(Self {
            backend,
            server,
            directory,
        })
    }

    /// Makes the databases with their views.
    pub(super) fn prepare(&self, scenario: Scenario) -> Result<(), Error> {
        for contestant in BOTH {
            let database = database(scenario, contestant);
            match &self.server {
                None => self.remove_files(&database)?,
                Some((_, other)) => {
                    succeed(self.program().args(["reset", &self.url(other), &database]))?;
                }
            }
            let task = self.task(scenario, contestant, 0);
            succeed(self.program().arg("prepare").args(task))?;
        }
        Ok(())
    }

    /// Takes them away.
    pub(super) fn clear(&self, scenario: Scenario) -> Result<(), Error> {
        for contestant in BOTH {
            let database = database(scenario, contestant);
            match &self.server {
                None => self.remove_files(&database)?,
                Some((_, other)) => {
                    succeed(self.program().args(["remove", &self.url(other), &database]))?;
                }
            }
        }
        Ok(())
    }

    fn remove_files(&self, database: &str) -> Result<(), Error> {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let file = self.directory.join(format!("{database}{suffix}"));
            if file.exists() {
                fs::remove_file(&file).context("remove", &file)?;
            }
        }
        Ok(())
    }

    /// One run. Each of a round makes the column wider than the one before.
    pub(super) fn run(
        &self,
        scenario: Scenario,
        contestant: Contestant,
        round: usize,
    ) -> Result<Sample, Error> {
        let all = Contestant::ALL;
        let turn = all.iter().position(|it| *it == contestant);
        let length = FIRST_LENGTH + round * all.len() + turn.unwrap_or_default();
        let task = self.task(scenario, contestant, length);
        let output = succeed(self.program().arg("run").args(task))?;
        serde_json::from_slice(&output.stdout).map_err(|error| Error::Unreadable {
            command: "bench-views".to_owned(),
            source: Box::new(error),
        })
    }

    fn program(&self) -> Command {
        let mut command = process::tied("TERM", peers::target().join("release/bench-views"));
        command.current_dir(&self.directory);
        process::forget_databases(&mut command);
        command
    }

    fn task(&self, scenario: Scenario, contestant: Contestant, length: usize) -> [String; 6] {
        [
            contestant.name().to_owned(),
            self.url(&database(scenario, contestant)),
            scenario.shape.name().to_owned(),
            scenario.in_the_way.to_string(),
            scenario.beside.to_string(),
            length.to_string(),
        ]
    }

    fn url(&self, database: &str) -> String {
        match (&self.server, self.backend) {
            (None, _) => format!("sqlite://{}", self.directory.join(database).display()),
            // The server is on this machine.
            (Some((server, _)), Backend::Postgres) => {
                format!("{server}/{database}?sslmode=disable")
            }
            (Some((server, _)), _) => format!("{server}/{database}"),
        }
    }
}

fn database(scenario: Scenario, contestant: Contestant) -> String {
    let Scenario {
        shape,
        in_the_way,
        beside,
    } = scenario;
    format!(
        "{}_{in_the_way}_{beside}_{}",
        shape.name(),
        contestant.database()
    )
}
