//! `check`: do code, history and database agree?

use migrate_core::{
    Deployment,
    report::{CheckReport, ProblemKind},
};

use super::{
    Context, Done,
    survey::{self, Telling},
};
use crate::{
    exit,
    render::{human::Page, json, matrix::Row},
};

pub(super) fn run(context: &mut Context<'_, '_>) -> Done {
    let survey = survey::run(
        context,
        &Telling {
            ask: |deployment: &mut dyn Deployment| deployment.check(),
            human: |page, report: &CheckReport| Page::check(page, report, code(report)),
            json: json::check,
            row,
        },
    )?;
    let codes = survey.reports.iter().map(code);
    Ok(survey
        .failed
        .unwrap_or_else(|| codes.max_by_key(weight).unwrap_or(exit::DONE)))
}

fn row(report: &CheckReport) -> Row {
    let code = code(report);
    Row {
        database: report.database.clone(),
        applied: report.carried.saturating_sub(report.pending.len()),
        pending: report.pending.len(),
        failed: report.failed,
        outcome: survey::outcome(code, report.failed),
        code: Some(code),
    }
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
