//! The command line in this process, about SQLite files of one test.

use std::{fs, io::Cursor, path::PathBuf};

use diesel::{RunQueryDsl as _, dsl::sql, sql_types::BigInt};
use migrate_cli::{Input, Invocation, Live, Program, Stream, StreamKind, Streams};
use migrate_diesel::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

/// What a run left.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Seen {
    /// That it said all of these, where people read.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(
                self.err.contains(part) || self.out.contains(part),
                "{part}: {self:?}"
            );
        }
        self
    }
}

/// A directory with configured databases.
pub(crate) struct Desk {
    directory: TempDir,
    names: Vec<String>,
}

impl Desk {
    pub(crate) fn new(names: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join(".git")).unwrap();
        let tables = names
            .iter()
            .map(|name| format!("[databases.{name}]\nurl = \"sqlite://{name}.db\"\n"));
        let file = directory.path().join("migrate.toml");
        fs::write(file, tables.collect::<String>()).unwrap();
        Self {
            directory,
            names: names.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.db"))
    }

    pub(crate) fn open(&self, name: &str) -> SqliteConnection {
        SqliteConnection::establish(self.file(name).to_str().unwrap()).unwrap()
    }

    pub(crate) fn sql(&self, name: &str, statement: &str) {
        let done = self.open(name).batch_execute(statement);
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// `SELECT count(*) FROM ..`
    pub(crate) fn count(&self, name: &str, from: &str) -> i64 {
        diesel::select(sql::<BigInt>(&format!("(SELECT count(*) FROM {from})")))
            .get_result(&mut self.open(name))
            .unwrap_or_else(|error| panic!("{from}: {error}"))
    }

    pub(crate) fn has(&self, name: &str, thing: &str) -> bool {
        self.count(name, &format!("sqlite_master WHERE name = '{thing}'")) == 1
    }

    pub(crate) fn types(&self, line: &str) -> Seen {
        let program = Program {
            name: "migrate",
            version: "0.1.0",
            manifest_dir: "",
        };
        let mut args: Vec<_> = line.split_whitespace().map(Into::into).collect();
        if !line.contains("--database") {
            // Other tests of this program have databases of their own.
            args.extend(
                self.names
                    .iter()
                    .flat_map(|name| ["--database".into(), name.into()]),
            );
        }
        let invocation = Invocation {
            args,
            environment: Vec::new(),
            directory: self.directory.path().to_owned(),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams = Streams {
            stdin: Input {
                reader: &mut Cursor::new(Vec::new()),
                kind: StreamKind::Pipe,
            },
            stdout: Stream {
                writer: &mut out,
                kind: StreamKind::Pipe,
            },
            stderr: Stream {
                writer: &mut err,
                kind: StreamKind::Pipe,
            },
            live: Live::Off,
        };
        let app = migrate_diesel::Program::new(&[]);
        let code = migrate_cli::run(&program, &app, &invocation, streams);
        Seen {
            code,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }

    /// Types it, and it is done.
    #[track_caller]
    pub(crate) fn does(&self, line: &str) -> Seen {
        let seen = self.types(line);
        assert_eq!(seen.code, 0, "{line}: {seen:?}");
        seen
    }

    /// `mass status ID` of one database, as JSON.
    #[track_caller]
    pub(crate) fn told(&self, name: &str, id: &str) -> Value {
        let seen = self.does(&format!("mass status {id} --database {name} --format json"));
        let mut document: Value = serde_json::from_str(&seen.out).unwrap();
        let databases = if document.is_array() {
            &mut document
        } else {
            &mut document["databases"]
        };
        databases[0]["mass"][0].take()
    }

    #[track_caller]
    pub(crate) fn state(&self, name: &str, id: &str) -> String {
        let state = &self.told(name, id)["state"];
        state.as_str().unwrap().to_owned()
    }
}
