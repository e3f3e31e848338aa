//! [`Graph`]: the migrations that a program carries, in their order.

use crate::{Descriptor, Location, report::Problem, settings::Ordering};

/// The migrations that a program carries, resolved: every requirement is present, none requires
/// itself in a circle, ids are unique, and there is one order.
#[derive(Debug)]
pub struct Graph {
    nodes: Vec<&'static Descriptor>,
}
/// Why a text names no migration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// No id, former id or name is this.
    #[error("no migration is called `{text}`")]
    Unknown {
        /// What was asked for.
        text: String,
        /// Ids that read alike, best first.
        similar: Vec<String>,
    },
    /// A name in several crates.
    #[error("`{text}` is a migration of several crates")]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// Their ids and places.
        candidates: Vec<(String, Location)>,
    },
}
impl Graph {
    /// Resolves.
    ///
    /// # Errors
    /// All problems at once.
    pub fn resolve(
        _migrations: &[&'static Descriptor],
        _crates: &[&str],
        _ordering: Ordering,
    ) -> Result<Self, Vec<Problem>> {
        Ok(Self { nodes: Vec::new() })
    }
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}
