//! The one way in which a failure is shown.

use migrate_core::{Failure, report::Problem};

use super::{
    style::{self, Palette},
    text::hanging,
};

/// Columns of `  cause: `.
const INDENT: usize = 9;

/// `error:`, and under it where, why, and what to do.
pub(super) fn render(failure: &Failure, palette: Palette) -> String {
    let mut shown = format!(
        "{} {}\n",
        palette.paint(style::BAD, "error:"),
        hanging(&failure.message, 7)
    );
    if let Some(location) = failure.location {
        shown.push_str(&detail("at", &location.to_string(), palette));
    }
    for cause in &failure.causes {
        shown.push_str(&detail("cause", cause, palette));
    }
    for problem in &failure.problems {
        shown.push_str(&self::problem(problem, palette));
    }
    if let Some(next) = &failure.next_step {
        shown.push_str(&detail("next", next, palette));
    }
    shown
}

/// One labelled line: `  cause: connection refused`.
fn detail(label: &str, text: &str, palette: Palette) -> String {
    let label = palette.paint(style::DIM, format!("{:<6}", format!("{label}:")));
    format!("  {label} {}\n", hanging(text, INDENT))
}

/// What failed in a run: the error chain, the place, and what became of the work.
pub(super) fn of_migration(
    error: &[String],
    location: migrate_core::Location,
    rolled_back: bool,
    palette: Palette,
) -> String {
    let mut block = String::new();
    let mut chain = error.iter();
    if let Some(outermost) = chain.next() {
        let label = palette.paint(style::BAD, "error:");
        block.push_str(&format!("  {label} {}\n", hanging(outermost, INDENT)));
    }
    for cause in chain {
        block.push_str(&detail("cause", cause, palette));
    }
    block.push_str(&detail("at", &location.to_string(), palette));
    let state = if rolled_back {
        "everything it did was rolled back"
    } else {
        "what it did before the error was not rolled back"
    };
    block.push_str(&detail("state", state, palette));
    block
}

/// One disagreement, with its place under it.
pub(super) fn problem(problem: &Problem, palette: Palette) -> String {
    let kind = problem.kind.as_str().replace('_', " ");
    let style = if problem.kind == migrate_core::report::ProblemKind::OutOfOrder {
        style::DIM
    } else {
        style::CARE
    };
    let mut shown = format!(
        "  {} {}: {}\n",
        palette.paint(style, kind),
        palette.paint(style::BOLD, super::text::one_line(&problem.id)),
        hanging(&problem.message, 4)
    );
    if let Some(location) = problem.location {
        shown.push_str(&format!("    {}\n", palette.paint(style::DIM, location)));
    }
    shown
}
