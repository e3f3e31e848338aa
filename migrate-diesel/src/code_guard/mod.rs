//! Guards in code: [`MigrationGuard`] answers what `#[requires_migration]` asks.

mod error;
mod installed;
mod knowledge;
#[cfg(feature = "tower")]
mod layer;

use std::{
    fmt,
    sync::{Arc, PoisonError},
    task::{Poll, Waker, ready},
    time::Duration,
};

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use migrate_core::DatabaseUrl;
use migrate_core::{DEFAULT_DATABASE, NodeRef};

pub use self::error::{Missing, NotMigrated, OnMissing};
use self::installed::{ASSUMED, GUARDS, Installed};
#[cfg(feature = "tower")]
pub use self::layer::{RequiresMigration, RequiresMigrationLayer, ResponseFuture};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use crate::backend::AnyConnection;
use crate::{
    backend::{Driver, MigrationConnection},
    error::Error,
    migration::{BoxError, Declared},
    migrator::Migrator,
};

/// Opens a connection.
type Connect = Box<dyn Fn() -> Result<Box<dyn Driver>, BoxError> + Send + Sync>;

/// Where functions under [`#[requires_migration]`](crate::requires_migration) ask whether a migration
/// is applied. Installed once, when the program starts:
///
/// ```rust,standalone_crate
/// # #[cfg(feature = "sqlite")] mod example {
/// use migrate_diesel::{MigrationGuard, Migrator, NotMigrated, migrations, prelude::*, requires_migration};
///
/// #[migration]
/// pub fn add_nick(db: &mut SqliteConnection) -> QueryResult<()> {
///     db.batch_execute("CREATE TABLE nicks (nick TEXT)")
/// }
///
/// #[requires_migration(add_nick)]
/// fn nicks() -> Result<usize, NotMigrated> {
///     Ok(3)
/// }
///
/// pub fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let file = tempfile::NamedTempFile::new()?;
///     let url = file.path().display().to_string();
///     MigrationGuard::url(format!("sqlite://{url}")).install()?;
///     assert!(nicks().is_err());
///
///     let mut db = SqliteConnection::establish(&url)?;
///     Migrator::new(migrations![add_nick])?.up(&mut db)?;
///     std::thread::sleep(nicks().unwrap_err().retry_after());
///     assert_eq!(nicks()?, 3);
///     Ok(())
/// }
/// # }
/// # #[cfg(feature = "sqlite")] example::main().unwrap();
/// ```
///
/// While the answer is "no", the database is asked again at most once a second, by one caller, on a connection
/// that is opened for it. After a "yes" it is asked once a minute, for what was reverted since: see
/// [`remember`](Self::remember). An error of the database is a "no" where there was no "yes", and changes
/// nothing where there was.
///
/// A test that has no database says so: [`MigrationGuard::assume_applied`].
pub struct MigrationGuard {
    database: String,
    history_table: Option<String>,
    remember: Duration,
    connect: Connect,
}

impl fmt::Debug for MigrationGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationGuard")
            .field("database", &self.database)
            .field("history_table", &self.history_table)
            .finish_non_exhaustive()
    }
}

