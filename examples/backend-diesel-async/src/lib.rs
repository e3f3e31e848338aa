//! A backend of another crate: PostgreSQL through [`diesel_async`].
//!
//! A program that links this crate opens `postgres-async://user@host/db`, and its migrations take
//! [`AsyncPostgres`], or `AnyConnection`:
//!
//! ```
//! use backend_diesel_async::AsyncPostgres;
//! use migrate_diesel::prelude::*;
//!
//! #[migration]
//! fn create_users(db: &mut AsyncPostgres) -> QueryResult<()> {
//!     db.batch_execute("CREATE TABLE users (id BIGINT PRIMARY KEY)")
//! }
//! # fn main() {}
//! ```
//!
//! What a backend needs is here: a connection that Diesel knows ([`Connection`]), what migrate asks of it
//! ([`PostgresConnection`], as it speaks PostgreSQL; [`Driver`](migrate_diesel::backend::Driver) else), the schemes
//! of its URLs ([`register_backend!`](migrate_diesel::register_backend)), and in `tests/suite.rs` the proof.
#![forbid(unsafe_code)]

use diesel::{
    Connection, ConnectionResult, QueryResult,
    connection::{
        CacheSize, ConnectionSealed, Instrumentation, LoadConnection, SimpleConnection,
        TransactionManager, TransactionManagerStatus,
    },
    expression::QueryMetadata,
    pg::Pg,
    query_builder::{Query, QueryFragment, QueryId},
};
use diesel_async::{AsyncPgConnection, async_connection_wrapper::AsyncConnectionWrapper};
use migrate_diesel::{backend::PostgresConnection, register_backend};

type Inner = AsyncConnectionWrapper<AsyncPgConnection>;
type InnerTransactions = <Inner as Connection>::TransactionManager;

/// What its URLs begin with.
const SCHEME: &str = "postgres-async";

/// A connection of diesel-async's that waits for each answer. Without TLS, as `AsyncPgConnection` connects by itself.
///
/// Not for the inside of an async function: there, `tokio::task::spawn_blocking`.
pub struct AsyncPostgres(Inner);

impl PostgresConnection for AsyncPostgres {}

register_backend!(AsyncPostgres, "postgres-async");

impl std::fmt::Debug for AsyncPostgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AsyncPostgres")
    }
}

impl SimpleConnection for AsyncPostgres {
    fn batch_execute(&mut self, sql: &str) -> QueryResult<()> {
        self.0.batch_execute(sql)
    }
}

impl ConnectionSealed for AsyncPostgres {}

impl Connection for AsyncPostgres {
    type Backend = Pg;
    type TransactionManager = Transactions;

    /// `postgres-async://..`; what follows the scheme is for tokio-postgres.
    fn establish(url: &str) -> ConnectionResult<Self> {
        let url = match url.strip_prefix(SCHEME) {
            Some(rest) => format!("postgres{rest}"),
            None => url.to_owned(),
        };
        Inner::establish(&url).map(Self)
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        self.0.execute_returning_count(source)
    }

    fn transaction_state(
        &mut self,
    ) -> &mut <InnerTransactions as TransactionManager<Inner>>::TransactionStateData {
        self.0.transaction_state()
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        Connection::instrumentation(&mut self.0)
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        Connection::set_instrumentation(&mut self.0, instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        Connection::set_prepared_statement_cache_size(&mut self.0, size);
    }
}

impl LoadConnection for AsyncPostgres {
    type Cursor<'conn, 'query> = <Inner as LoadConnection>::Cursor<'conn, 'query>;
    type Row<'conn, 'query> = <Inner as LoadConnection>::Row<'conn, 'query>;

    fn load<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        LoadConnection::load(&mut self.0, source)
    }
}

/// The transactions of the connection inside.
#[derive(Debug)]
pub struct Transactions;

impl TransactionManager<AsyncPostgres> for Transactions {
    type TransactionStateData =
        <InnerTransactions as TransactionManager<Inner>>::TransactionStateData;

    fn begin_transaction(connection: &mut AsyncPostgres) -> QueryResult<()> {
        InnerTransactions::begin_transaction(&mut connection.0)
    }

    fn rollback_transaction(connection: &mut AsyncPostgres) -> QueryResult<()> {
        InnerTransactions::rollback_transaction(&mut connection.0)
    }

    fn commit_transaction(connection: &mut AsyncPostgres) -> QueryResult<()> {
        InnerTransactions::commit_transaction(&mut connection.0)
    }

    fn transaction_manager_status_mut(
        connection: &mut AsyncPostgres,
    ) -> &mut TransactionManagerStatus {
        InnerTransactions::transaction_manager_status_mut(&mut connection.0)
    }

    fn is_broken_transaction_manager(connection: &mut AsyncPostgres) -> bool {
        InnerTransactions::is_broken_transaction_manager(&mut connection.0)
    }
}
