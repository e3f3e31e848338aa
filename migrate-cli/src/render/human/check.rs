//! `check` for people.

use std::fmt::Write as _;

use migrate_core::report::CheckReport;

use super::Page;
use crate::{
    exit,
    render::{
        style,
        text::{count, one_line},
    },
};

impl Page {
    /// `check`.
    pub(crate) fn check(self, report: &CheckReport, code: u8) -> String {
        let mut page = self.problems(&report.problems);
        if !(report.pending.is_empty() && report.pending_views.is_empty()) {
            let _ = writeln!(page, "\n{}", self.palette.paint(style::BOLD, "pending"));
            for id in &report.pending {
                let blocked = report.blocked.iter().find(|it| it.id == *id);
                match blocked {
                    Some(blocked) => page.push_str(&self.blocked(blocked)),
                    None => {
                        let _ = writeln!(page, "  {}", one_line(id));
                    }
                }
            }
            for id in &report.pending_views {
                let _ = writeln!(page, "  view {}", one_line(id));
            }
        }
        let carried = count(report.carried, "migration");
        let verdict = match code {
            exit::DONE => self.palette.paint(
                style::GOOD,
                format!("code, history and database agree: {carried}, all applied"),
            ),
            exit::PENDING => self
                .palette
                .paint(style::CARE, format!("{} pending", pending(report))),
            exit::USAGE => self
                .palette
                .paint(style::BAD, "the lifetimes of the views do not fit"),
            _ => self.palette.paint(
                style::BAD,
                format!("code, history and database do not agree ({carried} carried)"),
            ),
        };
        let gap = if page.is_empty() { "" } else { "\n" };
        let _ = writeln!(page, "{gap}{verdict}");
        page
    }
}

/// `4 of 7 migrations, 1 view`.
fn pending(report: &CheckReport) -> String {
    let carried = count(report.carried, "migration");
    let migrations = format!("{} of {carried}", report.pending.len());
    match (report.pending.len(), report.pending_views.len()) {
        (_, 0) => migrations,
        (0, views) => count(views, "view"),
        (_, views) => format!("{migrations}, {}", count(views, "view")),
    }
}
