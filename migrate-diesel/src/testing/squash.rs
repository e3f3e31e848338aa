//! What the assertions are about: `down` and squashes lead to the schema that they promise.

use std::{collections::BTreeSet, sync::Arc};

use migrate_core::{Graph, NodeRef, Repeat, Reversal};

use super::{TestDatabase, TestError, Testing, schema::Schema};
use crate::{migration::Declared, migrator::Migrator};

impl Testing {
    /// What [`assert_reversible`](super::assert_reversible) asserts.
    ///
    /// # Errors
    /// When it does not hold, or cannot be tried.
    pub fn reversible<M: Declared>(&self) -> Result<(), TestError> {
        there_and_back(&mut self.before::<M>()?, M::NODE)
    }

    /// What [`assert_all_reversible`](super::assert_all_reversible) asserts.
    ///
    /// # Errors
    /// As [`reversible`](Self::reversible).
    pub fn all_reversible(&self) -> Result<(), TestError> {
        let mut database = self.empty()?;
        let graph = self.migrator.graph()?;
        for (at, descriptor) in graph.iter().enumerate() {
            let node = NodeRef::new(descriptor);
            if descriptor.repeat != Repeat::Never || is_replaced(graph, at) {
                continue;
            }
            if matches!(descriptor.reversal, Reversal::Down) {
                there_and_back(&mut database, node)?;
            } else {
                database.apply_node(node)?;
            }
        }
        Ok(())
    }

    /// What [`assert_squash`](super::assert_squash) asserts.
    ///
    /// # Errors
    /// As [`reversible`](Self::reversible).
    pub fn squash<M: Declared>(&self) -> Result<(), TestError> {
        let graph = self.migrator.graph()?;
        let at = self.position(M::NODE)?;
        let mut both = BTreeSet::from([at]);
        both.extend(graph.replaced(at).iter().map(|&it| it as usize));
        // Backwards: requirements come earlier in the order.
        for at in (0..graph.len()).rev() {
            if both.contains(&at) {
                both.extend(graph.requirements(at).iter().map(|&it| it as usize));
            }
        }
        let made_by = |positions: &BTreeSet<usize>| -> Result<Schema, TestError> {
            let nodes = positions
                .iter()
                .filter_map(|&at| graph.get(at))
                .map(NodeRef::new);
            let mut migrator = Migrator::new(nodes)?
                .with_views([])?
                .database(self.migrator.database.clone());
            migrator.settings = self.migrator.settings.clone();
            let testing = Self {
                migrator: Arc::new(migrator),
                url: self.url.clone(),
            };
            let mut database = testing.empty()?;
            database.up()?;
            database.schema()
        };
        let squashed = made_by(&both)?;
        both.remove(&at);
        let differences = made_by(&both)?.differences(&squashed);
        if differences.is_empty() {
            return Ok(());
        }
        let id = M::NODE.get().id.to_string();
        Err(TestError::SquashDiffers { id, differences })
    }
}

fn is_replaced(graph: &Graph, at: usize) -> bool {
    let mut squashes = graph.squashes().into_iter();
    squashes.any(|squash| graph.replaced(squash).iter().any(|&it| it as usize == at))
}

/// Applies, reverts and applies again, and leaves it applied.
fn there_and_back(database: &mut TestDatabase, node: NodeRef) -> Result<(), TestError> {
    let same = |one: &Schema, two: &Schema, when| {
        let differences = one.differences(two);
        if differences.is_empty() {
            return Ok(());
        }
        let id = node.get().id.to_string();
        Err(TestError::NotReversible {
            id,
            when,
            differences,
        })
    };
    let before = database.schema()?;
    database.apply_node(node)?;
    let after = database.schema()?;
    database.revert_node(node)?;
    same(&before, &database.schema()?, "`up` and `down`")?;
    database.apply_node(node)?;
    same(
        &after,
        &database.schema()?,
        "`up`, `down` and a second `up`",
    )
}
