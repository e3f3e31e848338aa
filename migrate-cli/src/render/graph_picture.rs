//! [`Picture`]: migrations and views in one graph, as the drawn formats have it.

use std::collections::HashMap;

use migrate_core::{
    Scale,
    report::{GraphNode, GraphReport, GraphView},
};

use super::{graph_layout::Edges, text::one_line};

/// A box of the picture.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'r> {
    Migration(&'r GraphNode),
    View(&'r GraphView),
}

/// Why one thing stands after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// A migration requires another.
    Requires,
    /// A view comes up with a migration.
    Since,
    /// A view selects from another.
    Uses,
    /// A view goes down with a migration.
    Until,
    /// A migration takes a view down and brings it back.
    Suspends,
}

impl Link {
    /// What is written beside the line, where it is not plain.
    pub(super) fn label(self) -> Option<&'static str> {
        match self {
            Self::Since => Some("since"),
            Self::Until => Some("until"),
            Self::Suspends => Some("suspends"),
            Self::Requires | Self::Uses => None,
        }
    }
}

/// Everything that is drawn. What others need stands before them: a view after the migration that
/// it comes up with and the views that it uses, before the migrations that suspend or end it.
#[derive(Debug)]
pub(super) struct Picture<'r> {
    pub(super) items: Vec<Item<'r>>,
    /// From what comes later to what comes before.
    pub(super) edges: Edges,
    /// For each edge, in the order of [`Edges::iter`].
    pub(super) links: Vec<Link>,
}

impl<'r> Picture<'r> {
    /// Of a report. What names something that the report does not have is left out.
    pub(super) fn of(report: &'r GraphReport) -> Self {
        let mut beginning: HashMap<&str, Vec<&GraphView>> = HashMap::new();
        for view in &report.views {
            beginning.entry(&view.since).or_default().push(view);
        }
        let mut items = Vec::with_capacity(report.nodes.len() + report.views.len());
        for node in &report.nodes {
            items.push(Item::Migration(node));
            let views = beginning.remove(node.id.as_str()).unwrap_or_default();
            items.extend(views.into_iter().map(Item::View));
        }
        // What begins with nothing that is there. In their own order again, which the map has not.
        let left = report.views.iter();
        let left = left.filter(|view| beginning.contains_key(view.since.as_str()));
        items.extend(left.map(Item::View));
        let (edges, links) = links(report, &items);
        Self {
            items,
            edges,
            links,
        }
    }

    /// `(from, to, why)`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize, Link)> + '_ {
        let links = self.links.iter().copied();
        let pairs = self.edges.iter().zip(links);
        pairs.map(|((from, to), link)| (from, to, link))
    }

    /// Whether there are mass migrations, which have a double frame.
    pub(super) fn has_mass(&self) -> bool {
        let mass =
            |item: &Item<'_>| matches!(item, Item::Migration(node) if node.scale == Scale::Mass);
        self.items.iter().any(mass)
    }

    pub(super) fn has_views(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::View(_)))
    }

    /// What stands in a view's box: its name in the database, and its type where another one has
    /// that name too.
    pub(super) fn view_label(&self, view: &GraphView) -> String {
        let of_name = |item: &&Item<'_>| matches!(item, Item::View(it) if it.name == view.name);
        let name = one_line(&view.name);
        if self.items.iter().filter(of_name).count() > 1 {
            let id = one_line(&view.id);
            let own = id.split_once(':').map_or(id.as_str(), |(_, own)| own);
            format!("{name} ({own})")
        } else {
            name
        }
    }
}

fn links(report: &GraphReport, items: &[Item<'_>]) -> (Edges, Vec<Link>) {
    let mut migrations: HashMap<&str, usize> = HashMap::new();
    let mut views: HashMap<&str, usize> = HashMap::new();
    for (at, item) in items.iter().enumerate() {
        match item {
            Item::Migration(node) => migrations.insert(&node.id, at),
            Item::View(view) => views.insert(&view.id, at),
        };
    }
    let migration = |id: &str| migrations.get(id).copied();
    let mut links = Vec::new();
    let mut link = |from: Option<usize>, to: Option<usize>, why: Link| {
        links.extend(from.zip(to).map(|(from, to)| (from, to, why)));
    };
    for (from, to) in &report.edges {
        link(migration(from), migration(to), Link::Requires);
    }
    for view in &report.views {
        let at = views.get(view.id.as_str()).copied();
        link(at, migration(&view.since), Link::Since);
        for used in &view.uses {
            link(at, views.get(used.as_str()).copied(), Link::Uses);
        }
        if let Some(until) = &view.until {
            link(migration(until), at, Link::Until);
        }
        // The migration that it comes up with stands before it already.
        for by in view.suspended_by.iter().filter(|by| **by != view.since) {
            link(migration(by), at, Link::Suspends);
        }
    }
    // Of two reasons for one line, the first of `Link`.
    links.sort_unstable();
    links.dedup_by_key(|(from, to, _)| (*from, *to));
    let edges = Edges::from_pairs(items.len(), links.iter().map(|&(from, to, _)| (from, to)));
    (edges, links.into_iter().map(|(_, _, why)| why).collect())
}

#[cfg(test)]
mod tests {
    use migrate_core::Location;

    use super::*;

    const PLACE: Location = Location {
        file: "src/lib.rs",
        line: 1,
        column: 1,
    };

    fn view(id: &str, since: &str) -> GraphView {
        GraphView {
            id: id.to_owned(),
            name: "totals".to_owned(),
            description: String::new(),
            location: PLACE,
            since: since.to_owned(),
            until: None,
            uses: Vec::new(),
            suspended_by: Vec::new(),
        }
    }

    fn report() -> GraphReport {
        let mut report = GraphReport::default();
        for id in ["a:first", "a:second"] {
            report.nodes.push(GraphNode {
                id: id.to_owned(),
                description: String::new(),
                location: PLACE,
                databases: Vec::new(),
                scale: Scale::Step,
                state: None,
            });
        }
        report
            .edges
            .push(("a:second".to_owned(), "a:first".to_owned()));
        report
    }

    #[test]
    fn a_view_stands_between_its_migrations() {
        let mut report = report();
        report.views = vec![
            GraphView {
                until: Some("a:second".to_owned()),
                suspended_by: vec!["a:first".to_owned(), "a:second".to_owned()],
                ..view("a:One", "a:first")
            },
            GraphView {
                uses: vec!["a:One".to_owned(), "a:Nowhere".to_owned()],
                ..view("a:Two", "a:first")
            },
        ];
        let picture = Picture::of(&report);
        let links: Vec<_> = picture.iter().collect();
        assert_eq!(
            links,
            [
                (1, 0, Link::Since),
                (2, 0, Link::Since),
                (2, 1, Link::Uses),
                (3, 0, Link::Requires),
                (3, 1, Link::Until),
            ]
        );
        assert_eq!(picture.view_label(&report.views[0]), "totals (One)");
    }

    #[test]
    fn a_view_of_nothing_is_drawn_without_lines() {
        let mut report = report();
        report.views = vec![view("a:One", "b:unknown")];
        let picture = Picture::of(&report);
        assert_eq!((picture.items.len(), picture.links.len()), (3, 1));
        assert_eq!(picture.view_label(&report.views[0]), "totals");
    }
}
