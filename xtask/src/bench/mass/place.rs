//! The database of one backend, and the program that is run in it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use super::scenario::{Backend, Contestant};
use crate::bench::peers::{self, succeed};
use crate::error::{Error, IoContext as _};
use crate::process;
use crate::servers::Servers;

const DATABASE: &str = "bench_mass";

/// Where runs on one backend take place.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) backend: Backend,
    /// The server, and a database that it has.
    server: Option<(String, String)>,
    directory: PathBuf,
}

/// What one run took, as the program says.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Sample {
    pub(super) wall_us: u64,
    /// On processors: the program, and the whole server.
    pub(super) own_cpu_us: u64,
    pub(super) server_cpu_us: u64,
    /// The most memory that the program had.
    pub(super) peak_kb: u64,
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
        let directory = peers::target().join("mass");
        fs::create_dir_all(&directory).context("create", &directory)?;
        Ok(Self {
            backend,
            server,
            directory,
        })
    }

    /// One run, in a database that has nothing but the table.
    pub(super) fn run(
        &self,
        contestant: Contestant,
        rows: u32,
        batch: u32,
    ) -> Result<Sample, Error> {
        match &self.server {
            None => self.remove_files()?,
            Some((_, other)) => {
                succeed(self.program().args(["reset", &self.url(other), DATABASE]))?;
            }
        }
        let (url, rows, batch) = (self.url(DATABASE), rows.to_string(), batch.to_string());
        succeed(self.program().args(["prepare", &url, &rows]))?;
        let output = succeed(
            self.program()
                .args(["run", contestant.name(), &url, &rows, &batch]),
        )?;
        serde_json::from_slice(&output.stdout).map_err(|error| Error::Unreadable {
            command: "bench-mass".to_owned(),
            source: Box::new(error),
        })
    }

    /// Takes the database away.
    pub(super) fn clear(&self) -> Result<(), Error> {
        match &self.server {
            None => self.remove_files(),
            Some((_, other)) => {
                succeed(self.program().args(["remove", &self.url(other), DATABASE])).map(|_| ())
            }
        }
    }

    fn remove_files(&self) -> Result<(), Error> {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let file = self.directory.join(format!("{DATABASE}{suffix}"));
            if file.exists() {
                fs::remove_file(&file).context("remove", &file)?;
            }
        }
        Ok(())
    }

    fn program(&self) -> Command {
        let mut command = process::tied("TERM", peers::target().join("release/bench-mass"));
        command.current_dir(&self.directory);
        process::forget_databases(&mut command);
        command
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
