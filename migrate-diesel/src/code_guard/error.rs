//! [`NotMigrated`]: why a function under `#[requires_migration]` did not run.

use std::{sync::Arc, time::Duration};

use crate::migration::BoxError;

/// A function did not run, because of a migration that it requires.
///
/// Its text names the migration and nothing of the database, so that it may be shown to anybody.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", message(.id, .reason))]
#[non_exhaustive]
pub struct NotMigrated {
    /// `package:name`.
    pub id: String,
    /// Why.
    #[source]
    pub reason: Missing,
}

/// Why a migration does not count as applied.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// The database's history says so.
    #[error("the history says that it is not applied")]
    NotApplied,
    /// The database did not answer.
    #[error("the database did not say which migrations are applied")]
    NoAnswer(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// Nobody said where to ask.
    #[error("no `MigrationGuard` is installed for the database `{0}`")]
    NoGuard(String),
}

impl NotMigrated {
    /// After which time it makes sense to try again: the next moment when the database is asked.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        super::knowledge::ASK_AGAIN
    }
}

impl Missing {
    pub(super) fn no_answer(error: BoxError) -> Self {
        Self::NoAnswer(Arc::from(error))
    }
}

fn message(id: &str, reason: &Missing) -> String {
    match reason {
        Missing::NotApplied => format!("migration `{id}` is required, and not applied yet"),
        Missing::NoAnswer(_) => {
            format!("migration `{id}` is required, and whether it is applied is not known")
        }
        Missing::NoGuard(_) => format!(
            "migration `{id}` is required, and nobody said where to ask: call `MigrationGuard::install` when the program starts"
        ),
    }
}

/// What a function under `#[requires_migration]` may return.
#[diagnostic::on_unimplemented(
    message = "a function under `#[requires_migration]` has to return a `Result` whose error can be made of a `NotMigrated`",
    label = "cannot say that the migration is missing",
    note = "return a `Result<_, E>` with `E: From<NotMigrated>`, such as `Box<dyn Error>`, or write `#[requires_migration(.., on_missing = panic)]`"
)]
pub trait OnMissing {
    /// The error, as what the function returns.
    fn on_missing(missing: NotMigrated) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<NotMigrated>> OnMissing for Result<T, E> {
    fn on_missing(missing: NotMigrated) -> Self {
        Err(missing.into())
    }
}
