//! What can go wrong, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// One level of a failure; its cause is in `source()`, its remedy in [`Error::next_step`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    #[error("cannot start `{command}`")]
    Spawn { command: String, source: io::Error },
    #[error("`{command}` failed: {status}")]
    Failed { command: String, status: ExitStatus },
    #[error("`{command}` failed: {status}\n{output}")]
    FailedWithOutput {
        command: String,
        status: ExitStatus,
        output: String,
    },
    #[error("`{command}` ended with {actual} instead of exit code {expected}")]
    WrongExit {
        command: String,
        expected: i32,
        actual: ExitStatus,
    },
    #[error("`{command}` printed something that cannot be read")]
    Unreadable {
        command: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("cannot {action} {}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("cannot parse {}", path.display())]
    Toml {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("cannot write to the terminal")]
    Output(#[source] io::Error),
    #[error("cannot listen to signals")]
    Signals(#[source] io::Error),
    #[error("system packages are missing: {}", packages.join(" "))]
    MissingPackages {
        packages: Vec<&'static str>,
        remedy: Remedy,
    },
    #[error("still missing after they were installed: {}", packages.join(" "))]
    NotInstalled { packages: Vec<&'static str> },
    #[error("`{program}` was not found")]
    NoProgram { program: &'static str },
    #[error("none of the accounts {} exists", names.join(", "))]
    NoAccount { names: Vec<&'static str> },
    #[error("{server} did not start: {why}\n{log}")]
    ServerStart {
        server: &'static str,
        why: String,
        log: String,
    },
    #[error("{server} stopped while it was in use: {status}\n{log}")]
    ServerDied {
        server: &'static str,
        status: ExitStatus,
        log: String,
    },
    #[error("{count} places break a house rule")]
    HouseRules { count: usize },
    #[error("the benchmark cannot go on: {0}")]
    Benchmark(String),
    #[error("stopped by signal {0}")]
    Interrupted(i32),
    #[error("step `{step}` failed")]
    Step { step: String, source: Box<Error> },
}

/// Why missing packages could not simply be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// apt-get exists, but we are not root.
    AskRoot,
    /// Not a Debian machine: the names are Debian's.
    OtherSystem,
}

impl Error {
    /// What the reader should do now, where that is known.
    pub(crate) fn next_step(&self) -> Option<String> {
        match self {
            Self::MissingPackages { packages, remedy } => {
                let names = packages.join(" ");
                Some(match remedy {
                    Remedy::AskRoot => {
                        format!("run `sudo apt-get install {names}`, then this again")
                    }
                    Remedy::OtherSystem => {
                        format!(
                            "there is no apt-get here; install what Debian calls {names}, then run this again"
                        )
                    }
                })
            }
            Self::NotInstalled { packages } => Some(format!(
                "look at what apt-get said above; `apt-get install {}` must succeed",
                packages.join(" ")
            )),
            Self::NoProgram { .. } => Some("run `cargo xtask setup`".into()),
            Self::NoAccount { names } => Some(format!(
                "database servers refuse to run as root: create one of these accounts ({}), or run this as another user",
                names.join(", ")
            )),
            Self::HouseRules { .. } => {
                Some("mend the places above; `cargo xtask check` alone takes a second".into())
            }
            Self::Step { step, source } => source.next_step().or_else(|| {
                Some(format!(
                    "mend it, then `cargo xtask test {step}` runs this step alone"
                ))
            }),
            _ => None,
        }
    }

    /// The exit code of the whole program: a signal's own by convention, otherwise 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(1),
            Self::Step { source, .. } => source.exit_code(),
            _ => 1,
        }
    }
}

/// Adds what was being done to an [`io::Error`].
pub(crate) trait IoContext<T> {
    fn context(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, Error>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context(self, action: &'static str, path: impl Into<PathBuf>) -> Result<T, Error> {
        self.map_err(|source| Error::Io {
            action,
            path: path.into(),
            source,
        })
    }
}
