//! [`Carried`]: the migrations of one program, and how they come together.

use std::collections::{BTreeSet, HashSet};

use migrate_core::{
    Graph, NodeRef, Ordering,
    report::{Problem, ProblemKind},
};

use crate::{error::Error, migration::Migration, registry::MIGRATIONS};

/// The migrations of one program.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) migrations: Vec<&'static Migration>,
    /// In the order in which `main!` names them.
    crates: Vec<String>,
}

impl Carried {
    /// Everything that is linked.
    pub(crate) fn linked() -> Self {
        Self {
            migrations: MIGRATIONS.iter().collect(),
            crates: Vec::new(),
        }
    }

    /// Everything that is linked; every one of `crates` has to have a part in it.
    pub(crate) fn by_crates(crates: &[&str]) -> Self {
        Self {
            crates: crates.iter().map(|name| name.replace('-', "_")).collect(),
            ..Self::linked()
        }
    }

    /// Those of a list.
    pub(crate) fn listed(nodes: impl IntoIterator<Item = NodeRef>) -> Self {
        let wanted: HashSet<NodeRef> = nodes.into_iter().collect();
        let migrations = MIGRATIONS
            .iter()
            .filter(|it| wanted.contains(&NodeRef::new(&it.descriptor)))
            .collect();
        Self {
            migrations,
            crates: Vec::new(),
        }
    }

    pub(crate) fn graph(&self, ordering: Ordering) -> Result<Graph, Error> {
        let problems = self.missing_crates();
        if !problems.is_empty() {
            return Err(Error::Graph(problems));
        }
        let descriptors: Vec<_> = self
            .migrations
            .iter()
            .map(|migration| &migration.descriptor)
            .collect();
        let crates: Vec<&str> = self.crates.iter().map(String::as_str).collect();
        Graph::resolve(&descriptors, &crates, ordering).map_err(Error::Graph)
    }

    fn missing_crates(&self) -> Vec<Problem> {
        if self.migrations.is_empty() {
            let message = match self.crates.as_slice() {
                [] => "this program carries no migration".to_owned(),
                crates => format!(
                    "this program carries no migration: there is none in `{}`",
                    crates.join("`, `")
                ),
            };
            return vec![Problem::new(
                ProblemKind::NothingCarried,
                self.crates.join(", "),
                message,
            )];
        }
        let has = |name: &str| {
            self.migrations
                .iter()
                .any(|it| it.descriptor.id.package() == name)
        };
        let silent: Vec<&String> = self.crates.iter().filter(|name| !has(name)).collect();
        if silent.is_empty() || silent.len() <= self.unnamed_packages() {
            // A dependency that was renamed (`db = { package = "shop" }`) has its own name in ids.
            return Vec::new();
        }
        silent
            .into_iter()
            .map(|name| {
                let message =
                    format!("`{name}` is named in `main!(..)`, but no migration of it is linked");
                Problem::new(ProblemKind::NothingCarried, name.clone(), message)
            })
            .collect()
    }
    /// How many crates contribute without being named.
    fn unnamed_packages(&self) -> usize {
        let packages: BTreeSet<&str> = self
            .migrations
            .iter()
            .map(|it| it.descriptor.id.package())
            .collect();
        let named = |name: &str| self.crates.iter().any(|it| it == name);
        packages.into_iter().filter(|name| !named(name)).count()
    }
}
