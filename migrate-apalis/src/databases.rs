//! [`Databases`]: what a program works on, by name.

use std::{collections::BTreeMap, fmt, marker::PhantomData, sync::Arc};

use apalis_core::error::BoxDynError;
use diesel::ConnectionResult;
use migrate_diesel::{
    MigrationConnection, Migrator,
    core::Interrupt,
    mass::{MassDetail, MassStatus, ShardEnd, StartRequest, WorkRequest},
};

use crate::error::Error;

/// The databases whose mass migrations a program works on, by name. A clone is the same.
///
/// ```no_run
/// use diesel::Connection as _;
/// use migrate_apalis::Databases;
/// use migrate_diesel::{Migrator, prelude::*};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = std::env::var("DATABASE_URL")?;
/// let databases = Databases::new().with("default", Migrator::linked()?, move || {
///     PgConnection::establish(&url)
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Databases {
    by_name: Arc<BTreeMap<String, Arc<dyn Site>>>,
}

impl Databases {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more, or another one of this name. `connect` is called for every worker, and once more for its
    /// heartbeat. The name is what hints carry: the same in every program that shares a queue.
    #[must_use]
    pub fn with<C, F>(self, name: impl Into<String>, migrator: Migrator, connect: F) -> Self
    where
        C: MigrationConnection + Send,
        F: Fn() -> ConnectionResult<C> + Send + Sync + 'static,
    {
        let mut by_name = BTreeMap::clone(&self.by_name);
        let of = Of {
            migrator,
            connect,
            connection: PhantomData,
        };
        by_name.insert(name.into(), Arc::new(of));
        Self {
            by_name: Arc::new(by_name),
        }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }

    /// Does something with one of them, on a thread that may block: a runtime whose threads do is one whose
    /// heartbeats do not come.
    pub(crate) async fn on<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&dyn Site) -> Result<T, BoxDynError> + Send + 'static,
    ) -> Result<T, Error> {
        let site = self.by_name.get(name).cloned();
        let site = site.ok_or_else(|| Error::UnknownDatabase {
            name: name.to_owned(),
        })?;
        let done = tokio::task::spawn_blocking(move || work(&*site)).await;
        done.map_err(Error::Thread)?
            .map_err(|source| Error::Database {
                name: name.to_owned(),
                source,
            })
    }
}

impl fmt::Debug for Databases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

/// A database without the type of its connection.
pub(crate) trait Site: Send + Sync {
    fn list(&self) -> Result<Vec<MassStatus>, BoxDynError>;

    fn detail(&self, id: &str) -> Result<MassDetail, BoxDynError>;

    fn start(&self, request: &StartRequest) -> Result<MassStatus, BoxDynError>;

    fn work(
        &self,
        shard: (i64, u32),
        request: &WorkRequest,
        interrupt: &Interrupt,
    ) -> Result<ShardEnd, BoxDynError>;
}

struct Of<C, F> {
    migrator: Migrator,
    connect: F,
    connection: PhantomData<fn() -> C>,
}

impl<C, F> Site for Of<C, F>
where
    C: MigrationConnection + Send,
    F: Fn() -> ConnectionResult<C> + Send + Sync,
{
    fn list(&self) -> Result<Vec<MassStatus>, BoxDynError> {
        Ok(self.migrator.mass_list(&mut (self.connect)()?)?)
    }

    fn detail(&self, id: &str) -> Result<MassDetail, BoxDynError> {
        Ok(self.migrator.mass_status(&mut (self.connect)()?, id)?)
    }

    fn start(&self, request: &StartRequest) -> Result<MassStatus, BoxDynError> {
        Ok(self.migrator.mass_start(&mut (self.connect)()?, request)?)
    }

    fn work(
        &self,
        shard: (i64, u32),
        request: &WorkRequest,
        interrupt: &Interrupt,
    ) -> Result<ShardEnd, BoxDynError> {
        let Self {
            migrator, connect, ..
        } = self;
        Ok(migrator.mass_work_shard(connect, shard, request, interrupt, &mut |_| {})?)
    }
}
