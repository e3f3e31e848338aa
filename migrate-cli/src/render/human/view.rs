//! Views for people.

use std::fmt::Write as _;

use migrate_core::report::{PlanReport, PlannedView, ViewAction, ViewStatus};

use super::Page;
use crate::render::{
    style,
    table::{self, Narrow},
    text::{one_line, padded, width},
};

impl Page {
    /// The second table of `status`.
    pub(super) fn views(self, views: &[ViewStatus]) -> String {
        if views.is_empty() {
            return String::new();
        }
        let mut page = format!("\n{}\n", self.palette.paint(style::BOLD, "views"));
        let rows = views.iter().map(|view| {
            let facts = Facts {
                id: &view.id,
                since: &view.since,
                until: view.until.as_deref(),
                uses: &view.uses,
                suspended_by: &[],
            };
            vec![
                view.state.as_str().to_owned(),
                one_line(&view.name),
                one_line(&view.id),
                facts.told(self),
            ]
        });
        let columns = self.columns.map(|columns| columns.saturating_sub(4));
        for (line, view) in table::lines(&[], rows, columns, Narrow::Hide)
            .iter()
            .zip(views)
        {
            let word = view.state.as_str();
            let rest = line.strip_prefix(word).unwrap_or(line);
            let word = match self.columns {
                Some(_) => format!("{} {word}", style::sign_of_view(view.state)),
                None => word.to_owned(),
            };
            let style = style::of_view(view.state);
            let _ = writeln!(page, "  {}{rest}", self.palette.paint(style, word));
        }
        page
    }

    /// What a plan does to views for no migration: what is missing, before or after them; the rest after.
    pub(super) fn besides(self, report: &PlanReport) -> String {
        if report.views.is_empty() {
            return String::new();
        }
        if report.steps.is_empty() {
            return self.planned_views(&report.views, 2);
        }
        format!("\n  besides\n{}", self.planned_views(&report.views, 4))
    }

    /// Under a step of a plan, or after the last: a line for each view.
    pub(super) fn planned_views(self, views: &[PlannedView], indent: usize) -> String {
        // Of one name when one hands over to the next: the type tells them apart.
        let label = |view: &PlannedView| {
            let twins = views.iter().filter(|other| other.name == view.name).count();
            let name = one_line(&view.name);
            if twins > 1 {
                format!("{name} ({})", one_line(&view.id))
            } else {
                name
            }
        };
        let labels: Vec<String> = views.iter().map(label).collect();
        let widest = labels.iter().map(|label| width(label)).max().unwrap_or(0);
        let mut page = String::new();
        for (view, label) in views.iter().zip(labels) {
            let (what, style) = match view.action {
                ViewAction::Up => ("comes up", style::GOOD),
                ViewAction::Down => ("goes down", style::CARE),
                ViewAction::Suspend => ("suspended", style::CARE),
                ViewAction::Rebuild => ("built anew", style::BUSY),
                _ => (view.action.as_str(), style::DIM),
            };
            let _ = writeln!(
                page,
                "{:indent$}view {}  {}: {}",
                "",
                padded(&label, widest),
                self.palette.paint(style, what),
                one_line(&view.because),
            );
        }
        page
    }
}

/// When a view lives, and on what.
pub(in crate::render) struct Facts<'v> {
    pub(in crate::render) id: &'v str,
    pub(in crate::render) since: &'v str,
    pub(in crate::render) until: Option<&'v str>,
    pub(in crate::render) uses: &'v [String],
    pub(in crate::render) suspended_by: &'v [String],
}

impl Facts<'_> {
    /// `since x, until y, uses a, b`. At a terminal, where there is little room, without the package
    /// where it is the view's own.
    pub(in crate::render) fn told(&self, page: Page) -> String {
        let own = self.id.split_once(':').map(|(package, _)| package);
        let name = |id: &str| {
            let id = one_line(id);
            match id.split_once(':') {
                Some((package, name)) if page.columns.is_some() && Some(package) == own => {
                    name.to_owned()
                }
                _ => id,
            }
        };
        let names = |ids: &[String]| {
            let names: Vec<String> = ids.iter().map(|id| name(id)).collect();
            names.join(", ")
        };
        let mut facts = vec![format!("since {}", name(self.since))];
        facts.extend(self.until.map(|id| format!("until {}", name(id))));
        if !self.uses.is_empty() {
            facts.push(format!("uses {}", names(self.uses)));
        }
        if !self.suspended_by.is_empty() {
            facts.push(format!("suspended by {}", names(self.suspended_by)));
        }
        facts.join(", ")
    }
}
