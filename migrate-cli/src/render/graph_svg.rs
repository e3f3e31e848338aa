//! The graph as a picture that needs nothing but a browser.

use std::fmt::Write as _;

use migrate_core::{
    Scale, State,
    report::{GraphNode, GraphReport, GraphView},
};

use super::{
    graph_layout::Layout,
    graph_picture::{Item, Link, Picture},
    text::{one_line, width},
};

const ROW: f64 = 46.0;
const BOX_HEIGHT: f64 = 30.0;
/// Of one character of the 12 px monospace face.
const CHARACTER: f64 = 7.3;
const PADDING: f64 = 12.0;
/// Between the two frames of a mass migration.
const FRAME: f64 = 3.0;
/// Between two layers, for the curves.
const GAP: f64 = 64.0;
const MARGIN: f64 = 24.0;

/// With views, lines have words on them.
const WORD_GAP: f64 = 96.0;
/// Below the middle of a view.
const ASIDE: f64 = 8.0;

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

/// Beside it, where there are views.
const VIEW_STYLE: &str = "\
.view rect{fill:#fbefff;stroke:#8250df}.view-head{fill:#8250df}\
.edges .uses,.edges .since,.edges .until,.edges .suspends{stroke:#a475f9}\
.edges .since,.edges .until{stroke-dasharray:6 4}\
.edges .suspends{stroke-dasharray:.1 4;stroke-linecap:round;stroke-width:2}\
.words text{font-size:10px;fill:#8250df;text-anchor:middle;\
paint-order:stroke;stroke:#fff;stroke-width:4;stroke-linejoin:round}\
@media(prefers-color-scheme:dark){.view rect{fill:#211b33;stroke:#a371f7}.view-head{fill:#a371f7}\
.edges .uses,.edges .since,.edges .until,.edges .suspends{stroke:#8957e5}\
.words text{fill:#d2a8ff;stroke:#0d1117}}";

/// `graph --format svg`.
pub(crate) fn render(report: &GraphReport) -> String {
    let picture = Picture::of(report);
    let layout = Layout::of(&picture.edges);
    let columns = Columns::of(&picture, &layout);
    let size = (columns.right + MARGIN, layout.bottom * ROW + 2.0 * MARGIN);

    let mut svg = start(size, picture.has_views());
    let mut words = String::new();
    svg.push_str("<g class=\"edges\">\n");
    for ((from, to, link), bends) in picture.iter().zip(&layout.bends) {
        // Its head is at the view, where the lines of those that use it begin.
        let aside = if link == Link::Suspends { ASIDE } else { 0.0 };
        let curve = Curve::of(&columns, &layout, (from, to), bends, aside);
        let (class, marker) = match link {
            Link::Requires => ("", "marker-end=\"url(#head)\""),
            Link::Uses => ("class=\"uses\" ", "marker-end=\"url(#view-head)\""),
            Link::Since => ("class=\"since\" ", "marker-end=\"url(#view-head)\""),
            Link::Until => ("class=\"until\" ", "marker-end=\"url(#view-head)\""),
            // The migration does it to the view.
            Link::Suspends => ("class=\"suspends\" ", "marker-start=\"url(#view-head)\""),
        };
        let _ = writeln!(svg, "<path {class}{marker} d=\"{}\"/>", curve.path);
        if let Some(word) = link.label() {
            // Nearer to the view, where words of lines that come and go are apart.
            let (x, y) = match link {
                Link::Since => curve.near_end,
                _ => curve.near_start,
            };
            let _ = writeln!(
                words,
                "<text x=\"{x:.1}\" y=\"{:.1}\">{word}</text>",
                y + 3.0
            );
        }
    }
    svg.push_str("</g>\n");
    if !words.is_empty() {
        let _ = writeln!(svg, "<g class=\"words\">\n{words}</g>");
    }
    for (item, &(layer, height)) in picture.items.iter().zip(&layout.places) {
        let left = columns.left(layer);
        let middle = MARGIN + height * ROW;
        let _ = match item {
            Item::Migration(node) => migration(&mut svg, node, left, columns.width(layer), middle),
            Item::View(view) => {
                let label = picture.view_label(view);
                self::view(&mut svg, view, &label, left, columns.width(layer), middle)
            }
        };
    }
    svg.push_str("</svg>\n");
    svg
}

/// Everything before the lines.
fn start((width, height): (f64, f64), views: bool) -> String {
    let head = |id: &str| {
        format!(
            "<marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"9\" \
             markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto-start-reverse\">\
             <path class=\"{id}\" d=\"M0 0 8 4 0 8z\"/></marker>"
        )
    };
    let (title, style, view_head) = if views {
        let title = "Migrations and views; an arrow leads from one to those that need it";
        (title, VIEW_STYLE, head("view-head"))
    } else {
        let title = "Migrations; an arrow leads from one to those that require it";
        (title, "", String::new())
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
         <title>{title}</title>\n\
         <style>{STYLE}{style}</style>\n\
         <path class=\"page\" d=\"M0 0H{width:.0}V{height:.0}H0z\"/>\n\
         <defs>{}{view_head}</defs>\n",
        head("head")
    )
}

