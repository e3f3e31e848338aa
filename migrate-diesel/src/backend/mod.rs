#![doc = include_str!("../docs/backends.md")]

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod any;
mod dialect;
mod limited;
mod lock_key;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod other;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod prepared;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(crate) mod registered;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statements;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub(crate) mod view_text;
mod views;

use std::{
    any::{Any, TypeId},
    sync::{Arc, atomic::AtomicBool},
};
#[cfg(feature = "sqlite")]
use std::{fs::File, path::PathBuf};

use diesel::{ConnectionResult, QueryResult, QueryableByName, sql_types};
use migrate_core::{Limits, report::LockHolder, unlock::LockSession};

use crate::error::Error;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use any::AnyConnection;
pub use dialect::{Dialect, ImplicitCommit, RowValues};
pub(crate) use limited::{configure, take_back};
pub use lock_key::LockKey;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use other::OtherConnection;
#[cfg(feature = "postgres")]
pub use postgres::PostgresConnection;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
pub(crate) use prepared::Prepared;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use registered::Backend;
pub use statements::{Asking, Heard, Origin, Sent, StatementLog};
pub(crate) use statements::{Endings, Only};
pub use views::{
    Aspect, Dependence, Object, ObjectKind, Property, ReadersError, Snapshot, ViewCatalog,
};

/// A connection that migrations can run on.
///
/// Implemented for Diesel's three connections and for [`AnyConnection`]; open to others, by way of
/// [`Driver`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connection that migrations know",
    label = "not a migration connection",
    note = "use `SqliteConnection`, `PgConnection`, `MysqlConnection` or `AnyConnection`",
    note = "`PgConnection` and `MysqlConnection` need the features `postgres` and `mysql` of migrate-diesel"
)]
pub trait MigrationConnection: Driver + diesel::Connection + Sized + 'static {
    /// Databases that it can talk to: `sqlite`, `postgres`, `mysql`.
    const BACKENDS: &'static [&'static str];
}

/// What the runner asks of a connection.
pub trait Driver {
    /// The words of this database.
    fn dialect(&self) -> &'static Dialect;

    /// Runs statements, in one round trip where the protocol can.
    ///
    /// # Errors
    /// The first statement's that failed; what follows it was not run.
    fn batch(&mut self, sql: &str) -> QueryResult<()>;

    /// Runs one statement and tells how many rows it touched.
    ///
    /// # Errors
    /// The statement's.
    fn count(&mut self, sql: &str) -> QueryResult<usize>;

    /// Rows of one statement that selects six columns `c0` to `c5`, as text.
    ///
    /// # Errors
    /// The statement's.
    fn rows(&mut self, sql: &str) -> QueryResult<Vec<TextRow>>;

    /// As [`rows`](Self::rows), of a statement that comes again and again: prepared once, with `numbers` in place of
    /// the zero characters in it. `None` where that wins nothing: then it is written out and goes to `rows`.
    fn rows_prepared(&mut self, _sql: &str, _numbers: &[i64]) -> Option<QueryResult<Vec<TextRow>>> {
        None
    }

    /// How deep Diesel believes to be in transactions; `None` for not at all.
    ///
    /// # Errors
    /// When Diesel believes the connection to be broken.
    fn depth(&mut self) -> QueryResult<Option<u32>>;

    /// Whether the transaction can only be rolled back any more, because a statement in it failed.
    fn aborted(&mut self) -> bool;

    /// Tells Diesel in how many transactions it is, after SQL of ours began or ended one.
    fn set_depth(&mut self, depth: u32);

    /// Watches statements while the flag is false, and makes it true when one may have changed the session:
    /// cheaper than asking after each body. Takes the place of the connection's instrumentation,
    /// so only for a connection of our own; [`listen`](Self::listen)`(None)` ends it.
    fn watch(&mut self) -> Option<Arc<AtomicBool>> {
        None
    }

