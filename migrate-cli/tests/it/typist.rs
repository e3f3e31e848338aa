//! Somebody who types at a program in memory.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use migrate_cli::{Input, Invocation, Live, Program, Stream, StreamKind, Streams};

use crate::fake::FakeApp;

/// Somebody at a keyboard.
pub(crate) struct Typist {
    pub(crate) directory: PathBuf,
    pub(crate) manifest_dir: &'static str,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) answer: Option<&'static str>,
    pub(crate) screen: StreamKind,
    _home: tempfile::TempDir,
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Typist {
    /// In an empty project directory, with pipes, and `DATABASE_URL` set.
    pub(crate) fn new() -> Self {
        let mut typist = Self::without_configuration();
        typist.set("DATABASE_URL", "sqlite://shop.db");
        typist
    }

    pub(crate) fn without_configuration() -> Self {
        let home = tempfile::tempdir().unwrap();
        // The boundary of the search: what lies around the temporary directory is not ours.
        std::fs::create_dir(home.path().join(".git")).unwrap();
        Self {
            directory: home.path().to_owned(),
            manifest_dir: "",
            environment: Vec::new(),
            answer: None,
            screen: StreamKind::Pipe,
            _home: home,
        }
    }

    pub(crate) fn at_terminal(mut self, columns: usize) -> Self {
        self.screen = StreamKind::Terminal { columns };
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        write(&self.directory.join(name), text);
    }

    /// Types `line`, split at spaces.
    pub(crate) fn types(&self, app: &FakeApp, line: &str) -> Seen {
        let args: Vec<&str> = line.split_whitespace().collect();
        self.runs(app, &args)
    }

    pub(crate) fn runs(&self, app: &FakeApp, args: &[&str]) -> Seen {
        let program = Program {
            name: "migrate",
            version: "0.1.0",
            manifest_dir: self.manifest_dir,
        };
        let invocation = Invocation {
            args: args.iter().map(Into::into).collect(),
            environment: self
                .environment
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            directory: self.directory.clone(),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut answers = Cursor::new(self.answer.unwrap_or_default().as_bytes());
        let streams = Streams {
            stdin: Input {
                reader: &mut answers,
                kind: match self.answer {
                    Some(_) => StreamKind::Terminal { columns: 80 },
                    None => StreamKind::Pipe,
                },
            },
            stdout: Stream {
                writer: &mut out,
                kind: self.screen,
            },
            stderr: Stream {
                writer: &mut err,
                kind: self.screen,
            },
            live: Live::Off,
        };
        let code = migrate_cli::run(&program, app, &invocation, streams);
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .unwrap()
                .replace(self.directory.to_str().unwrap(), "[DIR]")
        };
        Seen {
            code,
            out: text(out),
            err: text(err),
        }
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
