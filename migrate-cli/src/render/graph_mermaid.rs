//! The graph as a Mermaid flowchart (<https://mermaid.js.org/syntax/flowchart.html>).

use std::fmt::Write as _;

use migrate_core::{State, report::GraphReport};

use super::{graph_layout::Edges, text::one_line};

/// `graph --format mermaid`.
pub(crate) fn render(report: &GraphReport) -> String {
    let mut text =
        String::from("%% an arrow leads from a migration to those that require it\ngraph TD\n");
    for (at, node) in report.nodes.iter().enumerate() {
        let class = node
            .state
            .map(|state| format!(":::{state}"))
            .unwrap_or_default();
        let _ = writeln!(text, "  n{at}[\"{}\"]{class}", escaped(&node.id));
    }
    for (from, to) in Edges::of(report).iter() {
        let _ = writeln!(text, "  n{to} --> n{from}");
    }
    for state in State::ALL {
        if report.nodes.iter().any(|node| node.state == Some(state)) {
            let _ = writeln!(text, "  classDef {state} {}", look(state));
        }
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
