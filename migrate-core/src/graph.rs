//! [`Graph`]: the migrations that a program carries, in their order.

mod csr;
mod lookup;
mod order;
mod rank;
mod repeat;
mod resolve;
mod squash;
mod stamp;

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use crate::{
    DEFAULT_DATABASE, Descriptor, MigrationId,
    report::{GraphNode, GraphReport, Problem},
    settings::Ordering,
};
pub(crate) use csr::{Csr, count};
pub use lookup::LookupError;

/// The migrations that a program carries, resolved: every requirement is present, none requires
/// itself in a circle, ids are unique, and there is one order.
///
/// The order is topological. Among migrations that are ready, those that require something come
/// first (a dependant follows its last requirement at once); then the [`Ordering`] decides. It does
/// not depend on the order in which migrations are handed in, which is the linker's.
///
/// A migration is named by its position in the order. A clone is cheap.
#[derive(Clone)]
pub struct Graph {
    nodes: Arc<Nodes>,
    /// All that the program carries, where this is the part that belongs to one database.
    whole: Option<Arc<Nodes>>,
}

#[derive(Default)]
struct Nodes {
    /// In order.
    descriptors: Vec<&'static Descriptor>,
    requirements: Csr,
    dependants: Csr,
    ids: Ids,
    /// What migrations of one database require of others. Empty where nothing does.
    elsewhere: BTreeMap<u32, Vec<&'static Descriptor>>,
    /// What each squash replaces: positions, ascending. Empty where nothing replaces anything.
    replaced: FxHashMap<u32, Vec<u32>>,
}

/// Live and former ids, as `(package, name)`.
type Ids = FxHashMap<(&'static str, &'static str), Claim>;

/// Whose an id is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    /// Position in the order.
    pub(crate) at: u32,
    /// 0 for the live id, then former ids as they are listed: the lower one's history row counts.
    pub(crate) precedence: u32,
}

impl Graph {
    /// Resolves the migrations of a program. `crates` are the names that `main!` was given, in its
    /// order; crates that are not among them come after, by name.
    ///
    /// # Errors
    /// All problems at once: two migrations with one id (or claiming one former id), a requirement
    /// that is not among `migrations`, migrations that require each other in a circle.
    pub fn resolve(
        migrations: &[&'static Descriptor],
        crates: &[&str],
        ordering: Ordering,
    ) -> Result<Self, Vec<Problem>> {
        Ok(Self {
            nodes: Arc::new(resolve::resolve(migrations, crates, ordering)?),
            whole: None,
        })
    }

    /// How many migrations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.descriptors.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.descriptors.is_empty()
    }

    /// The migrations in order.
    pub fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = &'static Descriptor> + ExactSizeIterator + '_ {
        self.nodes.descriptors.iter().copied()
    }

