//! Code-defined database migrations for Diesel.
#![forbid(unsafe_code)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod backend;
mod migration;
mod registry;
mod session;

pub use migrate_core as core;
pub use migration::{
    Body, BoxError, Call, ConnectionKind, Declared, Erased, Migration, Outcome, Parameter, Returned,
};
pub use migrate_macros::migration;
pub use session::Session;

/// What a file with migrations needs.
pub mod prelude {
    pub use diesel::{QueryResult, connection::SimpleConnection as _, prelude::*};

    pub use crate::{Outcome, Session, migration};
}
