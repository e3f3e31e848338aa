//! [`TestError`]: why a test of migrations could not go on.

use std::fmt;

use migrate_core::{Failure, State, error_chain};

use crate::error::Error;

/// Why a test of migrations could not go on. Its `Debug`, which is what a failing test prints, is
/// the message with its causes.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// The migrator's.
    #[error(transparent)]
    Migrate(#[from] Error),
    /// Where test databases go is configured wrongly.
    #[error("cannot tell where test databases go: {0}")]
    Configuration(Failure),
    /// A database for the test could not be made.
    #[error("cannot {doing}")]
    Server {
        /// What was being done.
        doing: String,
        /// Why not.
        #[source]
        source: diesel::result::Error,
    },
    /// A file could not be made or read.
    #[error("cannot {doing}")]
    File {
        /// What was being done.
        doing: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The migration is not among those of this migrator and its database.
    #[error("`{0}` is not among the migrations of this database")]
    NotCarried(String),
    /// The run ended without an error, and yet the migration is not applied.
    #[error("`{id}` is not applied: it is {state}{}", reason(.detail.as_deref()))]
    NotApplied {
        /// `package:name`.
        id: String,
        /// Where it stands.
        state: State,
        /// Why, where the history tells.
        detail: Option<String>,
    },
    /// The database is another one than the test expects.
    #[error("the connection is to {found}, not a `{wanted}`")]
    Connection {
        /// The type that was asked for.
        wanted: &'static str,
        /// The database's backend.
        found: &'static str,
    },
    /// `down`, or `up` after it, does not lead back to the same schema.
    #[error("`{id}`: the schema after {when} differs:{}", lines(.differences))]
    NotReversible {
        /// `package:name`.
        id: String,
        /// After what.
        when: &'static str,
        /// One line each.
        differences: Vec<String>,
    },
    /// A squash does not make the schema of what it replaces.
    #[error("`{id}` makes another schema than what it replaces:{}", lines(.differences))]
    SquashDiffers {
        /// `package:name`.
        id: String,
        /// One line each.
        differences: Vec<String>,
    },
}

impl TestError {
    pub(super) fn server(doing: impl Into<String>) -> impl FnOnce(diesel::result::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Server { doing, source }
    }

    pub(super) fn file(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::File { doing, source }
    }
}

impl fmt::Debug for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&error_chain(self).join(": "))?;
        let step = match self {
            Self::Migrate(error) => error.next_step(),
            Self::Configuration(failure) => failure.next_step.clone(),
            _ => None,
        };
        step.map_or(Ok(()), |step| write!(f, "\nnext: {step}"))
    }
}

fn reason(detail: Option<&str>) -> String {
    detail.map_or_else(String::new, |detail| format!(" ({detail})"))
}

fn lines(differences: &[String]) -> String {
    differences
        .iter()
        .map(|line| format!("\n  {line}"))
        .collect()
}
