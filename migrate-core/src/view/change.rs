//! [`Change`]: what a migration does to views, as far as attributes tell.

use super::Views;
use crate::{
    Graph,
    node::ViewRef,
    report::{Action, PlannedView, ViewAction},
};

/// What a migration does to views, as far as attributes tell. Positions, ascending, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Named in `suspends`.
    pub suspended: Vec<usize>,
    /// Whose lifetime ends.
    pub ends: Vec<usize>,
    /// Whose lifetime begins.
    pub begins: Vec<usize>,
}

impl Change {
    /// What has to be down while the body runs, before what uses it.
    #[must_use]
    pub fn roots(&self) -> Vec<usize> {
        let mut roots = [self.suspended.as_slice(), &self.ends].concat();
        roots.sort_unstable();
        roots.dedup();
        roots
    }
}

impl Views {
    /// What applying (or reverting) the migration at `at` of the graph does to views; `None` for
    /// nothing.
    #[must_use]
    pub fn change(&self, graph: &Graph, at: usize, action: Action) -> Option<Change> {
        if self.is_empty() || action == Action::Enqueue {
            return None;
        }
        let suspends = graph.get(at).map_or(&[][..], |it| it.suspends);
        let (starting, ending) = (self.starting_with(at), self.ending_with(at));
        if suspends.is_empty() && starting.is_empty() && ending.is_empty() {
            return None;
        }
        let mut suspended: Vec<usize> = suspends
            .iter()
            .filter_map(|&view: &ViewRef| self.position(view))
            .collect();
        suspended.sort_unstable();
        suspended.dedup();
        let (ends, begins) = match action {
            Action::Revert => (starting, ending),
            _ => (ending, starting),
        };
        Some(Change {
            suspended,
            ends: ends.to_vec(),
            begins: begins.to_vec(),
        })
    }

    /// A change for a front end: what goes down, leaves first, then what comes up. `is_up` tells
    /// which views are, before it.
    #[must_use]
    pub fn planned(
        &self,
        graph: &Graph,
        at: usize,
        change: &Change,
        is_up: impl Fn(usize) -> bool,
    ) -> Vec<PlannedView> {
        let migration = graph
            .get(at)
            .map_or_else(String::new, |it| it.id.to_string());
        let roots = change.roots();
        let down = self.closure(&roots).into_iter().filter(|&at| is_up(at));
        let mut planned: Vec<PlannedView> = down
            .rev()
            .filter_map(|view| {
                let (action, because) = if change.ends.contains(&view) {
                    let successor = change.begins.iter().filter_map(|&next| self.get(next));
                    let name = self.get(view)?.name;
                    let because = match successor.into_iter().find(|next| next.name == name) {
                        Some(next) => format!("`{}` takes its place", next.id),
                        None => "its lifetime ends".to_owned(),
                    };
                    (ViewAction::Down, because)
                } else if change.suspended.contains(&view) {
                    (ViewAction::Suspend, format!("`{migration}` suspends it"))
                } else {
                    (ViewAction::Suspend, self.because_of(view, &roots))
                };
                self.planned_view(view, action, because)
            })
            .collect();
        planned.extend(change.begins.iter().filter_map(|&view| {
            self.planned_view(view, ViewAction::Up, "its lifetime begins".to_owned())
        }));
        planned
    }

    /// A line of a plan.
    #[must_use]
    pub fn planned_view(
        &self,
        at: usize,
        action: ViewAction,
        because: String,
    ) -> Option<PlannedView> {
        let view = self.get(at)?;
        Some(PlannedView {
            id: view.id.to_string(),
            name: view.name.to_owned(),
            action,
            because,
        })
    }

    /// Why a view that is no root goes down.
    #[must_use]
    pub fn because_of(&self, at: usize, roots: &[usize]) -> String {
        let down = self.closure(roots);
        let used = self
            .uses(at)
            .iter()
            .map(|&used| used as usize)
            .find(|used| down.contains(used))
            .and_then(|used| self.get(used));
        used.map_or_else(
            || "it depends on what goes down".to_owned(),
            |used| format!("it uses `{}`, which goes down", used.id),
        )
    }
}
