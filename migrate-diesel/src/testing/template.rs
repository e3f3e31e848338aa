//! [`Testing`]: makes databases for tests, migrated to where they are asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use migrate_core::{DatabaseUrl, Descriptor, NodeRef, frontend::MassInUp};

use super::{
    TestDatabase, TestError,
    place::{self, Place, Template},
    server::locked,
};
use crate::{migration::Declared, migrator::Migrator};

/// Makes databases for tests. [`TestDatabase`]'s own functions are those of
/// [`Testing::linked`]; this is for another migrator, another database, another server.
#[derive(Clone, Debug)]
pub struct Testing {
    pub(super) migrator: Arc<Migrator>,
    pub(super) url: Option<DatabaseUrl>,
}

/// What is known of a database that several tests begin with.
#[derive(Debug, Default)]
enum Slot {
    /// Nobody has asked for it.
    #[default]
    New,
    /// One test has, and migrated its own: a template for one would be for nothing.
    Asked,
    /// There is a template.
    Made(Template),
}

static SLOTS: Mutex<Option<HashMap<String, Arc<Mutex<Slot>>>>> = Mutex::new(None);

impl Testing {
    /// With every migration that is linked into the test.
    ///
    /// # Errors
    /// As [`Migrator::linked`]; the configuration is broken.
    pub fn linked() -> Result<Self, TestError> {
        Self::new(Migrator::linked()?)
    }

    /// With the migrations and the settings of this migrator. Mass migrations run in their place, with
    /// the parameters that they have by default.
    ///
    /// # Errors
    /// The migrations do not fit together; the configuration is broken.
    pub fn new(mut migrator: Migrator) -> Result<Self, TestError> {
        migrator.graph()?;
        // Beside a test there are no workers.
        migrator.settings.mass_in_up = MassInUp::Inline;
        let url = place::configured(&migrator.database)?;
        Ok(Self {
            migrator: Arc::new(migrator),
            url,
        })
    }

    /// On the server of this URL, instead of the configured one.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(DatabaseUrl::new(url));
        self
    }

    /// A database without anything.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn empty(&self) -> Result<TestDatabase, TestError> {
        self.open(None)
    }

    /// A database as it is just before `M`: all that stands before it in the order is applied.
    ///
    /// # Errors
    /// When `M` is not among the migrations, or one of them fails; when there is no database.
    pub fn before<M: Declared>(&self) -> Result<TestDatabase, TestError> {
        let at = self.position(M::NODE)?;
        self.migrated_to(self.migrator.graph()?.iter().take(at))
    }

    /// A database with everything applied.
    ///
    /// # Errors
    /// When a migration fails; when there is no database.
    pub fn migrated(&self) -> Result<TestDatabase, TestError> {
        self.migrated_to(self.migrator.graph()?.iter())
    }

    pub(super) fn position(&self, node: NodeRef) -> Result<usize, TestError> {
        let id = node.get().id;
        let at = self.migrator.graph()?.position(id);
        at.ok_or_else(|| TestError::NotCarried(id.to_string()))
    }

    fn open(&self, template: Option<&Template>) -> Result<TestDatabase, TestError> {
        let place = Place::new(self.url.as_ref(), template)?;
        TestDatabase::at(place, Arc::clone(&self.migrator))
    }

    fn migrated_to(
        &self,
        wanted: impl Iterator<Item = &'static Descriptor>,
    ) -> Result<TestDatabase, TestError> {
        let ids: Vec<String> = wanted.map(|it| it.id.to_string()).collect();
        if ids.is_empty() {
            return self.empty();
        }
        if !place::copies(self.url.as_ref()) {
            return self.by_migrating(&ids);
        }
        let slot = self.slot(&ids);
        let mut slot = locked(&slot);
        match &*slot {
            Slot::New => {
                *slot = Slot::Asked;
                drop(slot);
                self.by_migrating(&ids)
            }
            Slot::Asked => {
                // The others wait for it, instead of making it as well.
                let template = self.by_migrating(&ids)?.into_template()?;
                let database = self.open(Some(&template));
                *slot = Slot::Made(template);
                database
            }
            Slot::Made(template) => self.open(Some(template)),
        }
    }

    fn by_migrating(&self, ids: &[String]) -> Result<TestDatabase, TestError> {
        let mut database = self.empty()?;
        database.apply_ids(ids)?;
        Ok(database)
    }

    /// The one of this server, these settings and these migrations.
    fn slot(&self, ids: &[String]) -> Arc<Mutex<Slot>> {
        let Migrator {
            settings, database, ..
        } = &*self.migrator;
        let server = self.url.as_ref().map_or("", |url| url.reveal());
        let key = format!("{server} {database} {settings:?} {}", ids.join(" "));
        let mut slots = locked(&SLOTS);
        Arc::clone(slots.get_or_insert_default().entry(key).or_default())
    }
}
