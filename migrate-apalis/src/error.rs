//! [`Error`]: why a hint could not be sent, or followed.

use apalis_core::error::BoxDynError;

/// Why a hint could not be sent, or followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not among the [`Databases`](crate::Databases).
    #[error("this program serves no database called `{name}`")]
    UnknownDatabase {
        /// The name.
        name: String,
    },
    /// The migrated database, or what is carried for it.
    #[error("the database `{name}` could not be worked on")]
    Database {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: BoxDynError,
    },
    /// The queue.
    #[error("could not {doing} the queue `{queue}`")]
    Queue {
        /// What was tried.
        doing: &'static str,
        /// Its name.
        queue: String,
        /// Why.
        #[source]
        source: BoxDynError,
    },
    /// Nobody waits for it any more, or it panicked outside a body.
    #[error("the thread that worked on it is gone")]
    Thread(#[source] tokio::task::JoinError),
}
