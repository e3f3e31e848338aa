//! The graph as lines: one migration each, in the order of the plan, with what it requires.
//!
//! A line is indented under the requirement that it continues. Of several continuations, the one
//! with most behind it stays in its requirement's column, so a chain is a column, and even
//! thousands of migrations are indented by a handful of steps (never more than the logarithm of
//! their number). Views have lines of their own, below.

use std::fmt::Write as _;

use migrate_core::{Scale, report::GraphReport};

use super::{
    graph_layout::Edges,
    human::{Page, view::Facts},
    style,
    table::{self, Narrow},
    text::{count, one_line, truncated, width},
};

/// Further in than this, indentation says nothing any more.
const DEEPEST: usize = 12;

/// `graph`.
pub(crate) fn render(report: &GraphReport, page: Page) -> String {
    let edges = Edges::of(report);
    let depths = depths(&edges);
    let digits = report.nodes.len().to_string().len();
    let labels: Vec<String> = report
        .nodes
        .iter()
        .zip(&depths)
        .map(|(node, depth)| {
            let scale = match node.scale {
                Scale::Step => "",
                Scale::Mass => " (mass)",
            };
            let indent = depth * 2;
            format!("{:indent$}{}{scale}", "", one_line(&node.id))
        })
        .collect();
    // Where one id is very long, the others do not follow it.
    let column = labels
        .iter()
        .map(|label| width(label))
        .max()
        .unwrap_or(0)
        .min(60);
    let stated = report.nodes.iter().any(|node| node.state.is_some());

    let mut text = String::new();
    for (at, (node, label)) in report.nodes.iter().zip(&labels).enumerate() {
        let mut line = format!("{:>digits$} ", at + 1);
        if stated {
            let mark = node
                .state
                .map_or(" ".to_owned(), |state| match page.columns {
                    Some(_) => style::sign_of_state(state).to_string(),
                    None => format!("{state:<11}"),
                });
            let style = node.state.map_or(style::DIM, style::of_state);
            let _ = write!(line, "{} ", page.palette.paint(style, mark));
        }
        line.push_str(label);
        let requires: Vec<String> = edges
            .requires(at)
            .iter()
            .filter_map(|&to| report.nodes.get(to))
            .map(|node| one_line(&node.id))
            .collect();
        if !requires.is_empty() {
            let missing = column.saturating_sub(width(label));
            let arrow = format!("← {}", requires.join(", "));
            let used = digits + 1 + if stated { 2 } else { 0 } + width(label) + missing + 2;
            let arrow = match page.columns {
                Some(columns) if columns > used + 8 => truncated(&arrow, columns - used),
                _ => arrow,
            };
            let _ = write!(
                line,
                "{:missing$}  {}",
                "",
                page.palette.paint(style::DIM, arrow)
            );
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push_str(&views(report, page));
    let mut counts = vec![
        count(report.nodes.len(), "migration"),
        count(edges.len(), "requirement"),
    ];
    if !report.views.is_empty() {
        counts.push(count(report.views.len(), "view"));
    }
    let _ = writeln!(text, "\n{}", counts.join(", "));
    text
}

/// The views under the migrations: each with its lifetime.
fn views(report: &GraphReport, page: Page) -> String {
    if report.views.is_empty() {
        return String::new();
    }
    let rows = report.views.iter().map(|view| {
        let facts = Facts {
            id: &view.id,
            since: &view.since,
            until: view.until.as_deref(),
            uses: &view.uses,
            suspended_by: &view.suspended_by,
        };
        vec![one_line(&view.name), one_line(&view.id), facts.told(page)]
    });
    let columns = page.columns.map(|columns| columns.saturating_sub(2));
    let mut text = format!("\n{}\n", page.palette.paint(style::BOLD, "views"));
    for line in table::lines(&[], rows, columns, Narrow::Keep) {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// How far in each migration stands.
fn depths(edges: &Edges) -> Vec<usize> {
    let parents: Vec<Option<usize>> = (0..edges.nodes())
        .map(|at| {
            edges
                .requires(at)
                .iter()
                .copied()
                .max()
                .filter(|&to| to < at)
        })
        .collect();
    // How much continues each one; a continuation always comes later.
    let mut weights = vec![1_usize; edges.nodes()];
    for (at, parent) in parents.iter().enumerate().rev() {
        let weight = weights.get(at).copied().unwrap_or(0);
        if let Some(total) = parent.and_then(|parent| weights.get_mut(parent)) {
            *total += weight;
        }
    }
    let mut heirs: Vec<Option<usize>> = vec![None; edges.nodes()];
    for (at, parent) in parents.iter().enumerate() {
        if let Some(heir) = parent.and_then(|parent| heirs.get_mut(parent)) {
            let heavier = heir.is_none_or(|heir| weights.get(at) > weights.get(heir));
            if heavier {
                *heir = Some(at);
            }
        }
    }
    let mut depths: Vec<usize> = Vec::with_capacity(edges.nodes());
    for (at, parent) in parents.iter().enumerate() {
        let depth = parent.map_or(0, |parent| {
            let inherited = depths.get(parent).copied().unwrap_or(0);
            let is_heir = heirs.get(parent).copied().flatten() == Some(at);
            // The first step in shows that it is not a root.
            if is_heir && inherited > 0 {
                inherited
            } else {
                inherited + 1
            }
        });
        depths.push(depth);
    }
    depths.iter().map(|&depth| depth.min(DEEPEST)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chain_is_a_column() {
        let chain = Edges::from_pairs(1000, (1..1000).map(|at| (at, at - 1)));
        let depths = depths(&chain);
        assert_eq!((depths[0], depths[1], depths[999]), (0, 1, 1));
    }

    #[test]
    fn the_heavier_branch_stays() {
        // 0 <- 1, 0 <- 2 <- 3
        let edges = Edges::from_pairs(4, [(1, 0), (2, 0), (3, 2)]);
        assert_eq!(depths(&edges), [0, 1, 1, 1]);
        // 0 <- 1 <- {2, 3 <- 4}
        let edges = Edges::from_pairs(5, [(1, 0), (2, 1), (3, 1), (4, 3)]);
        assert_eq!(depths(&edges), [0, 1, 2, 1, 1]);
    }

    proptest! {
        #[test]
        fn depth_is_logarithmic(parents in prop::collection::vec(any::<prop::sample::Index>(), 1..300)) {
            let pairs = parents.iter().enumerate().map(|(at, to)| (at + 1, to.index(at + 1)));
            let edges = Edges::from_pairs(parents.len() + 1, pairs);
            let deepest = depths(&edges).into_iter().max().unwrap();
            let bound = (parents.len() + 1).ilog2() as usize + 1;
            prop_assert!(deepest <= bound, "{deepest} > {bound}");
        }
    }
}