fn migration(
    svg: &mut String,
    node: &GraphNode,
    left: f64,
    wide: f64,
    middle: f64,
) -> std::fmt::Result {
    let class = node.state.map_or("unknown", State::as_str);
    let id = one_line(&node.id);
    let (package, name) = id.split_once(':').unwrap_or(("", &id));
    let colon = if package.is_empty() { "" } else { ":" };
    let state = node
        .state
        .map(|state| format!(" · {state}"))
        .unwrap_or_default();
    let top = middle - BOX_HEIGHT / 2.0;
    let (scale, within) = match node.scale {
        Scale::Step => ("", String::new()),
        Scale::Mass => (" · mass migration", frame(left, wide, top)),
    };
    writeln!(
        svg,
        "<g class=\"{class}\"><title>{}{scale}{}\n{}\n{}</title>\
         <rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{BOX_HEIGHT}\" rx=\"6\"/>{within}\
         <text x=\"{:.1}\" y=\"{:.1}\"><tspan class=\"package\">{}{colon}</tspan>{}</text></g>",
        escaped(&id),
        escaped(&state),
        escaped(&one_line(&node.description)),
        escaped(&node.location.to_string()),
        left + PADDING,
        middle + 4.0,
        escaped(package),
        escaped(name),
    )
}

/// The second one, within the first, of a mass migration.
fn frame(left: f64, wide: f64, top: f64) -> String {
    format!(
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"3\"/>",
        left + FRAME,
        top + FRAME,
        wide - 2.0 * FRAME,
        BOX_HEIGHT - 2.0 * FRAME,
    )
}

/// Round, and of another colour.
fn view(
    svg: &mut String,
    view: &GraphView,
    label: &str,
    left: f64,
    wide: f64,
    middle: f64,
) -> std::fmt::Result {
    writeln!(
        svg,
        "<g class=\"view\"><title>{} · view\n{}\n{}</title>\
         <rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{BOX_HEIGHT}\" rx=\"{:.0}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
        escaped(&one_line(&view.id)),
        escaped(&one_line(&view.description)),
        escaped(&view.location.to_string()),
        middle - BOX_HEIGHT / 2.0,
        BOX_HEIGHT / 2.0,
        left + PADDING,
        middle + 4.0,
        escaped(label),
    )
}

/// Where layers begin and how wide they are. All boxes of a layer are as wide as its widest.
struct Columns {
    /// `(left, width)` of each layer.
    spans: Vec<(f64, f64)>,
    right: f64,
}

impl Columns {
    fn of(picture: &Picture<'_>, layout: &Layout) -> Self {
        let mut widths = vec![0.0_f64; layout.layers];
        for (item, (layer, _)) in picture.items.iter().zip(&layout.places) {
            let label = match item {
                Item::Migration(node) => box_width(&node.id),
                Item::View(view) => box_width(&picture.view_label(view)),
            };
            if let Some(width) = widths.get_mut(*layer) {
                *width = width.max(label);
            }
        }
        let gap = if picture.has_views() { WORD_GAP } else { GAP };
        let mut left = MARGIN;
        let mut spans = Vec::with_capacity(widths.len());
        let mut right = MARGIN;
        for width in widths {
            spans.push((left, width));
            right = left + width;
            left = right + gap;
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

/// A line from the right side of what comes before to the left side of what needs it, level while it
/// passes a layer.
struct Curve {
    path: String,
    /// On its first bow and on its last.
    near_start: (f64, f64),
    near_end: (f64, f64),
}

impl Curve {
    /// `aside`: how far below the middle it begins.
    fn of(
        columns: &Columns,
        layout: &Layout,
        (from, to): (usize, usize),
        bends: &[f64],
        aside: f64,
    ) -> Self {
        let place = |at: usize| layout.places.get(at).copied().unwrap_or_default();
        let ((start_layer, start), (end_layer, end)) = (place(to), place(from));
        let y = |height: f64| MARGIN + height * ROW;
        let mut x = columns.right(start_layer);
        let mut height = y(start) + aside;
        let mut path = format!("M{x:.1} {height:.1}");
        let mut near_start = None;
        for (layer, bend) in (start_layer + 1..).zip(bends) {
            let to = (columns.left(layer), y(*bend));
            near_start.get_or_insert(along((x, height), to, NEAR));
            bow(&mut path, (x, height), to);
            (x, height) = (columns.right(layer), to.1);
            let _ = write!(path, "H{x:.1}");
        }
        let to = (columns.left(end_layer), y(end));
        bow(&mut path, (x, height), to);
        Self {
            path,
            near_start: near_start.unwrap_or_else(|| along((x, height), to, NEAR)),
            near_end: along((x, height), to, 1.0 - NEAR),
        }
    }
}

/// How far along a bow its word stands.
const NEAR: f64 = 0.3;

fn bow(path: &mut String, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) {
    let middle = f64::midpoint(x, to_x);
    let _ = write!(
        path,
        "C{middle:.1} {y:.1} {middle:.1} {to_y:.1} {to_x:.1} {to_y:.1}"
    );
}

/// The point of a [`bow`] at `t`, from 0 to 1: a cubic Bézier curve whose control points lie in the
/// middle between the ends.
fn along((x, y): (f64, f64), (to_x, to_y): (f64, f64), t: f64) -> (f64, f64) {
    let back = 1.0 - t;
    let across = 1.5 * t * back + t * t * t;
    let down = t * t * (3.0 - 2.0 * t);
    (x + (to_x - x) * across, y + (to_y - y) * down)
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
    use migrate_core::Location;

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
            databases: Vec::new(),
            scale: Scale::Step,
            state: Some(State::Applied),
        });
        let svg = render(&report);
        assert!(svg.contains("&lt;script&gt;&quot;&amp;&quot;&lt;/script&gt;\\u{1b}"));
        assert!(svg.contains("a&lt;b") && svg.contains("src/a&amp;b.rs"));
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}'));
    }

    #[test]
    fn words_stand_on_their_lines() {
        let (from, to) = ((10.0, 20.0), (110.0, 60.0));
        assert_eq!(along(from, to, 0.0), from);
        assert_eq!(along(from, to, 0.5), (60.0, 40.0));
        assert_eq!(along(from, to, 1.0), to);
    }

    #[test]
    fn nothing_is_a_picture_too() {
        assert!(render(&GraphReport::default()).ends_with("</svg>\n"));
    }
}
