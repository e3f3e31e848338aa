//! What a connection has to implement, and the three that do.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

/// A connection that migrations can run on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connection that migrations know",
    label = "not a migration connection"
)]
pub trait MigrationConnection: diesel::connection::SimpleConnection + Sized + 'static {
    /// Databases that it can talk to: `sqlite`, `postgres`, `mysql`.
    const BACKENDS: &'static [&'static str];
}