    /// Puts every statement into `log` from now on, with its time; with `None`, no longer. A driver of
    /// your own calls [`Heard::start`] before it sends one, and [`Heard::finish`] with the answer.
    fn listen(&mut self, log: Option<StatementLog>);

    /// How many rows this transaction has inserted, updated and deleted, where the database tells. Only
    /// differences count.
    ///
    /// # Errors
    /// When it could tell, but does not.
    fn rows_changed(&mut self) -> QueryResult<Option<u64>> {
        Ok(None)
    }

    /// The connection that a body asks for, if it is this one or inside it.
    fn connection_mut(&mut self, wanted: TypeId) -> Option<&mut dyn Any>;

    /// The names of a table's columns, sorted; empty when there is no such table. `table` as configured,
    /// perhaps with a schema.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    fn columns(&mut self, table: &str) -> QueryResult<Vec<String>>;

    /// Tries once to take the deploy lock, without waiting.
    ///
    /// # Errors
    /// When the database cannot say.
    fn try_lock(&mut self, key: &LockKey) -> QueryResult<Locked>;

    /// Who holds the deploy lock now; `None` for nobody.
    ///
    /// # Errors
    /// When the database cannot say.
    fn lock_holder(&mut self, key: &LockKey) -> QueryResult<Option<LockHolder>>;

    /// The session that holds it, for who wants to end it. Without a word of yours, the holder, and nothing
    /// that could be ended.
    ///
    /// # Errors
    /// When the database cannot say.
    fn lock_session(&mut self, key: &LockKey) -> QueryResult<Option<LockSession>> {
        let holder = self.lock_holder(key)?;
        Ok(holder.map(|holder| LockSession {
            holder,
            ..LockSession::default()
        }))
    }

    /// Ends this session, if it still holds the lock. Never called for one without a
    /// [name](LockSession::session).
    ///
    /// # Errors
    /// When we are not allowed to.
    fn end_session(&mut self, _key: &LockKey, _session: &str) -> QueryResult<()> {
        Ok(())
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// When the connection is gone (the lock is, then, too).
    fn unlock(&mut self, key: &LockKey, held: Held) -> QueryResult<()>;

    /// Readies a connection for its first question.
    ///
    /// # Errors
    /// The statement's.
    fn prepare(&mut self) -> QueryResult<()> {
        Ok(())
    }

    /// Replaces the connection by a new one to `url`, where a session can be brought back only so.
    /// `false` where that is not needed.
    ///
    /// # Errors
    /// When the new connection cannot be made; the old one stays.
    fn reopen(&mut self, _url: &str) -> ConnectionResult<bool> {
        Ok(false)
    }

    /// Remembers the state of the session, to which [`isolation_sql`](Self::isolation_sql) and
    /// [`isolate`](Self::isolate) go back between bodies. Called once, with the lock held.
    ///
    /// # Errors
    /// When it cannot be read.
    fn remember_session(&mut self, key: &LockKey) -> QueryResult<SessionState>;

    /// Statements that bring the session back, to travel before the next body's first statement;
    /// empty when [`isolate`](Self::isolate) has to do it.
    fn isolation_sql(&self, _state: &SessionState) -> String {
        String::new()
    }

    /// Has names without a schema looked up along `path` from now on. Returns what takes that back.
    ///
    /// # Errors
    /// It has no such thing, or refuses.
    fn search_in(&mut self, _path: &str) -> Result<Vec<String>, Error> {
        Err(limited::unsupported(
            self.dialect(),
            "search_path",
            "leave it out",
        ))
    }

    /// Limits the statements of this session from now on; what is absent stays as it is. Returns what takes
    /// that back.
    ///
    /// # Errors
    /// It has no such thing, or refuses.
    fn limit(&mut self, _limits: Limits) -> Result<Vec<String>, Error> {
        Err(limited::unsupported(
            self.dialect(),
            "statement_timeout` or `lock_timeout",
            "leave them out",
        ))
    }

    /// Why this database cannot limit in this way, if so; asked before anything is run.
    fn cannot_limit(&mut self, _limits: Limits) -> Option<String> {
        None
    }

    /// In words, other sessions that hold locks in this database: any of them may be the one that a
    /// statement waited for.
    ///
    /// # Errors
    /// When the database cannot say.
    fn lock_holders(&mut self) -> QueryResult<Vec<String>> {
        Ok(Vec::new())
    }

    /// What the server calls this session, where it has been replaced since it was
    /// [remembered](Self::remember_session).
    ///
    /// # Errors
    /// When it cannot be asked.
    fn session_id(&mut self) -> QueryResult<Option<String>> {
        Ok(None)
    }

    /// How another session stops the statement that this one is at; `None` where none can.
    fn cancelling(&self, _state: &SessionState) -> Option<Cancelling> {
        None
    }

    /// Brings the session back where that takes questions.
    ///
    /// # Errors
    /// The statements'.
    fn isolate(&mut self, _state: &SessionState) -> QueryResult<()> {
        Ok(())
    }

    /// Its views; `None` for a database without.
    fn views(&mut self) -> Option<&mut dyn ViewCatalog> {
        None
    }

    /// A condition that is true while no body has left anything behind in the session; used where
    /// a check inside the claim is cheaper than bringing the session back every time.
    fn clean_condition(&self, _state: &SessionState) -> Option<String> {
        None
    }
}

/// How an attempt to take the lock ended.
#[derive(Debug)]
pub enum Locked {
    /// We have it.
    Yes(Held),
    /// Somebody else has it.
    No,
}

/// The deploy lock, held.
#[derive(Debug, Default)]
pub struct Held {
    /// The locked file, where the lock is one.
    #[cfg(feature = "sqlite")]
    pub(crate) file: Option<(File, PathBuf)>,
    /// What another crate's driver keeps meanwhile.
    kept: Option<Box<dyn Any + Send>>,
}

impl Held {
    /// Keeps something until the lock is given back, or the run is gone: an open file, a second connection.
    #[must_use]
    pub fn keeping(kept: impl Any + Send) -> Self {
        Self {
            kept: Some(Box::new(kept)),
            ..Self::default()
        }
    }

