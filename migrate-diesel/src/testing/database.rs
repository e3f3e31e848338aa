//! [`TestDatabase`]: a database of one test's own.

use std::{any::TypeId, fmt, sync::Arc};

use migrate_core::{
    DatabaseUrl, NodeRef, State,
    frontend::{DownTarget, Target, UpRequest},
    report::{MigrationStatus, Summary},
};

use super::{
    TestError, Testing,
    place::{Place, Template},
    schema::Schema,
};
use crate::{
    backend::{AnyConnection, Driver as _, MigrationConnection},
    migration::Declared,
    migrator::Migrator,
};

/// A database of one test's own, which goes with it, also when it panics. See the
/// [module](super) for where it is made.
pub struct TestDatabase {
    /// Only absent while it is taken apart.
    open: Option<(Place, AnyConnection)>,
    url: DatabaseUrl,
    migrator: Arc<Migrator>,
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TestDatabase").field(&self.url).finish()
    }
}

impl TestDatabase {
    /// One without anything.
    ///
    /// # Errors
    /// As [`Testing::linked`] and [`Testing::empty`].
    pub fn empty() -> Result<Self, TestError> {
        Testing::linked()?.empty()
    }

    /// One as it is just before `M`: all that stands before it in the order is applied, and so all
    /// that it requires; it is not.
    ///
    /// # Errors
    /// As [`Testing::linked`] and [`Testing::before`].
    pub fn before<M: Declared>() -> Result<Self, TestError> {
        Testing::linked()?.before::<M>()
    }

    /// One with everything applied.
    ///
    /// # Errors
    /// As [`Testing::linked`] and [`Testing::migrated`].
    pub fn migrated() -> Result<Self, TestError> {
        Testing::linked()?.migrated()
    }

    pub(super) fn at(place: Place, migrator: Arc<Migrator>) -> Result<Self, TestError> {
        match place.connect() {
            Ok(connection) => Ok(Self {
                url: place.url(),
                open: Some((place, connection)),
                migrator,
            }),
            Err(error) => {
                remove(&place);
                Err(error)
            }
        }
    }

    /// The connection.
    pub fn connection(&mut self) -> &mut AnyConnection {
        self.parts().1
    }

    /// The connection, by its type: `db.connection_as::<PgConnection>()`.
    ///
    /// # Errors
    /// When the database is another one.
    pub fn connection_as<C: MigrationConnection>(&mut self) -> Result<&mut C, TestError> {
        let connection = self.connection();
        let found = connection.dialect().name;
        connection
            .connection_mut(TypeId::of::<C>())
            .and_then(<dyn std::any::Any>::downcast_mut)
            .ok_or_else(|| TestError::Connection {
                wanted: std::any::type_name::<C>(),
                found,
            })
    }

    /// Where it is, for connections of the test's own. They need not be closed.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The migrator, for everything else that it does: `db.migrator().status(..)`.
    #[must_use]
    pub fn migrator(&self) -> Arc<Migrator> {
        Arc::clone(&self.migrator)
    }

    /// Applies `M` and what it requires.
    ///
    /// # Errors
    /// When it fails, or is not applied afterwards: it was deferred, or a squash ran instead.
    pub fn apply<M: Declared>(&mut self) -> Result<(), TestError> {
        self.apply_node(M::NODE)
    }

    /// Reverts `M` and what is applied and requires it.
    ///
    /// # Errors
    /// When it cannot be reverted.
    pub fn revert<M: Declared>(&mut self) -> Result<(), TestError> {
        self.revert_node(M::NODE)
    }

    /// Applies everything that is pending.
    ///
    /// # Errors
    /// As [`Migrator::up`].
    pub fn up(&mut self) -> Result<Summary, TestError> {
        let (migrator, connection) = self.parts();
        Ok(migrator.up(connection)?)
    }

    /// Where `M` stands.
    ///
    /// # Errors
    /// When the history cannot be read, or `M` is not among its migrations.
    pub fn state<M: Declared>(&mut self) -> Result<State, TestError> {
        Ok(self.status_of(M::NODE)?.state)
    }

    pub(super) fn apply_node(&mut self, node: NodeRef) -> Result<(), TestError> {
        // Tells of what is not carried in our words.
        self.status_of(node)?;
        self.apply_ids(&[node.get().id.to_string()])?;
        let status = self.status_of(node)?;
        if status.state == State::Applied {
            return Ok(());
        }
        Err(not_applied(status))
    }

    pub(super) fn revert_node(&mut self, node: NodeRef) -> Result<(), TestError> {
        let (migrator, connection) = self.parts();
        let target = DownTarget::Id(node.get().id.to_string());
        migrator.down(connection, target)?;
        Ok(())
    }

    /// Applies these, all of them.
    pub(super) fn apply_ids(&mut self, ids: &[String]) -> Result<(), TestError> {
        let (migrator, connection) = self.parts();
        let request = UpRequest {
            target: Target::Ids(ids.to_vec()),
            ..UpRequest::default()
        };
        let summary = migrator.up_with(connection, &request, &mut |_| {})?;
        if summary.deferred == 0 {
            return Ok(());
        }
        let status = migrator.status(connection)?;
        let mut migrations = status.migrations.into_iter();
        match migrations.find(|it| it.state == State::Deferred) {
            Some(deferred) => Err(not_applied(deferred)),
            None => Ok(()),
        }
    }

    pub(super) fn schema(&mut self) -> Result<Schema, TestError> {
        let (migrator, connection) = self.parts();
        Schema::read(connection, &migrator.settings.history_table)
    }

    pub(super) fn into_template(mut self) -> Result<Template, TestError> {
        #[expect(clippy::expect_used, reason = "taken here and in `drop` only")]
        let (place, connection) = self.open.take().expect("the database is open");
        drop(connection);
        place.into_template()
    }

    fn status_of(&mut self, node: NodeRef) -> Result<MigrationStatus, TestError> {
        let id = node.get().id.to_string();
        let (migrator, connection) = self.parts();
        let status = migrator.status(connection)?;
        let mut migrations = status.migrations.into_iter();
        let found = migrations.find(|it| it.id == id);
        found.ok_or(TestError::NotCarried(id))
    }

    fn parts(&mut self) -> (&Migrator, &mut AnyConnection) {
        #[expect(clippy::expect_used, reason = "taken where `self` goes, only")]
        let (_, connection) = self.open.as_mut().expect("the database is open");
        (&self.migrator, connection)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((place, connection)) = self.open.take() {
            drop(connection);
            remove(&place);
        }
    }
}

/// Not a failure of the test: the next process sweeps it away.
fn remove(place: &Place) {
    if let Err(error) = place.remove() {
        tracing::warn!(%error, "a test database stays behind");
    }
}

fn not_applied(status: MigrationStatus) -> TestError {
    TestError::NotApplied {
        id: status.id,
        state: status.state,
        detail: status.detail,
    }
}
