//! `check`: do code, history and database agree?

use migrate_core::report::{CheckReport, ProblemKind};

use super::{Context, Done};
use crate::{
    exit,
    render::{human::Page, json},
};

pub(super) fn run(context: &mut Context<'_, '_>) -> Done {
    let reports = context.report(
        |deployment| deployment.check(),
        |page, report| Page::check(page, report, code(report)),
        json::check,
    )?;
    // A disagreement (4) weighs more than something pending (3), and both more than nothing.
    Ok(reports.iter().map(code).max().unwrap_or(exit::DONE))
}

fn code(report: &CheckReport) -> u8 {
    let disagree = report
        .problems
        .iter()
        .any(|problem| problem.kind != ProblemKind::OutOfOrder);
    if disagree {
        exit::DISAGREEMENT
    } else if report.pending.is_empty() {
        exit::DONE
    } else {
        exit::PENDING
    }
}