    /// What was [kept](Self::keeping), for [`Driver::unlock`].
    #[must_use]
    pub fn into_kept<T: Any>(self) -> Option<T> {
        let kept = self.kept?.downcast().ok()?;
        Some(*kept)
    }
}

/// How another session stops the statement that one is at. Without a statement it does nothing.
#[derive(Clone, Debug)]
pub struct Cancelling {
    /// Connects to a URL.
    pub connect: fn(&str) -> ConnectionResult<Box<dyn Driver>>,
    /// Does it, in that session.
    pub sql: String,
}

/// What [`Driver::remember_session`] found, in the backend's own words.
#[derive(Clone, Debug, Default)]
pub struct SessionState {
    /// What the server calls the session.
    pub id: Option<String>,
    /// SQL that restores it.
    pub restore: String,
    /// Takes back the names that we gave the session, where no body has run in it.
    pub restore_names: String,
    /// As `restore` and `restore_names`, for the end of a run.
    pub restore_finally: String,
    /// Names and values, where they have to be compared.
    pub variables: Vec<(String, String)>,
}

/// In a statement that is [prepared](Driver::rows_prepared), where a number goes: no name and no literal has it.
pub(crate) const HOLE: char = '\0';

/// A row of six texts.
#[derive(Clone, Debug, Default, QueryableByName)]
pub struct TextRow {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) c0: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) c1: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) c2: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) c3: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) c4: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) c5: Option<String>,
}

impl TextRow {
    /// A row, for drivers that do not read through Diesel.
    #[must_use]
    pub fn new(columns: [Option<String>; 6]) -> Self {
        let [c0, c1, c2, c3, c4, c5] = columns;
        Self {
            c0,
            c1,
            c2,
            c3,
            c4,
            c5,
        }
    }