    /// The migration at a position of the order.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&'static Descriptor> {
        self.nodes.descriptors.get(at).copied()
    }

    /// Positions of what the migration at `at` requires, ascending, each once.
    #[must_use]
    pub fn requirements(&self, at: usize) -> &[u32] {
        self.nodes.requirements.row(at)
    }

    /// Positions of what requires the migration at `at`, ascending, each once.
    #[must_use]
    pub fn dependants(&self, at: usize) -> &[u32] {
        self.nodes.dependants.row(at)
    }

    /// What the migration at `at` requires that belongs to other databases only.
    #[must_use]
    pub fn elsewhere(&self, at: usize) -> &[&'static Descriptor] {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        self.nodes.elsewhere.get(&at).map_or(&[], Vec::as_slice)
    }

    /// Positions of those that require something of other databases, ascending.
    pub(crate) fn requiring_elsewhere(&self) -> impl Iterator<Item = usize> + '_ {
        self.nodes.elsewhere.keys().map(|&at| at as usize)
    }

    /// Positions of what the migration at `at` replaces, ascending, each once.
    #[must_use]
    pub fn replaced(&self, at: usize) -> &[u32] {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        self.nodes.replaced.get(&at).map_or(&[], Vec::as_slice)
    }

    /// Positions of those that replace others, ascending.
    #[must_use]
    pub fn squashes(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.nodes.replaced.keys().map(|&at| at as usize).collect();
        all.sort_unstable();
        all
    }

    /// Position of the migration whose id (not a former one) is `id`.
    #[must_use]
    pub fn position(&self, id: MigrationId) -> Option<usize> {
        self.claim(id.package(), id.name())
            .filter(|claim| claim.precedence == 0)
            .map(|claim| claim.at as usize)
    }

    /// Position of the migration that `text` names: `package:name`, a former id, or a name alone
    /// where only one migration has it.
    ///
    /// # Errors
    /// When none or several are called so, or one that belongs to another database.
    pub fn find(&self, text: &str) -> Result<usize, LookupError> {
        lookup::find(self, text)
    }

    /// Who claims this id, live or former.
    pub(crate) fn claim(&self, package: &str, name: &str) -> Option<Claim> {
        self.nodes.ids.get(&(package, name)).copied()
    }

    /// All that the program carries: more than `self` where that is the part of one database.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self {
            nodes: Arc::clone(self.whole.as_ref().unwrap_or(&self.nodes)),
            whole: None,
        }
    }

    /// Names of the databases that migrations belong to, and [patterns](crate::databases) of such names,
    /// sorted.
    #[must_use]
    pub fn databases(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for descriptor in self.iter() {
            for &name in databases_of(descriptor) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        names
    }

    /// The part that belongs to the database `name`, in the same order: leaving migrations out
    /// that nothing in it requires does not move the others. What its migrations require of other
    /// databases is no part of it: [`elsewhere`](Self::elsewhere) has it.
    #[must_use]
    pub fn for_database(&self, name: &str) -> Self {
        if self.iter().all(|descriptor| descriptor.belongs_to(name)) {
            return self.clone();
        }
        let mut part = Nodes::default();
        // Position in the part by position in the whole.
        let mut moved: Vec<Option<u32>> = Vec::with_capacity(self.len());
        for (at, descriptor) in self.iter().enumerate() {
            if !descriptor.belongs_to(name) {
                moved.push(None);
                continue;
            }
            let here_at = count(part.descriptors.len());
            moved.push(Some(here_at));
            part.descriptors.push(descriptor);
            let required = self.requirements(at).iter();
            let positions = required.map(|&required| {
                let position = moved.get(required as usize).copied().flatten();
                (required as usize, position)
            });
            let (here, elsewhere): (Vec<_>, Vec<_>) =
                positions.partition(|(_, position)| position.is_some());
            part.requirements
                .push(here.into_iter().filter_map(|(_, position)| position));
            let elsewhere: Vec<_> = elsewhere
                .into_iter()
                .filter_map(|(at, _)| self.get(at))
                .collect();
            if !elsewhere.is_empty() {
                part.elsewhere.insert(here_at, elsewhere);
            }
        }
        part.dependants = part.requirements.transpose();
        part.replaced = self
            .nodes
            .replaced
            .iter()
            .filter_map(|(&at, replaced)| {
                let there = |at: u32| moved.get(at as usize).copied().flatten();
                let replaced = replaced.iter().filter_map(|&at| there(at)).collect();
                Some((there(at)?, replaced))
            })
            .collect();
        part.ids = self
            .nodes
            .ids
            .iter()
            .filter_map(|(&id, &claim)| {
                let at = moved.get(claim.at as usize).copied().flatten()?;
                Some((id, Claim { at, ..claim }))
            })
            .collect();
        Self {
            nodes: Arc::new(part),
            whole: Some(Arc::clone(self.whole.as_ref().unwrap_or(&self.nodes))),
        }
    }

    /// The graph for a front end; states are not known here.
    #[must_use]
    pub fn report(&self) -> GraphReport {
        let ids: Vec<String> = self.iter().map(|it| it.id.to_string()).collect();
        let id_of = |at: usize| ids.get(at).cloned().unwrap_or_default();
        let mut report = GraphReport::default();
        for (at, descriptor) in self.iter().enumerate() {
            report.nodes.push(GraphNode {
                id: id_of(at),
                description: descriptor.description.to_owned(),
                location: descriptor.location,
                databases: databases_of(descriptor)
                    .iter()
                    .map(|&name| name.to_owned())
                    .collect(),
                scale: descriptor.scale,
                state: None,
            });
            let required = self.requirements(at).iter();
            report
                .edges
                .extend(required.map(|&required| (id_of(at), id_of(required as usize))));
        }
        report
    }
}

impl std::fmt::Debug for Graph {
    /// The ids in order.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.iter().map(|it| it.id.to_string());
        f.debug_list().entries(ids).finish()
    }
}

/// The databases that a migration belongs to, the default one spelt out.
pub(crate) fn databases_of(descriptor: &Descriptor) -> &'static [&'static str] {
    if descriptor.databases.is_empty() {
        &[DEFAULT_DATABASE]
    } else {
        descriptor.databases
    }
}
