//! What a run is given by its process: arguments, environment, working directory, streams.

use std::{
    ffi::OsString,
    fmt,
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

/// The program that carries the migrations.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What a person types: the binary's name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The directory of its `Cargo.toml` on the machine that built it: the last place where
    /// `migrate.toml` and `.env` are looked for.
    pub manifest_dir: &'static str,
}

/// What was typed, and where.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Arguments, without the program's name.
    pub args: Vec<OsString>,
    /// Environment variables.
    pub environment: Vec<(OsString, OsString)>,
    /// The working directory.
    pub directory: PathBuf,
}

impl Invocation {
    /// Of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self {
            args: std::env::args_os().skip(1).collect(),
            environment: std::env::vars_os().collect(),
            // Without a working directory (it was removed), relative paths fail one by one.
            directory: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// A variable's text; an empty variable is an unset one.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .iter()
            .find(|(key, _)| key == name)
            .and_then(|(_, value)| value.to_str())
            .filter(|value| !value.is_empty())
    }
}

/// Where a run reads and writes.
#[derive(Debug)]
pub struct Streams<'a> {
    /// Answers to questions.
    pub stdin: Input<'a>,
    /// Results.
    pub stdout: Stream<'a>,
    /// Everything else.
    pub stderr: Stream<'a>,
    /// Whether a live line may be drawn.
    pub live: Live,
}

/// An input.
pub struct Input<'a> {
    /// To read from.
    pub reader: &'a mut (dyn BufRead + Send),
    /// Who is at the other end.
    pub kind: StreamKind,
}

/// An output.
pub struct Stream<'a> {
    /// To write to.
    pub writer: &'a mut (dyn Write + Send),
    /// Who is at the other end.
    pub kind: StreamKind,
}

/// Who is at the other end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// A program or a file.
    Pipe,
    /// A person.
    Terminal {
        /// How wide it is.
        columns: usize,
    },
}

impl StreamKind {
    /// How wide it is, if it is a terminal.
    pub(crate) fn columns(self) -> Option<usize> {
        match self {
            Self::Pipe => None,
            Self::Terminal { columns } => Some(columns),
        }
    }
}

/// Whether a live line (spinner, elapsed time) may be drawn. It is drawn on the process's standard
/// error by a thread of its own, so a run whose streams are buffers leaves it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// Lines only.
    Off,
    /// On this process's standard error.
    OnStderr,
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Calls `body` with the streams of this process.
///
/// They are not locked: a body of a migration may print, and the live line is another thread's.
pub(crate) fn with_process_streams<R>(body: impl FnOnce(Streams<'_>) -> R) -> R {
    let stdin = io::stdin();
    let (mut stdout, mut stderr) = (io::stdout(), io::stderr());
    let stdout_kind = kind(
        stdout.is_terminal(),
        terminal_size::terminal_size_of(&stdout),
    );
    let stderr_kind = kind(
        stderr.is_terminal(),
        terminal_size::terminal_size_of(&stderr),
    );
    let stdin_kind = kind(stdin.is_terminal(), None);
    let mut reader = io::BufReader::new(stdin);
    body(Streams {
        stdin: Input {
            reader: &mut reader,
            kind: stdin_kind,
        },
        stdout: Stream {
            writer: &mut stdout,
            kind: stdout_kind,
        },
        stderr: Stream {
            writer: &mut stderr,
            kind: stderr_kind,
        },
        live: Live::OnStderr,
    })
}

fn kind(
    is_terminal: bool,
    size: Option<(terminal_size::Width, terminal_size::Height)>,
) -> StreamKind {
    if is_terminal {
        StreamKind::Terminal {
            // Some terminals (of continuous integration) say 0.
            columns: size
                .map(|(width, _)| usize::from(width.0))
                .filter(|columns| *columns > 0)
                .unwrap_or(80),
        }
    } else {
        StreamKind::Pipe
    }
}
