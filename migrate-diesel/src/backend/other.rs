//! [`OtherConnection`]: what [`AnyConnection`](super::AnyConnection) holds of a backend that it does not know.

use std::any::{Any, TypeId};

use diesel::{
    Connection, ConnectionError, ConnectionResult, QueryResult,
    connection::{
        CacheSize, ConnectionSealed, Instrumentation, LoadConnection, SimpleConnection,
        TransactionManager, TransactionManagerStatus,
    },
    internal::derives::multiconnection::MultiConnectionHelper,
    query_builder::{Query, QueryFragment, QueryId},
    result::Error,
};

use super::{Driver, MigrationConnection};

// Diesel's enum of connections wants Diesel's types of each. Ours are never used for more than to write
// down SQL without values, so those of any connection that is there do; PostgreSQL quotes as the standard says.
#[cfg(all(not(feature = "postgres"), not(feature = "sqlite")))]
use diesel::MysqlConnection as Kin;
#[cfg(feature = "postgres")]
use diesel::PgConnection as Kin;
#[cfg(all(not(feature = "postgres"), feature = "sqlite"))]
use diesel::SqliteConnection as Kin;

type KinBackend = <Kin as Connection>::Backend;

/// A connection of a backend that another crate [registered](crate::register_backend).
///
/// A body that takes `&mut AnyConnection` can run SQL text on it (`batch_execute`, `sql_query(..).execute`),
/// and transactions; for queries with values or rows a body takes that crate's own connection.
pub struct OtherConnection(Box<dyn Plugged>);

/// A connection without its type.
trait Plugged: Driver + Send {
    fn driver(&mut self) -> &mut dyn Driver;
    fn driver_ref(&self) -> &dyn Driver;
    fn batch_execute(&mut self, sql: &str) -> QueryResult<()>;
    fn begin(&mut self) -> QueryResult<()>;
    fn commit(&mut self) -> QueryResult<()>;
    fn rollback(&mut self) -> QueryResult<()>;
    fn status(&mut self) -> &mut TransactionManagerStatus;
    fn is_broken(&mut self) -> bool;
    fn instrumentation(&mut self) -> &mut dyn Instrumentation;
    fn set_instrumentation(&mut self, instrumentation: Box<dyn Instrumentation>);
    fn set_cache_size(&mut self, size: CacheSize);
}

impl<C: MigrationConnection> Plugged for C {
    fn driver(&mut self) -> &mut dyn Driver {
        self
    }

    fn driver_ref(&self) -> &dyn Driver {
        self
    }

    fn batch_execute(&mut self, sql: &str) -> QueryResult<()> {
        SimpleConnection::batch_execute(self, sql)
    }

    fn begin(&mut self) -> QueryResult<()> {
        C::TransactionManager::begin_transaction(self)
    }

    fn commit(&mut self) -> QueryResult<()> {
        C::TransactionManager::commit_transaction(self)
    }

    fn rollback(&mut self) -> QueryResult<()> {
        C::TransactionManager::rollback_transaction(self)
    }

    fn status(&mut self) -> &mut TransactionManagerStatus {
        C::TransactionManager::transaction_manager_status_mut(self)
    }

    fn is_broken(&mut self) -> bool {
        C::TransactionManager::is_broken_transaction_manager(self)
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        Connection::instrumentation(self)
    }

    fn set_instrumentation(&mut self, instrumentation: Box<dyn Instrumentation>) {
        Connection::set_instrumentation(self, instrumentation);
    }

    fn set_cache_size(&mut self, size: CacheSize) {
        self.set_prepared_statement_cache_size(size);
    }
}

impl OtherConnection {
    /// Without its type, which [`downcast_mut`](Self::downcast_mut) gives back.
    #[must_use]
    pub fn new<C: MigrationConnection>(connection: C) -> Self {
        Self(Box::new(connection))
    }

    /// The connection, if it is a `C`.
    pub fn downcast_mut<C: MigrationConnection>(&mut self) -> Option<&mut C> {
        self.driver()
            .connection_mut(TypeId::of::<C>())
            .and_then(<dyn Any>::downcast_mut)
    }

    pub(super) fn driver(&mut self) -> &mut dyn Driver {
        self.0.driver()
    }

    pub(super) fn driver_ref(&self) -> &dyn Driver {
        self.0.driver_ref()
    }

