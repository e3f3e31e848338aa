//! [`Views`]: the views that a program carries, in the order in which they come up.

use rustc_hash::FxHashMap;

use super::{ViewDescriptor, resolve};
use crate::{
    Graph,
    graph::Csr,
    node::ViewRef,
    report::{GraphView, Problem},
};

/// The views that a program carries for a [`Graph`], resolved: what they name is there, each lives
/// within the lifetimes of those that it uses, and no two of one name live at once.
///
/// In the order in which they come up: a view after those that it uses. A view is named by its
/// position.
#[derive(Clone, Debug, Default)]
pub struct Views {
    pub(super) views: Vec<&'static ViewDescriptor>,
    /// Positions in the graph.
    pub(super) since: Vec<usize>,
    pub(super) until: Vec<Option<usize>>,
    pub(super) uses: Csr,
    pub(super) used_by: Csr,
    /// By position in the graph.
    pub(super) starting: FxHashMap<usize, Vec<usize>>,
    pub(super) ending: FxHashMap<usize, Vec<usize>>,
}

impl Views {
    /// Resolves the views of a program, as far as they belong to the graph's database.
    ///
    /// A view whose `until` is not in the graph does not end.
    ///
    /// # Errors
    /// All problems at once: a `since` or a used view that is not carried, an `until` that does not
    /// come after its `since`, a view that uses another outside of that one's lifetime, a migration
    /// that suspends a view which is not alive there, views that use each other in a circle, two of
    /// one name that live at once, two of one id.
    pub fn resolve(
        views: &[&'static ViewDescriptor],
        graph: &Graph,
        database: Option<&str>,
    ) -> Result<Self, Vec<Problem>> {
        resolve::resolve(views, graph, database)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// In order.
    pub fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = &'static ViewDescriptor> + ExactSizeIterator + '_ {
        self.views.iter().copied()
    }

    /// The view at a position.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&'static ViewDescriptor> {
        self.views.get(at).copied()
    }

    /// Position of a view.
    #[must_use]
    pub fn position(&self, view: ViewRef) -> Option<usize> {
        self.views.iter().position(|&it| ViewRef::new(it) == view)
    }

    /// Position in the graph of the migration that it comes up with.
    #[must_use]
    pub fn since(&self, at: usize) -> usize {
        self.since.get(at).copied().unwrap_or_default()
    }

    /// Position in the graph of the migration that it goes down with.
    #[must_use]
    pub fn until(&self, at: usize) -> Option<usize> {
        self.until.get(at).copied().flatten()
    }

    /// Positions of the views that it uses, ascending, each once.
    #[must_use]
    pub fn uses(&self, at: usize) -> &[u32] {
        self.uses.row(at)
    }

    /// Positions of the views that use it, ascending, each once.
    #[must_use]
    pub fn used_by(&self, at: usize) -> &[u32] {
        self.used_by.row(at)
    }

    /// Those that come up with the migration at `migration`, in order.
    #[must_use]
    pub fn starting_with(&self, migration: usize) -> &[usize] {
        self.starting.get(&migration).map_or(&[], Vec::as_slice)
    }

    /// Those that go down with the migration at `migration`, in the order in which they came up.
    #[must_use]
    pub fn ending_with(&self, migration: usize) -> &[usize] {
        self.ending.get(&migration).map_or(&[], Vec::as_slice)
    }

    /// Whether it is to be up where `is_applied` tells which migrations of the graph are.
    pub fn is_alive(&self, at: usize, is_applied: impl Fn(usize) -> bool) -> bool {
        is_applied(self.since(at)) && !self.until(at).is_some_and(is_applied)
    }

    /// `roots` and what uses one of them, directly or not, in order, each once. It leads through
    /// views that are not alive: an inactive one in the middle hides nobody.
    #[must_use]
    pub fn closure(&self, roots: &[usize]) -> Vec<usize> {
        let mut marked = vec![false; self.len()];
        for &root in roots {
            if let Some(mark) = marked.get_mut(root) {
                *mark = true;
            }
        }
        // What uses a view comes after it.
        for at in 0..self.len() {
            if !marked.get(at).copied().unwrap_or_default() {
                continue;
            }
            for &user in self.used_by(at) {
                if let Some(mark) = marked.get_mut(user as usize) {
                    *mark = true;
                }
            }
        }
        marked
            .into_iter()
            .enumerate()
            .filter_map(|(at, marked)| marked.then_some(at))
            .collect()
    }

    /// The views for a front end; where they stand is not known here.
    #[must_use]
    pub fn report(&self, graph: &Graph) -> Vec<GraphView> {
        let suspended = |at: usize| {
            let view = self.get(at).map(ViewRef::new);
            graph
                .iter()
                .filter(|it| it.suspends.iter().any(|it| Some(*it) == view))
                .map(|it| it.id.to_string())
                .collect()
        };
        self.iter()
            .enumerate()
            .map(|(at, view)| GraphView {
                id: view.id.to_string(),
                name: view.name.to_owned(),
                description: view.description.to_owned(),
                location: view.location,
                since: view.since.get().id.to_string(),
                until: view.until.map(|until| until.get().id.to_string()),
                uses: view.uses.iter().map(|it| it.get().id.to_string()).collect(),
                suspended_by: suspended(at),
            })
            .collect()
    }
}