    /// Its columns, `c0` to `c5`.
    #[must_use]
    pub fn into_columns(self) -> [Option<String>; 6] {
        [self.c0, self.c1, self.c2, self.c3, self.c4, self.c5]
    }
}

/// The part of [`Driver`](crate::backend::Driver) that is the same for every Diesel connection: `batch`, `count`,
/// `rows`, `depth`, `aborted`, `set_depth`, `listen` and `connection_mut`. Stands in the `impl` of it.
///
/// `rows` reads a [`TextRow`](crate::backend::TextRow), so the connection's Diesel backend has to know `Text`.
#[macro_export]
#[doc(hidden)]
macro_rules! diesel_plumbing {
    () => {
        fn batch(&mut self, sql: &str) -> ::diesel::QueryResult<()> {
            ::diesel::connection::SimpleConnection::batch_execute(self, sql)
        }

        fn count(&mut self, sql: &str) -> ::diesel::QueryResult<usize> {
            ::diesel::RunQueryDsl::execute(::diesel::sql_query(sql), self)
        }

        fn rows(&mut self, sql: &str) -> ::diesel::QueryResult<Vec<$crate::backend::TextRow>> {
            let _asking = $crate::backend::Asking::begin();
            ::diesel::RunQueryDsl::load(::diesel::sql_query(sql), self)
        }

        fn depth(&mut self) -> ::diesel::QueryResult<Option<u32>> {
            use ::diesel::connection::{Connection, TransactionManager};
            <Self as Connection>::TransactionManager::transaction_manager_status_mut(self)
                .transaction_depth()
                .map(|depth| depth.map(std::num::NonZeroU32::get))
        }

        fn aborted(&mut self) -> bool {
            use ::diesel::connection::{
                Connection, InTransactionStatus, TransactionManager, TransactionManagerStatus,
                ValidTransactionManagerStatus,
            };
            matches!(
                <Self as Connection>::TransactionManager::transaction_manager_status_mut(self),
                TransactionManagerStatus::Valid(ValidTransactionManagerStatus {
                    in_transaction: Some(InTransactionStatus {
                        requires_rollback_maybe_up_to_top_level: true,
                        ..
                    }),
                    ..
                })
            )
        }

        fn set_depth(&mut self, depth: u32) {
            use ::diesel::connection::{
                Connection, TransactionDepthChange::IncreaseDepth, TransactionManager,
                TransactionManagerStatus, ValidTransactionManagerStatus,
            };
            let mut valid = ValidTransactionManagerStatus::default();
            for _ in 0..depth {
                // Increasing cannot fail; only leaving a transaction that there is not can.
                if valid.change_transaction_depth(IncreaseDepth).is_err() {
                    break;
                }
            }
            *<Self as Connection>::TransactionManager::transaction_manager_status_mut(self) =
                TransactionManagerStatus::Valid(valid);
        }

        fn listen(&mut self, log: Option<$crate::backend::StatementLog>) {
            use ::diesel::connection::{
                Connection, InstrumentationEvent, get_default_instrumentation,
            };
            match log {
                Some(log) => {
                    Connection::set_instrumentation(
                        self,
                        move |event: InstrumentationEvent<'_>| {
                            let mut log = log
                                .lock()
                                .unwrap_or_else(std::sync::PoisonError::into_inner);
                            match event {
                                InstrumentationEvent::StartQuery { query, .. } => {
                                    log.start(query.to_string());
                                }
                                InstrumentationEvent::FinishQuery { .. } => log.finish(),
                                _ => {}
                            }
                        },
                    );
                }
                None => Connection::set_instrumentation(self, get_default_instrumentation()),
            }
        }

        fn connection_mut(&mut self, wanted: std::any::TypeId) -> Option<&mut dyn std::any::Any> {
            (wanted == std::any::TypeId::of::<Self>()).then_some(self as &mut dyn std::any::Any)
        }
    };
}
#[doc(inline)]
pub use diesel_plumbing;