impl MigrationGuard {
    /// Asks the database of this URL.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        let url = DatabaseUrl::new(url);
        Self::connecting(move || AnyConnection::open(&url))
    }

    /// Asks on connections of the program's own making; each is used for one question.
    #[must_use]
    pub fn connecting<C, E>(connect: impl Fn() -> Result<C, E> + Send + Sync + 'static) -> Self
    where
        C: MigrationConnection,
        E: Into<BoxError>,
    {
        Self {
            database: DEFAULT_DATABASE.to_owned(),
            history_table: None,
            remember: knowledge::REMEMBER,
            connect: Box::new(move || match connect() {
                Ok(connection) => Ok(Box::new(connection)),
                Err(error) => Err(error.into()),
            }),
        }
    }

    /// For the migrations of the configured database `name`, which is `default` unless said here. Each
    /// has a guard of its own.
    #[must_use]
    pub fn database(mut self, name: impl Into<String>) -> Self {
        self.database = name.into();
        self
    }

    /// With another history table than `migrate_history`.
    #[must_use]
    pub fn history_table(mut self, name: impl Into<String>) -> Self {
        self.history_table = Some(name.into());
        self
    }

    /// For how long a "yes" holds before the database is asked once more, which one caller waits for: a minute
    /// unless said here, a second at least. With [`Duration::MAX`], for the life of the process.
    #[must_use]
    pub fn remember(mut self, time: Duration) -> Self {
        self.remember = time;
        self
    }

    /// From now on, answers are asked here; an earlier guard of the same database is replaced. Does not
    /// connect yet.
    ///
    /// # Errors
    /// As [`Migrator::linked`].
    pub fn install(self) -> Result<(), Error> {
        let mut migrator = Migrator::linked()?.database(self.database.clone());
        if let Some(table) = self.history_table {
            migrator = migrator.history_table(table);
        }
        migrator.graph()?;
        let installed = Arc::new(Installed::new(migrator, self.connect, self.remember));
        let mut guards = GUARDS.write().unwrap_or_else(PoisonError::into_inner);
        guards.insert(self.database, installed);
        Ok(())
    }

    /// These count as applied in this process, whatever a database says: for tests without one.
    ///
    /// ```
    /// # use migrate_diesel::{MigrationGuard, migrations};
    /// # #[cfg(feature = "sqlite")] mod example { use migrate_diesel::prelude::*;
    /// # #[migration] pub fn add_nick(_: &mut SqliteConnection) -> QueryResult<()> { Ok(()) } }
    /// # #[cfg(feature = "sqlite")] use example::add_nick;
    /// # #[cfg(feature = "sqlite")]
    /// MigrationGuard::assume_applied(migrations![add_nick]);
    /// ```
    pub fn assume_applied(nodes: impl IntoIterator<Item = NodeRef>) {
        let mut assumed = ASSUMED.write().unwrap_or_else(PoisonError::into_inner);
        assumed.extend(nodes);
    }

    /// Whether `M` is applied, as `#[requires_migration(M)]` finds it. Blocks while the database is asked.
    ///
    /// # Errors
    /// When it is not, or that cannot be told.
    pub fn check<M: Declared>() -> Result<(), NotMigrated> {
        require(&[M::NODE])
    }

    /// As [`check`](Self::check), for async code: the database is asked on a thread of its own.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub async fn check_async<M: Declared>() -> Result<(), NotMigrated> {
        require_async(&[M::NODE]).await
    }
}

/// What the attribute puts before a body.
#[doc(hidden)]
pub fn require(nodes: &[NodeRef]) -> Result<(), NotMigrated> {
    for &node in nodes {
        for guard in installed::guards_of(node)? {
            guard
                .check(node)
                .map_err(|reason| installed::missing(node, reason))?;
        }
    }
    Ok(())
}

/// What it puts before an async one.
#[doc(hidden)]
pub async fn require_async(nodes: &[NodeRef]) -> Result<(), NotMigrated> {
    std::future::poll_fn(|context| poll_required(nodes, context.waker())).await
}

/// Whether all of `nodes` are applied. `waker` is called when there is an answer that is still missing: then
/// it is to be asked again.
pub(crate) fn poll_required(nodes: &[NodeRef], waker: &Waker) -> Poll<Result<(), NotMigrated>> {
    for &node in nodes {
        for guard in installed::guards_of(node)? {
            let answer = ready!(Installed::poll(&guard, node, waker));
            answer.map_err(|reason| installed::missing(node, reason))?;
        }
    }
    Poll::Ready(Ok(()))
}

/// What it calls under `on_missing = panic`.
#[doc(hidden)]
#[track_caller]
#[cold]
#[expect(clippy::panic, reason = "asked for by `on_missing = panic`")]
pub fn not_migrated(missing: &NotMigrated) -> ! {
    panic!("{}", migrate_core::error_chain(missing).join(": "))
}
