//! [`Carried`]: the migrations and views of one program, and how they come together.

use std::collections::{BTreeSet, HashSet};

use migrate_core::{
    Graph, NodeRef, Ordering,
    report::{Problem, ProblemKind},
};

use crate::{
    directory::Directory,
    error::Error,
    guard::Declared,
    migration::Migration,
    registry::{DIRECTORIES, MIGRATIONS, VIEWS},
    view::View,
};

/// The migrations of one program.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) migrations: Vec<&'static Migration>,
    pub(crate) views: Vec<&'static View>,
    /// In the order in which `main!` names them.
    crates: Vec<String>,
}

/// The migrations and views of one database, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) graph: Graph,
    pub(crate) views: Declared,
}

impl Carried {
    /// Everything that is linked.
    pub(crate) fn linked() -> Self {
        Self {
            migrations: MIGRATIONS.iter().collect(),
            views: VIEWS.iter().collect(),
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

    /// Those of a list, and the views that live since one of them.
    pub(crate) fn listed(nodes: impl IntoIterator<Item = NodeRef>) -> Self {
        let wanted: HashSet<NodeRef> = nodes.into_iter().collect();
        let migrations = MIGRATIONS
            .iter()
            .filter(|it| wanted.contains(&NodeRef::new(&it.descriptor)))
            .collect();
        let views = VIEWS
            .iter()
            .filter(|it| wanted.contains(&it.descriptor.since))
            .collect();
        Self {
            migrations,
            views,
            crates: Vec::new(),
        }
    }

    /// These and no views.
    #[cfg(all(test, feature = "sqlite"))]
    pub(crate) fn of(migrations: Vec<&'static Migration>) -> Self {
        Self {
            migrations,
            views: Vec::new(),
            crates: Vec::new(),
        }
    }

    pub(crate) fn graph(&self, ordering: Ordering) -> Result<Graph, Error> {
        let mut problems = self.missing_crates();
        problems.extend(DIRECTORIES.iter().filter_map(Directory::problem));
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

    /// The graph of one database's migrations, and its views.
    pub(crate) fn resolve(&self, ordering: Ordering, database: &str) -> Result<Resolved, Error> {
        let graph = self.graph(ordering)?;
        let graph = graph.for_database(database);
        let views = Declared::resolve(&self.views, &graph, Some(database)).map_err(Error::Graph)?;
        Ok(Resolved { graph, views })
    }

    /// The graph of everything, and all views.
    pub(crate) fn resolve_all(&self, ordering: Ordering) -> Result<Resolved, Error> {
        let graph = self.graph(ordering)?;
        let views = Declared::resolve(&self.views, &graph, None).map_err(Error::Graph)?;
        Ok(Resolved { graph, views })
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
