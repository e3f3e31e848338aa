//! [`Session`]: a connection in the hands of a body.

mod suspend;

use std::{
    collections::HashSet,
    fmt,
    ops::{Deref, DerefMut},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use diesel::{
    ConnectionResult, QueryResult,
    connection::{
        CacheSize, Connection, ConnectionSealed, Instrumentation, LoadConnection, SimpleConnection,
        TransactionManager, TransactionManagerStatus,
    },
    expression::QueryMetadata,
    query_builder::{Query, QueryFragment, QueryId},
    result::Error as DieselError,
};
use migrate_core::{Interrupt, MigrationId, report::Event};

use crate::{backend::MigrationConnection, guard::Keeper, history::Store};

/// Used by one thread at a time: the locks are there because a connection has to be `Send`.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a body may ask about its run, and what the runner learns of the body.
pub(crate) struct Context<'x> {
    pub(crate) id: MigrationId,
    pub(crate) store: &'x Store,
    /// What `step` does beside calling its closure.
    pub(crate) steps: Steps,
    /// Steps that an earlier attempt finished.
    pub(crate) finished: Mutex<HashSet<String>>,
    /// Whether this attempt recorded a step.
    pub(crate) recorded: AtomicBool,
    pub(crate) observer: Mutex<&'x mut (dyn FnMut(Event) + Send)>,
    /// What knows the views.
    pub(crate) keeper: Keeper<'x>,
    /// Asks the run to end.
    pub(crate) interrupt: &'x Interrupt,
    /// Whether the body was told so.
    pub(crate) stopped: AtomicBool,
}

impl Context<'_> {
    /// Whether the body may begin something more.
    ///
    /// # Errors
    /// The run was asked to end.
    fn may_begin(&self) -> QueryResult<()> {
        if !self.interrupt.requested() {
            return Ok(());
        }
        self.stopped.store(true, Relaxed);
        Err(DieselError::QueryBuilderError("interrupted".into()))
    }

    /// As [`may_begin`](Self::may_begin), for a statement: only where the rollback undoes those before it.
    fn may_send(&self) -> QueryResult<()> {
        match self.steps {
            Steps::Ignored => self.may_begin(),
            Steps::Recorded | Steps::Committed => Ok(()),
        }
    }
}

/// What `step` does beside calling its closure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steps {
    /// Nothing: the transaction makes the whole body one step.
    Ignored,
    /// Records each when it is finished.
    Recorded,
    /// As `Recorded`, and commits with it what the closure did.
    Committed,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.id)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

/// A connection in the hands of a body: it dereferences to the connection, can be used as one, and
/// knows the migration that is running.
///
/// ```
/// # #[cfg(feature = "sqlite")] mod example {
/// use migrate_diesel::prelude::*;
///
/// #[migration(transaction = none)]
/// pub fn rebuild(db: &mut Session<SqliteConnection>) -> QueryResult<()> {
///     db.step("new table", |db| db.batch_execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY)"))?;
///     db.step("compact", |db| db.batch_execute("VACUUM"))
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Session<'x, C> {
    connection: &'x mut C,
    context: &'x Context<'x>,
}

impl<'x, C: MigrationConnection> Session<'x, C> {
    pub(crate) fn new(connection: &'x mut C, context: &'x Context<'x>) -> Self {
        Self {
            connection,
            context,
        }
    }

    /// The migration that is running.
    #[must_use]
    pub fn migration(&self) -> MigrationId {
        self.context.id
    }