    /// Diesel's `MultiConnection` calls this where its feature `r2d2` is on.
    #[doc(hidden)]
    pub fn ping(&mut self) -> QueryResult<()> {
        self.0.batch("SELECT 1")
    }

    /// As [`ping`](Self::ping).
    #[doc(hidden)]
    pub fn is_broken(&mut self) -> bool {
        self.0.is_broken()
    }
}

impl std::fmt::Debug for OtherConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OtherConnection({})", self.0.dialect().name)
    }
}

impl SimpleConnection for OtherConnection {
    fn batch_execute(&mut self, sql: &str) -> QueryResult<()> {
        self.0.batch_execute(sql)
    }
}

impl ConnectionSealed for OtherConnection {}

impl Connection for OtherConnection {
    type Backend = KinBackend;
    type TransactionManager = Transactions;

    /// A backend of another crate is told by the scheme: [`AnyConnection::open`](super::AnyConnection::open).
    fn establish(url: &str) -> ConnectionResult<Self> {
        let url = migrate_core::DatabaseUrl::new(url);
        let backend = url.scheme().and_then(super::registered::by_scheme);
        match backend {
            Some(backend) => backend.open(&url),
            None => Err(ConnectionError::InvalidConnectionUrl(format!(
                "{url}: no backend is registered for it"
            ))),
        }
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Self::Backend> + QueryId,
    {
        let shown = diesel::debug_query::<KinBackend, _>(source).to_string();
        match shown.strip_suffix(" -- binds: []") {
            Some(sql) => self.0.count(sql),
            None => Err(self.needs_its_type()),
        }
    }

    fn transaction_state(&mut self) -> &mut Self {
        self
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.0.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.0.set_instrumentation(Box::new(instrumentation));
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.0.set_cache_size(size);
    }
}

impl OtherConnection {
    fn needs_its_type(&self) -> Error {
        let name = self.0.dialect().name;
        Error::QueryBuilderError(
            format!(
                "an `AnyConnection` to {name}, whose backend is of another crate, runs SQL text without values; \
                 for a query with values or rows take that crate's connection"
            )
            .into(),
        )
    }
}

impl LoadConnection for OtherConnection {
    type Cursor<'conn, 'query> = std::iter::Empty<QueryResult<Self::Row<'conn, 'query>>>;
    type Row<'conn, 'query> = <Kin as LoadConnection>::Row<'conn, 'query>;

    fn load<'conn, 'query, T>(
        &'conn mut self,
        _source: T,
    ) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Self::Backend> + QueryId + 'query,
        Self::Backend: diesel::expression::QueryMetadata<T::SqlType>,
    {
        Err(self.needs_its_type())
    }
}

impl MultiConnectionHelper for OtherConnection {
    fn to_any<'a>(
        lookup: &mut <KinBackend as diesel::sql_types::TypeMetadata>::MetadataLookup,
    ) -> &mut (dyn Any + 'a) {
        Kin::to_any(lookup)
    }

    fn from_any(
        lookup: &mut dyn Any,
    ) -> Option<&mut <KinBackend as diesel::sql_types::TypeMetadata>::MetadataLookup> {
        Kin::from_any(lookup)
    }
}

impl diesel::migration::MigrationConnection for OtherConnection {
    fn setup(&mut self) -> QueryResult<usize> {
        self.0.count(diesel::migration::CREATE_MIGRATIONS_TABLE)
    }
}

/// The transactions of the connection inside.
#[derive(Debug)]
pub struct Transactions;

impl TransactionManager<OtherConnection> for Transactions {
    type TransactionStateData = OtherConnection;

    fn begin_transaction(connection: &mut OtherConnection) -> QueryResult<()> {
        connection.0.begin()
    }

    fn rollback_transaction(connection: &mut OtherConnection) -> QueryResult<()> {
        connection.0.rollback()
    }

    fn commit_transaction(connection: &mut OtherConnection) -> QueryResult<()> {
        connection.0.commit()
    }

    fn transaction_manager_status_mut(
        connection: &mut OtherConnection,
    ) -> &mut TransactionManagerStatus {
        connection.0.status()
    }

    fn is_broken_transaction_manager(connection: &mut OtherConnection) -> bool {
        connection.0.is_broken()
    }
}
