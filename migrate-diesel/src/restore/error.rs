//! [`RestoreError`]: why a dump is not in the database.

use std::io;

use migrate_core::FailureKind;

use crate::error::{Error, Undone};

/// Why a dump is not in the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The database holds tables.
    #[error("the database is not empty: it holds {}", listed(.0))]
    Occupied(Vec<String>),
    /// There is no dump, or it cannot be read to its end.
    #[error("the dump cannot be read")]
    Dump(#[source] io::Error),
    /// It ends before its end.
    #[error("the dump is not whole: {0}")]
    Partial(String),
    /// It does not hold what it promises.
    #[error("the dump does not contain {}", listed(.0))]
    Lacking(Vec<String>),
    /// The run was asked to end.
    #[error("interrupted while the dump was restored{}", part(*.0))]
    Interrupted(Undone),
    /// The database refused a part of it.
    #[error("the database refused the dump")]
    Refused(#[source] Said),
    /// The client program of the database is not installed.
    #[error("restoring into {backend} takes its client program, and {} is not on the PATH", or(.programs))]
    NoClient {
        /// `PostgreSQL`, `MySQL`.
        backend: &'static str,
        /// Any of them.
        programs: Vec<&'static str>,
    },
    /// The client program could not be used.
    #[error("the program `{program}` could not be used")]
    Client {
        /// Which.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A restore was begun and has not ended.
    #[error(
        "the database is half restored: a restore was begun and did not end well (the table `{table}` says so)"
    )]
    Half {
        /// The table that says so.
        table: String,
    },
    /// A backend that none of this is about.
    #[error("this program cannot restore into {0}")]
    Unknown(&'static str),
}

/// What a database or its client said, with passwords masked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Said(pub(crate) String);

impl RestoreError {
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Occupied(_) | Self::NoClient { .. } | Self::Unknown(_) => FailureKind::Usage,
            Self::Half { .. } => FailureKind::Disagreement,
            _ => FailureKind::Migration,
        }
    }

    pub(crate) fn next_step(&self) -> Option<&'static str> {
        Some(match self {
            Self::Occupied(_) => {
                "restore into an empty database; or, to restore beside what is there, say `restore FILE --force`"
            }
            Self::Dump(_) | Self::Partial(_) => "see that the dump is whole, and try again",
            Self::Lacking(_) => {
                "name with `restore_expects` the tables that this dump is known by, or take another dump"
            }
            Self::Refused(_) => "mend the dump, or make it anew, and try again",
            Self::NoClient { .. } => {
                "install it where this program runs, or restore by other means"
            }
            Self::Interrupted(Undone::Everything) => "nothing of it stays: restore again",
            Self::Interrupted(Undone::NotEverything) => {
                "drop the database, create it anew and restore again"
            }
            Self::Half { .. } => {
                "drop the database, create it anew and restore again; if you made it whole by hand, drop that table"
            }
            Self::Client { .. } | Self::Unknown(_) => return None,
        })
    }
}

impl From<RestoreError> for Error {
    fn from(error: RestoreError) -> Self {
        Self::Restore(Box::new(error))
    }
}

fn part(undone: Undone) -> &'static str {
    match undone {
        Undone::Everything => "",
        Undone::NotEverything => ": a part of it stays, which nobody will take for all",
    }
}

fn or(programs: &[&str]) -> String {
    match programs {
        [one] => format!("`{one}`"),
        several => format!("none of `{}`", several.join("`, `")),
    }
}

/// The first few.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let mut text = shown.join(", ");
    if names.len() > SHOWN {
        text.push_str(" and more");
    }
    text
}
