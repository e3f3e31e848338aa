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
    Ok(reports
        .iter()
        .map(code)
        .max_by_key(weight)
        .unwrap_or(exit::DONE))
}

/// What is wrong with the program weighs more than a disagreement, that more than something pending,
/// and each more than nothing.
fn weight(code: &u8) -> u8 {
    match *code {
        exit::USAGE => exit::DISAGREEMENT + 1,
        code => code,
    }
}

fn code(report: &CheckReport) -> u8 {
    let pending = !(report.pending.is_empty() && report.pending_views.is_empty());
    let rest = if pending { exit::PENDING } else { exit::DONE };
    let codes = report
        .problems
        .iter()
        .map(|problem| of_problem(problem.kind));
    codes.chain([rest]).max_by_key(weight).unwrap_or(rest)
}

fn of_problem(kind: ProblemKind) -> u8 {
    match kind {
        // Information, and advice.
        ProblemKind::OutOfOrder | ProblemKind::ViewUses => exit::DONE,
        // The next `up` puts it right.
        ProblemKind::ViewMissing | ProblemKind::ViewChanged => exit::PENDING,
        ProblemKind::ViewLifetime => exit::USAGE,
        _ => exit::DISAGREEMENT,
    }
}
