//! The graph for Graphviz (<https://graphviz.org/doc/info/lang.html>).

use std::fmt::Write as _;

use migrate_core::{Location, Scale, State, report::GraphReport};

use super::{
    graph_picture::{Item, Link, Picture},
    text::one_line,
};

/// `graph --format dot`.
pub(crate) fn render(report: &GraphReport) -> String {
    let picture = Picture::of(report);
    let mut text = String::from("// an arrow leads from a migration to those that require it");
    if picture.has_views() {
        text.push_str(",\n// from a view (ellipse) to those that use it");
    }
    if picture.has_mass() {
        text.push_str(",\n// a double frame is of a mass migration");
    }
    text.push_str(
        "\ndigraph migrations {\n  rankdir=LR;\n  \
         node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n  \
         edge [color=\"#8c959f\", arrowsize=0.7, fontname=\"sans-serif\", fontsize=9];\n",
    );
    for item in &picture.items {
        let name = name(item);
        let _ = match item {
            Item::Migration(node) => {
                let color = node
                    .state
                    .map(|state| format!(", color=\"{}\"", color(state)))
                    .unwrap_or_default();
                let tooltip = tooltip(&node.description, node.location);
                let frame = match node.scale {
                    Scale::Step => "",
                    Scale::Mass => ", peripheries=2",
                };
                writeln!(text, "  {name} [tooltip={tooltip}{color}{frame}];")
            }
            Item::View(view) => {
                let label = quoted(&picture.view_label(view));
                let tooltip = tooltip(&view.description, view.location);
                writeln!(
                    text,
                    "  {name} [label={label}, tooltip={tooltip}, shape=ellipse, style=filled, fillcolor=\"#fbefff\", color=\"{VIEW}\"];"
                )
            }
        };
    }
    let name = |at: usize| picture.items.get(at).map(name).unwrap_or_default();
    for (from, to, link) in picture.iter() {
        let style = match link {
            Link::Requires => String::new(),
            Link::Uses => format!(" [color=\"{VIEW}\"]"),
            Link::Since | Link::Until => {
                format!(" [style=dashed, color=\"{VIEW}\"{}]", label(link))
            }
            // The migration does it to the view, which stands before it all the same.
            Link::Suspends => format!(" [style=dotted, dir=back, color=\"{VIEW}\"{}]", label(link)),
        };
        let _ = writeln!(text, "  {} -> {}{style};", name(to), name(from));
    }
    text.push_str("}\n");
    text
}

/// Of views and what is theirs.
const VIEW: &str = "#8250df";

/// Migrations and views may have one id.
fn name(item: &Item<'_>) -> String {
    match item {
        Item::Migration(node) => quoted(&node.id),
        Item::View(view) => quoted(&format!("view {}", view.id)),
    }
}

fn label(link: Link) -> String {
    let label = link.label();
    let label = label.map(|label| format!(", label=\"{label}\", fontcolor=\"{VIEW}\""));
    label.unwrap_or_default()
}

fn tooltip(description: &str, location: Location) -> String {
    quoted(&match description {
        "" => location.to_string(),
        description => format!("{} ({location})", one_line(description)),
    })
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
