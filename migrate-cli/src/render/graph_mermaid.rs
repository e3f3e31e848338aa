//! The graph as a Mermaid flowchart (<https://mermaid.js.org/syntax/flowchart.html>).

use std::fmt::Write as _;

use migrate_core::{Scale, State, report::GraphReport};

use super::{
    graph_picture::{Item, Link, Picture},
    text::one_line,
};

/// `graph --format mermaid`.
pub(crate) fn render(report: &GraphReport) -> String {
    let picture = Picture::of(report);
    let mut text = String::from("%% an arrow leads from a migration to those that require it");
    if picture.has_views() {
        text.push_str(",\n%% from a view (round) to those that use it");
    }
    if picture.has_mass() {
        text.push_str(",\n%% double sides are of a mass migration");
    }
    text.push_str("\ngraph TD\n");
    for (at, item) in picture.items.iter().enumerate() {
        let _ = match item {
            Item::Migration(node) => {
                let class = node
                    .state
                    .map(|state| format!(":::{state}"))
                    .unwrap_or_default();
                let label = escaped(&node.id);
                match node.scale {
                    Scale::Step => writeln!(text, "  n{at}[\"{label}\"]{class}"),
                    Scale::Mass => writeln!(text, "  n{at}[[\"{label}\"]]{class}"),
                }
            }
            Item::View(view) => {
                let label = escaped(&picture.view_label(view));
                writeln!(text, "  n{at}([\"{label}\"]):::view")
            }
        };
    }
    let mut suspends = Vec::new();
    for (at, (from, to, link)) in picture.iter().enumerate() {
        let _ = match link.label() {
            // What the migration does to the view, not the view to the migration.
            Some(label) if link == Link::Suspends => {
                suspends.push(at.to_string());
                writeln!(text, "  n{from} -. {label} .-> n{to}")
            }
            Some(label) => writeln!(text, "  n{to} -. {label} .-> n{from}"),
            None => writeln!(text, "  n{to} --> n{from}"),
        };
    }
    for state in State::ALL {
        if report.nodes.iter().any(|node| node.state == Some(state)) {
            let _ = writeln!(text, "  classDef {state} {}", look(state));
        }
    }
    if picture.has_views() {
        let _ = writeln!(text, "  classDef view stroke:#8250df");
    }
    if !suspends.is_empty() {
        let _ = writeln!(
            text,
            "  linkStyle {} stroke-dasharray:1 4",
            suspends.join(",")
        );
    }
    text
}

/// Stroke only: the fill is the theme's, light or dark.
fn look(state: State) -> &'static str {
    match state {
        State::Applied => "stroke:#2da44e",
        State::Pending => "stroke:#8c959f,stroke-dasharray:4",
        State::Running => "stroke:#0969da",
        State::Failed | State::Interrupted => "stroke:#cf222e",
        State::Deferred => "stroke:#bf8700",
    }
}

/// Inside quotes only the quote itself and the character that begins an entity mean something.
fn escaped(label: &str) -> String {
    one_line(label).replace('#', "#35;").replace('"', "#quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_end_their_quotes() {
        assert_eq!(escaped("a\"b#c"), "a#quot;b#35;c");
    }
}
