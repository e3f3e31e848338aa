//! The graph for Graphviz (<https://graphviz.org/doc/info/lang.html>).

use std::fmt::Write as _;

use migrate_core::{State, report::GraphReport};

use super::{graph_layout::Edges, text::one_line};

/// `graph --format dot`.
pub(crate) fn render(report: &GraphReport) -> String {
    let mut text = String::from(
        "// an arrow leads from a migration to those that require it\n\
         digraph migrations {\n  rankdir=LR;\n  \
         node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n  \
         edge [color=\"#8c959f\", arrowsize=0.7];\n",
    );
    let name = |at: usize| {
        report
            .nodes
            .get(at)
            .map(|node| quoted(&node.id))
            .unwrap_or_default()
    };
    for node in &report.nodes {
        let color = node
            .state
            .map(color)
            .map(|color| format!(", color=\"{color}\""))
            .unwrap_or_default();
        let tooltip = match node.description.as_str() {
            "" => node.location.to_string(),
            description => format!("{} ({})", one_line(description), node.location),
        };
        let _ = writeln!(
            text,
            "  {} [tooltip={}{color}];",
            quoted(&node.id),
            quoted(&tooltip)
        );
    }
    for (from, to) in Edges::of(report).iter() {
        let _ = writeln!(text, "  {} -> {};", name(to), name(from));
    }
    text.push_str("}\n");
    text
}

fn color(state: State) -> &'static str {
    match state {
        State::Applied => "#2da44e",
        State::Pending => "#8c959f",
        State::Running => "#0969da",
        State::Failed | State::Interrupted => "#cf222e",
        State::Deferred => "#bf8700",
    }
}

/// In a quoted string, a backslash begins an escape and a quote ends it.
fn quoted(text: &str) -> String {
    let text = one_line(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_stay_inside() {
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    }
}
