//! [`Order`]: which database comes before which, because migrations require some of other databases.

use std::collections::HashMap;

use super::matches;
use crate::report::{GraphNode, GraphReport};

/// Of several databases, which come before which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// By position of a database: positions of those of which it requires something, ascending.
    needs: Vec<Vec<usize>>,
}

impl Order {
    /// Of these databases, as far as migrations of one require some of another.
    #[must_use]
    pub fn new(graph: &GraphReport, names: &[&str]) -> Self {
        let nodes: HashMap<&str, &GraphNode> =
            graph.nodes.iter().map(|it| (it.id.as_str(), it)).collect();
        let mut needs = vec![Vec::new(); names.len()];
        for (from, to) in &graph.edges {
            let (Some(from), Some(to)) = (nodes.get(from.as_str()), nodes.get(to.as_str())) else {
                continue;
            };
            // Nearly always.
            if from.databases == to.databases {
                continue;
            }
            for (name, needed) in names.iter().zip(&mut needs) {
                if belongs(from, name) && !belongs(to, name) {
                    let others = names.iter().enumerate();
                    needed.extend(others.filter(|(_, it)| belongs(to, it)).map(|(at, _)| at));
                }
            }
        }
        for needed in &mut needs {
            needed.sort_unstable();
            needed.dedup();
        }
        Self { needs }
    }

    /// Which of `waiting` (positions) may begin while `unfinished` are not at their end: the first of
    /// which nothing unfinished is needed.
    #[must_use]
    pub fn ready(&self, waiting: &[usize], unfinished: &[usize]) -> Option<usize> {
        let is_free = |at: &usize| {
            let needs = self.needs.get(*at).map_or(&[][..], Vec::as_slice);
            !needs.iter().any(|it| it != at && unfinished.contains(it))
        };
        waiting.iter().copied().find(|at| is_free(at))
    }

    /// All positions, what is needed first. Those that need each other in a circle stand as they are.
    #[must_use]
    pub fn sorted(&self) -> Vec<usize> {
        let mut left: Vec<usize> = (0..self.needs.len()).collect();
        let mut sorted = Vec::with_capacity(left.len());
        while let Some(first) = left.first().copied() {
            let next = self.ready(&left, &left).unwrap_or(first);
            left.retain(|&at| at != next);
            sorted.push(next);
        }
        sorted
    }
}

fn belongs(node: &GraphNode, name: &str) -> bool {
    node.databases.iter().any(|it| matches(it, name))
}
