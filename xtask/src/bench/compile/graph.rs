//! Who requires whom, and which views live between them.

use std::fmt::Write as _;

use super::source::path;

/// Migrations for each view. With those of `MIGRATIONS_PER_GUARD`: 50 views and 100 guards over 1,000.
const MIGRATIONS_PER_VIEW: usize = 20;
const MIGRATIONS_PER_GUARD: usize = 10;

/// One to three random requirements of each migration, among those before it.
pub(super) struct Graph {
    requires: Vec<Vec<usize>>,
}

impl Graph {
    pub(super) fn new(size: usize) -> Self {
        let mut random = Random(7);
        let requirements = |number| {
            let count = if number == 0 { 0 } else { 1 + random.below(3) };
            (0..count).map(|_| random.below(number)).collect()
        };
        Self {
            requires: (0..size).map(requirements).collect(),
        }
    }

    pub(super) fn requirements(&self, number: usize) -> &[usize] {
        self.requires.get(number).map_or(&[], Vec::as_slice)
    }

    fn len(&self) -> usize {
        self.requires.len()
    }

    /// Whether `below` requires `above`, directly or not, or is it.
    fn reaches(&self, below: usize, above: usize) -> bool {
        let mut met = vec![false; below + 1];
        let mut open = vec![below];
        while let Some(at) = open.pop() {
            if at == above {
                return true;
            }
            for &required in self.requirements(at) {
                if let Some(met) = met.get_mut(required).filter(|met| !**met) {
                    *met = true;
                    open.push(required);
                }
            }
        }
        false
    }

    /// A random one that requires `above`, if it has any luck.
    fn below(&self, above: usize, random: &mut Random) -> Option<usize> {
        (0..50)
            .map(|_| random.below(self.len()))
            .find(|&it| it != above && self.reaches(it, above))
    }
}

/// Views, each since some migration, and the migrations that suspend them: near ones and far ones.
#[derive(Default)]
pub(super) struct Views {
    views: Vec<View>,
    /// Migration and view.
    guards: Vec<(usize, usize)>,
}

struct View {
    since: usize,
    until: Option<usize>,
    uses: Option<usize>,
}

impl Views {
    pub(super) fn new(graph: &Graph) -> Self {
        let mut random = Random(11);
        let mut views: Vec<View> = Vec::new();
        for number in 0..graph.len() / MIGRATIONS_PER_VIEW {
            let since = random.below(graph.len());
            // Every fifth one ends, and nothing else leans on it.
            let until = (number % 5 == 4)
                .then(|| graph.below(since, &mut random))
                .flatten();
            let uses = views
                .iter()
                .rposition(|it| it.until.is_none() && graph.reaches(since, it.since));
            views.push(View { since, until, uses });
        }
        let wanted = graph.len() / MIGRATIONS_PER_GUARD;
        let open: Vec<_> = (0..views.len())
            .filter(|&it| views.get(it).is_some_and(|it| it.until.is_none()))
            .collect();
        let mut guards = Vec::new();
        // Some of the latest views have nobody after them.
        for &view in open.iter().cycle().take(4 * wanted) {
            let since = views.get(view).map(|it| it.since);
            let migration = since.and_then(|since| graph.below(since, &mut random));
            guards.extend(migration.map(|migration| (migration, view)));
            if guards.len() == wanted {
                break;
            }
        }
        Self { views, guards }
    }

    /// The key of the migration's attribute, if it suspends any.
    pub(super) fn suspends(&self, migration: usize) -> String {
        let views: Vec<_> = self
            .guards
            .iter()
            .filter(|(it, _)| *it == migration)
            .map(|(_, view)| format!("crate::views::{}", name(*view)))
            .collect();
        if views.is_empty() {
            String::new()
        } else {
            format!(", suspends = [{}]", views.join(", "))
        }
    }

    /// The file that declares them.
    pub(super) fn file(&self) -> String {
        let mut text = String::from("//! Views.\nuse migrate_diesel::prelude::*;\n");
        for (number, view) in self.views.iter().enumerate() {
            let mut keys = format!("since = {}", path(view.since));
            if let Some(until) = view.until {
                let _ = write!(keys, ", until = {}", path(until));
            }
            if let Some(uses) = view.uses {
                let _ = write!(keys, ", uses = [{}]", name(uses));
            }
            let _ = write!(
                text,
                "\n/// View {number}.\n#[view_manager({keys}, sql = \"SELECT id, name FROM t{:05}\")]\npub struct {};\n",
                view.since,
                name(number)
            );
        }
        text
    }
}

fn name(view: usize) -> String {
    format!("View{view:04}")
}

/// Random enough for a graph, and the same on every machine:
/// <https://en.wikipedia.org/wiki/Linear_congruential_generator> with Knuth's constants.
pub(super) struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_something_to_check() {
        let graph = Graph::new(1000);
        let Views { views, guards } = Views::new(&graph);
        assert_eq!(views.len(), 50);
        assert_eq!(guards.len(), 100);
        assert!(views.iter().filter(|it| it.uses.is_some()).count() >= 30);
        assert!(views.iter().any(|it| it.until.is_some()));
    }
}
