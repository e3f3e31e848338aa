//! The guards of this process.

use std::{
    collections::{BTreeMap, HashSet},
    panic::{self, AssertUnwindSafe},
    sync::{Arc, LazyLock, PoisonError, RwLock},
    task::{Poll, Waker},
    time::Duration,
};

use migrate_core::{DEFAULT_DATABASE, NodeRef, Standing, State};

use super::{Connect, Missing, NotMigrated, knowledge::Knowledge};
use crate::{
    history::{Sight, Store},
    migration::BoxError,
    migrator::{Migrator, prepare},
};

/// By configured database.
pub(super) static GUARDS: RwLock<BTreeMap<String, Arc<Installed>>> = RwLock::new(BTreeMap::new());

/// What tests say.
pub(super) static ASSUMED: LazyLock<RwLock<HashSet<NodeRef>>> = LazyLock::new(RwLock::default);

/// The guard of one database.
pub(super) struct Installed {
    migrator: Migrator,
    connect: Connect,
    knowledge: Knowledge,
}

impl Installed {
    pub(super) fn new(migrator: Migrator, connect: Connect, remember: Duration) -> Self {
        Self {
            migrator,
            connect,
            knowledge: Knowledge::new(remember),
        }
    }

    pub(super) fn check(&self, node: NodeRef) -> Result<(), Missing> {
        self.knowledge.answer(node, || self.ask())
    }

    pub(super) fn poll(
        this: &Arc<Self>,
        node: NodeRef,
        waker: &Waker,
    ) -> Poll<Result<(), Missing>> {
        this.knowledge.poll(node, waker, || {
            let guard = Arc::clone(this);
            let thread = std::thread::Builder::new().name("migration guard".to_owned());
            let spawned = thread.spawn(move || guard.knowledge.learn(guard.ask(), node));
            if let Err(error) = spawned {
                // Those who wait have to hear of it.
                let _ = this
                    .knowledge
                    .learn(Err(Missing::no_answer(error.into())), node);
            }
        })
    }

    /// What is applied in the database. A panic of the program's `connect` is no answer either: somebody
    /// may be waiting for one.
    fn ask(&self) -> Result<HashSet<NodeRef>, Missing> {
        let asked = panic::catch_unwind(AssertUnwindSafe(|| self.applied()));
        let answer = asked.unwrap_or_else(|_| Err("connecting panicked".into()));
        answer.map_err(|error| {
            tracing::warn!(%error, "could not ask which migrations are applied");
            Missing::no_answer(error)
        })
    }

    fn applied(&self) -> Result<HashSet<NodeRef>, BoxError> {
        let mut driver = (self.connect)()?;
        let graph = self.migrator.graph()?;
        let table = &self.migrator.settings.history_table;
        let store = Store::new(driver.dialect(), table)?;
        prepare(&mut *driver)?;
        let read = store.read(&mut *driver, Sight::Live)?;
        let standing = Standing::new(graph, &read.history);
        let is_applied = |at: usize| standing.state(at) == State::Applied;
        let nodes = graph.iter().enumerate().filter(|&(at, _)| {
            // What is squashed never runs where its squash did.
            is_applied(at) || standing.replaced_by(at).is_some_and(is_applied)
        });
        Ok(nodes
            .map(|(_, descriptor)| NodeRef::new(descriptor))
            .collect())
    }
}

/// The guards that have to say yes to `node`: none where a test said so.
pub(super) fn guards_of(node: NodeRef) -> Result<Vec<Arc<Installed>>, NotMigrated> {
    let assumed = ASSUMED.read().unwrap_or_else(PoisonError::into_inner);
    if assumed.contains(&node) {
        return Ok(Vec::new());
    }
    let guards = GUARDS.read().unwrap_or_else(PoisonError::into_inner);
    let found: Vec<_> = guards
        .iter()
        .filter(|(name, _)| node.get().belongs_to(name))
        .map(|(_, guard)| Arc::clone(guard))
        .collect();
    if found.is_empty() {
        let databases = match node.get().databases {
            [] => &[DEFAULT_DATABASE],
            some => some,
        };
        return Err(missing(node, Missing::NoGuard(databases.join("`, `"))));
    }
    Ok(found)
}

pub(super) fn missing(node: NodeRef, reason: Missing) -> NotMigrated {
    NotMigrated {
        id: node.get().id.to_string(),
        reason,
    }
}
