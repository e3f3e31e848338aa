//! [`AnyConnection`]: a connection to whichever database the URL names.

use std::{
    any::{Any, TypeId},
    sync::{Arc, atomic::AtomicBool},
};

use diesel::{ConnectionResult, QueryResult};
use migrate_core::{Limits, report::LockHolder, unlock::LockSession};

use super::{
    Cancelling, Dialect, Driver, Held, LockKey, Locked, MigrationConnection, OtherConnection,
    SessionState, StatementLog, TextRow, ViewCatalog,
};
use crate::error::Error;

/// A connection to whichever of the databases that this program was built for: with it, one body
/// serves every backend.
///
/// `AnyConnection::establish(url)` decides by the URL: `postgres://`, `mysql://`, and a path or
/// `sqlite://path` for SQLite.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
    /// MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    Mysql(diesel::MysqlConnection),
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(diesel::SqliteConnection),
    /// A backend that another crate [registered](crate::register_backend).
    Other(OtherConnection),
}

impl std::fmt::Debug for AnyConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AnyConnection({})", self.dialect().name)
    }
}

impl MigrationConnection for AnyConnection {
    const BACKENDS: &'static [&'static str] = &[
        #[cfg(feature = "sqlite")]
        "sqlite",
        #[cfg(feature = "postgres")]
        "postgres",
        #[cfg(feature = "mysql")]
        "mysql",
    ];
}

/// Calls a method of the connection inside.
macro_rules! inside {
    ($self:ident, $connection:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "postgres")]
            Self::Postgres($connection) => $call,
            #[cfg(feature = "mysql")]
            Self::Mysql($connection) => $call,
            #[cfg(feature = "sqlite")]
            Self::Sqlite($connection) => $call,
            Self::Other(other) => {
                let $connection = other.driver();
                $call
            }
        }
    };
    // Of a shared reference.
    (& $self:ident, $connection:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "postgres")]
            Self::Postgres($connection) => $call,
            #[cfg(feature = "mysql")]
            Self::Mysql($connection) => $call,
            #[cfg(feature = "sqlite")]
            Self::Sqlite($connection) => $call,
            Self::Other(other) => {
                let $connection = other.driver_ref();
                $call
            }
        }
    };
}

impl Driver for AnyConnection {
    fn dialect(&self) -> &'static Dialect {
        inside!(&self, connection => connection.dialect())
    }

    fn batch(&mut self, sql: &str) -> QueryResult<()> {
        inside!(self, connection => connection.batch(sql))
    }

    fn count(&mut self, sql: &str) -> QueryResult<usize> {
        inside!(self, connection => connection.count(sql))
    }

    fn rows(&mut self, sql: &str) -> QueryResult<Vec<TextRow>> {
        inside!(self, connection => connection.rows(sql))
    }

    fn rows_prepared(&mut self, sql: &str, numbers: &[i64]) -> Option<QueryResult<Vec<TextRow>>> {
        inside!(self, connection => connection.rows_prepared(sql, numbers))
    }

    fn depth(&mut self) -> QueryResult<Option<u32>> {
        inside!(self, connection => connection.depth())
    }

    fn aborted(&mut self) -> bool {
        inside!(self, connection => connection.aborted())
    }

    fn set_depth(&mut self, depth: u32) {
        inside!(self, connection => connection.set_depth(depth));
    }

    fn watch(&mut self) -> Option<Arc<AtomicBool>> {
        inside!(self, connection => connection.watch())
    }

    fn listen(&mut self, log: Option<StatementLog>) {
        inside!(self, connection => connection.listen(log));
    }

    fn rows_changed(&mut self) -> QueryResult<Option<u64>> {
        inside!(self, connection => connection.rows_changed())
    }

    fn connection_mut(&mut self, wanted: TypeId) -> Option<&mut dyn Any> {
        if wanted == TypeId::of::<Self>() {
            return Some(self);
        }
        inside!(self, connection => connection.connection_mut(wanted))
    }

    fn columns(&mut self, table: &str) -> QueryResult<Vec<String>> {
        inside!(self, connection => connection.columns(table))
    }

    fn prepare(&mut self) -> QueryResult<()> {
        inside!(self, connection => connection.prepare())
    }

    fn reopen(&mut self, url: &str) -> ConnectionResult<bool> {
        inside!(self, connection => connection.reopen(url))
    }

    fn try_lock(&mut self, key: &LockKey) -> QueryResult<Locked> {
        inside!(self, connection => connection.try_lock(key))
    }

    fn lock_holder(&mut self, key: &LockKey) -> QueryResult<Option<LockHolder>> {
        inside!(self, connection => connection.lock_holder(key))
    }

    fn lock_session(&mut self, key: &LockKey) -> QueryResult<Option<LockSession>> {
        inside!(self, connection => connection.lock_session(key))
    }

    fn end_session(&mut self, key: &LockKey, session: &str) -> QueryResult<()> {
        inside!(self, connection => connection.end_session(key, session))
    }

    fn unlock(&mut self, key: &LockKey, held: Held) -> QueryResult<()> {
        inside!(self, connection => connection.unlock(key, held))
    }

    fn remember_session(&mut self, key: &LockKey) -> QueryResult<SessionState> {
        inside!(self, connection => connection.remember_session(key))
    }

    fn search_in(&mut self, path: &str) -> Result<Vec<String>, Error> {
        inside!(self, connection => connection.search_in(path))
    }

    fn limit(&mut self, limits: Limits) -> Result<Vec<String>, Error> {
        inside!(self, connection => connection.limit(limits))
    }

    fn cannot_limit(&mut self, limits: Limits) -> Option<String> {
        inside!(self, connection => connection.cannot_limit(limits))
    }

    fn lock_holders(&mut self) -> QueryResult<Vec<String>> {
        inside!(self, connection => connection.lock_holders())
    }

    fn session_id(&mut self) -> QueryResult<Option<String>> {
        inside!(self, connection => connection.session_id())
    }

    fn cancelling(&self, state: &SessionState) -> Option<Cancelling> {
        inside!(&self, connection => connection.cancelling(state))
    }

    fn isolation_sql(&self, state: &SessionState) -> String {
        inside!(&self, connection => connection.isolation_sql(state))
    }

    fn isolate(&mut self, state: &SessionState) -> QueryResult<()> {
        inside!(self, connection => connection.isolate(state))
    }

    fn views(&mut self) -> Option<&mut dyn ViewCatalog> {
        inside!(self, connection => connection.views())
    }

    fn clean_condition(&self, state: &SessionState) -> Option<String> {
        inside!(&self, connection => connection.clean_condition(state))
    }
}
