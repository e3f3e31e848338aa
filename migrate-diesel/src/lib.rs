#![doc = include_str!("docs/guide.md")]
#![forbid(unsafe_code)]

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
compile_error!(
    "migrate-diesel needs a database: enable at least one of its features `sqlite`, `postgres` and `mysql`"
);

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod adopt;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod application;
pub mod backend;
mod carried;
mod code_guard;
#[cfg(all(
    feature = "cli",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
mod command;
mod directory;
mod elsewhere;
mod error;
mod guard;
mod history;
pub mod mass;
mod migration;
mod migrator;
mod observe;
mod refusal;
mod registry;
mod reports;
mod restore;
mod runner;
mod session;
mod sql_body;
#[cfg(all(
    feature = "testing",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
pub mod testing;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod unlock;
mod url;
mod view;
mod who;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use application::Program;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use backend::AnyConnection;
pub use backend::MigrationConnection;
pub use code_guard::{MigrationGuard, Missing, NotMigrated};
#[cfg(feature = "tower")]
pub use code_guard::{RequiresMigration, RequiresMigrationLayer, ResponseFuture};
pub use error::{BodyError, Error, Redacted, TimeLimit, Undone};
pub use guard::{InTheWay, Kept, ViewError};
pub use migrate_core as core;
#[doc = include_str!("docs/mass_migration.md")]
pub use migrate_macros::mass_migration;
#[doc = include_str!("docs/migrations_dir.md")]
pub use migrate_macros::migrations_dir;
#[doc = include_str!("docs/requires_migration.md")]
pub use migrate_macros::requires_migration;
pub use migrate_macros::{migration, view_manager};
pub use migration::{
    Body, BoxError, Call, ConnectionKind, Declared, Erased, Migration, Outcome, Parameter, Returned,
};
pub use migrator::Migrator;
pub use restore::{RestoreError, Said};
pub use session::Session;
pub use view::{DeclaredView, View, ViewCode, ViewManager, ViewSet};

/// What a file with migrations needs.
pub mod prelude {
    #[cfg(feature = "mysql")]
    pub use diesel::MysqlConnection;
    #[cfg(feature = "postgres")]
    pub use diesel::PgConnection;
    #[cfg(feature = "sqlite")]
    pub use diesel::SqliteConnection;
    pub use diesel::{QueryResult, connection::SimpleConnection as _, prelude::*};

    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub use crate::backend::AnyConnection;
    pub use crate::{
        Outcome, Session, ViewManager,
        mass::{Batch, Cursor, Next},
        mass_migration, migration, view_manager,
    };
}