    /// The database: `sqlite`, `postgres` or `mysql`.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.connection.dialect().name
    }

    /// Tells those who watch how far the body is: `done` units, of `total` if that is known.
    pub fn progress(&mut self, done: u64, total: impl Into<Option<u64>>) {
        let event = Event::Progress {
            id: self.context.id.to_string(),
            done,
            total: total.into(),
        };
        (unpoisoned(&self.context.observer))(event);
    }

    /// Runs `body` unless an earlier attempt of this migration finished the step `name`.
    ///
    /// Makes a body resumable that cannot be one transaction: with `transaction = none`, and on
    /// MySQL and MariaDB, where DDL commits by itself. A step that was interrupted is run again as a
    /// whole. In a migration that is one transaction every attempt starts from nothing, so that all
    /// its steps are run.
    ///
    /// Names are unique within the migration and stay the same between attempts.
    ///
    /// # Errors
    /// The body's; the database's, when the step cannot be recorded; before a step, that the run was asked
    /// to end (what is finished is not done again).
    pub fn step<E: From<diesel::result::Error>>(
        &mut self,
        name: &str,
        body: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.context.steps == Steps::Ignored {
            self.context.may_begin()?;
            return body(self);
        }
        if unpoisoned(&self.context.finished).contains(name) {
            tracing::info!(migration = %self.context.id, step = name, "finished by an earlier attempt");
            return Ok(());
        }
        self.context.may_begin()?;
        body(self)?;
        let id = self.context.id.to_string();
        self.connection
            .batch(&self.context.store.record_step(&id, name))?;
        if self.context.steps == Steps::Committed {
            self.connection.batch("COMMIT")?;
        }
        self.context.recorded.store(true, Relaxed);
        unpoisoned(&self.context.finished).insert(name.to_owned());
        Ok(())
    }
}

impl<C> Deref for Session<'_, C> {
    type Target = C;
    fn deref(&self) -> &C {
        self.connection
    }
}

impl<C> DerefMut for Session<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        self.connection
    }
}

// A session is a connection, so that `.execute(db)` and `.load(db)` take it like any other.

impl<C: SimpleConnection> SimpleConnection for Session<'_, C> {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.context.may_send()?;
        self.connection.batch_execute(query)
    }
}

impl<C: ConnectionSealed> ConnectionSealed for Session<'_, C> {}

impl<C: Connection> Connection for Session<'_, C> {
    type Backend = C::Backend;
    type TransactionManager = SessionTransactionManager;

    fn establish(_: &str) -> ConnectionResult<Self> {
        Err(diesel::ConnectionError::BadConnection(
            "a session is made by the runner".to_owned(),
        ))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Self::Backend> + QueryId,
    {
        self.context.may_send()?;
        self.connection.execute_returning_count(source)
    }

    fn transaction_state(
        &mut self,
    ) -> &mut <C::TransactionManager as TransactionManager<C>>::TransactionStateData {
        self.connection.transaction_state()
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.connection.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.connection.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.connection.set_prepared_statement_cache_size(size);
    }
}

impl<B, C: LoadConnection<B>> LoadConnection<B> for Session<'_, C> {
    type Cursor<'conn, 'query>
        = C::Cursor<'conn, 'query>
    where
        Self: 'conn;
    type Row<'conn, 'query>
        = C::Row<'conn, 'query>
    where
        Self: 'conn;

    fn load<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Self::Backend> + QueryId + 'query,
        Self::Backend: QueryMetadata<T::SqlType>,
    {
        self.context.may_send()?;
        self.connection.load(source)
    }
}

/// Hands transactions on to the connection's own manager.
#[derive(Debug)]
pub struct SessionTransactionManager;

impl<C: Connection> TransactionManager<Session<'_, C>> for SessionTransactionManager {
    type TransactionStateData =
        <C::TransactionManager as TransactionManager<C>>::TransactionStateData;

    fn begin_transaction(session: &mut Session<'_, C>) -> QueryResult<()> {
        C::TransactionManager::begin_transaction(session.connection)
    }

    fn rollback_transaction(session: &mut Session<'_, C>) -> QueryResult<()> {
        C::TransactionManager::rollback_transaction(session.connection)
    }

    fn commit_transaction(session: &mut Session<'_, C>) -> QueryResult<()> {
        C::TransactionManager::commit_transaction(session.connection)
    }

    fn transaction_manager_status_mut<'c>(
        session: &'c mut Session<'_, C>,
    ) -> &'c mut TransactionManagerStatus {
        C::TransactionManager::transaction_manager_status_mut(session.connection)
    }
}
