//! The graph as a picture that needs nothing but a browser.

use std::fmt::Write as _;

use migrate_core::{State, report::GraphReport};

use super::{
    graph_layout::{Edges, Layout},
    text::{one_line, width},
};

const ROW: f64 = 46.0;
const BOX_HEIGHT: f64 = 30.0;
/// Of one character of the 12 px monospace face.
const CHARACTER: f64 = 7.3;
const PADDING: f64 = 12.0;
/// Between two layers, for the curves.
const GAP: f64 = 64.0;
const MARGIN: f64 = 24.0;

/// Without CSS variables, which converters such as librsvg do not know. What does not know the media
/// query either shows the light one.
const STYLE: &str = "\
.page{fill:#fff}\
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328}\
.package{fill:#656d76}\
rect{fill:#f6f8fa;stroke:#afb8c1;stroke-width:1.5}\
.edges path{fill:none;stroke:#afb8c1;stroke-width:1.5}\
.head{fill:#8c959f}\
.applied rect{stroke:#2da44e}.running rect{stroke:#0969da}.deferred rect{stroke:#bf8700}\
.failed rect,.interrupted rect{stroke:#cf222e}.pending rect{stroke-dasharray:4 3}\
@media(prefers-color-scheme:dark){.page{fill:#0d1117}text{fill:#e6edf3}.package{fill:#8d96a0}\
rect{fill:#161b22;stroke:#484f58}.edges path{stroke:#484f58}.head{fill:#6e7681}\
.applied rect{stroke:#3fb950}.running rect{stroke:#58a6ff}.deferred rect{stroke:#d29922}\
.failed rect,.interrupted rect{stroke:#f85149}}";

/// `graph --format svg`.
pub(crate) fn render(report: &GraphReport) -> String {
    let edges = Edges::of(report);
    let layout = Layout::of(&edges);
    let columns = Columns::of(report, &layout);
    let size = (columns.right + MARGIN, layout.bottom * ROW + 2.0 * MARGIN);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0}\" height=\"{1:.0}\" viewBox=\"0 0 {0:.0} {1:.0}\">\n\
         <title>Migrations; an arrow leads from one to those that require it</title>\n\
         <style>{STYLE}</style>\n\
         <path class=\"page\" d=\"M0 0H{0:.0}V{1:.0}H0z\"/>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"6\" markerHeight=\"6\" orient=\"auto\">\
         <path class=\"head\" d=\"M0 0 8 4 0 8z\"/></marker></defs>\n",
        size.0, size.1
    );
    svg.push_str("<g class=\"edges\">\n");
    for ((from, to), bends) in edges.iter().zip(&layout.bends) {
        let path = path(&columns, &layout, (from, to), bends);
        let _ = writeln!(svg, "<path marker-end=\"url(#head)\" d=\"{path}\"/>");
    }
    svg.push_str("</g>\n");
    for (at, node) in report.nodes.iter().enumerate() {
        let Some(&(layer, height)) = layout.places.get(at) else {
            continue;
        };
        let class = node.state.map_or("unknown", State::as_str);
        let (left, wide) = (columns.left(layer), columns.width(layer));
        let middle = MARGIN + height * ROW;
        let id = one_line(&node.id);
        let (package, name) = id.split_once(':').unwrap_or(("", &id));
        let colon = if package.is_empty() { "" } else { ":" };
        let state = node
            .state
            .map(|state| format!(" · {state}"))
            .unwrap_or_default();
        let _ = writeln!(
            svg,
            "<g class=\"{class}\"><title>{}{}\n{}\n{}</title>\
             <rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{BOX_HEIGHT}\" rx=\"6\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\"><tspan class=\"package\">{}{colon}</tspan>{}</text></g>",
            escaped(&id),
            escaped(&state),
            escaped(&one_line(&node.description)),
            escaped(&node.location.to_string()),
            middle - BOX_HEIGHT / 2.0,
            left + PADDING,
            middle + 4.0,
            escaped(package),
            escaped(name),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where layers begin and how wide they are. All boxes of a layer are as wide as its widest.
struct Columns {
    /// `(left, width)` of each layer.
    spans: Vec<(f64, f64)>,
    right: f64,
}

impl Columns {
    fn of(report: &GraphReport, layout: &Layout) -> Self {
        let mut widths = vec![0.0_f64; layout.layers];
        for (node, (layer, _)) in report.nodes.iter().zip(&layout.places) {
            if let Some(width) = widths.get_mut(*layer) {
                *width = width.max(box_width(&node.id));
            }
        }
        let mut left = MARGIN;
        let mut spans = Vec::with_capacity(widths.len());
        let mut right = MARGIN;
        for width in widths {
            spans.push((left, width));
            right = left + width;
            left = right + GAP;
        }
        Self { spans, right }
    }

    fn left(&self, layer: usize) -> f64 {
        self.spans.get(layer).map_or(MARGIN, |(left, _)| *left)
    }

    fn right(&self, layer: usize) -> f64 {
        self.spans
            .get(layer)
            .map_or(MARGIN, |(left, width)| left + width)
    }

    fn width(&self, layer: usize) -> f64 {
        self.spans.get(layer).map_or(0.0, |(_, width)| *width)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a label of 2^52 columns has other problems"
)]
fn box_width(id: &str) -> f64 {
    width(&one_line(id)) as f64 * CHARACTER + 2.0 * PADDING
}

/// A curve from the right side of the requirement to the left side of what requires it, level
/// while it passes a layer.
fn path(columns: &Columns, layout: &Layout, (from, to): (usize, usize), bends: &[f64]) -> String {
    let place = |at: usize| layout.places.get(at).copied().unwrap_or_default();
    let ((start_layer, start), (end_layer, end)) = (place(to), place(from));
    let y = |height: f64| MARGIN + height * ROW;
    let mut x = columns.right(start_layer);
    let mut height = y(start);
    let mut path = format!("M{x:.1} {height:.1}");
    for (layer, bend) in (start_layer + 1..).zip(bends) {
        let next = columns.left(layer);
        curve(&mut path, (x, height), (next, y(*bend)));
        x = columns.right(layer);
        height = y(*bend);
        let _ = write!(path, "H{x:.1}");
    }
    curve(&mut path, (x, height), (columns.left(end_layer), y(end)));
    path
}

fn curve(path: &mut String, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) {
    let middle = f64::midpoint(x, to_x);
    let _ = write!(
        path,
        "C{middle:.1} {y:.1} {middle:.1} {to_y:.1} {to_x:.1} {to_y:.1}"
    );
}

/// Text in XML. Control characters, which XML cannot hold at all, were taken out before.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use migrate_core::{Location, report::GraphNode};

    use super::*;

    #[test]
    fn texts_cannot_become_markup() {
        let mut report = GraphReport::default();
        report.nodes.push(GraphNode {
            id: "shop:a<b".to_owned(),
            description: "<script>\"&\"</script>\u{1b}".to_owned(),
            location: Location {
                file: "src/a&b.rs",
                line: 1,
                column: 1,
            },
            state: Some(State::Applied),
        });
        let svg = render(&report);
        assert!(svg.contains("&lt;script&gt;&quot;&amp;&quot;&lt;/script&gt;\\u{1b}"));
        assert!(svg.contains("a&lt;b") && svg.contains("src/a&amp;b.rs"));
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}'));
    }

    #[test]
    fn nothing_is_a_picture_too() {
        assert!(render(&GraphReport::default()).ends_with("</svg>\n"));
    }
}
