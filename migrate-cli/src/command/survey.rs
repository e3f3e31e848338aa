//! A report on each of several databases, and a table of all.

use migrate_core::{DatabaseSettings, Deployment, Failure, FailureKind};

use super::Context;
use crate::{
    exit,
    render::{
        human::Page,
        matrix::{Outcome, Row},
    },
};

/// What came of it.
pub(super) struct Survey<R> {
    pub(super) reports: Vec<R>,
    /// The exit code of the first database of which there is none.
    pub(super) failed: Option<u8>,
}

/// How a report is told.
pub(super) struct Telling<A, H, J, W> {
    pub(super) ask: A,
    pub(super) human: H,
    pub(super) json: J,
    /// The line of the table.
    pub(super) row: W,
}

/// Asks each database. A person gets what there is, of several also without those that give no answer; a
/// program gets one document.
///
/// # Errors
/// The only database gives no answer, or for a program any.
pub(super) fn run<R>(
    context: &mut Context<'_, '_>,
    telling: &Telling<
        impl Fn(&mut dyn Deployment) -> Result<R, Failure>,
        impl Fn(Page, &R) -> String,
        impl Fn(&[R]) -> String,
        impl Fn(&R) -> Row,
    >,
) -> Result<Survey<R>, Failure> {
    let targets = context.targets()?;
    let mut survey = Survey {
        reports: Vec::new(),
        failed: None,
    };
    let mut rows = Vec::new();
    for (at, database) in targets.iter().enumerate() {
        let page = context.page();
        let gap = if at == 0 { "" } else { "\n" };
        let heading = format!("{gap}{}", page.heading(database));
        let asked = context
            .open(database)
            .and_then(|mut deployment| (telling.ask)(deployment.as_mut()));
        let report = match asked {
            Ok(report) => report,
            Err(failure) if context.is_json() || targets.len() == 1 => return Err(failure),
            Err(failure) => {
                context.console.out(&heading);
                let code = context.console.failure(&failure);
                survey.failed.get_or_insert(code);
                rows.push(unknown(database, failure.kind, code));
                continue;
            }
        };
        if !context.is_json() {
            let text = (telling.human)(page, &report);
            context.console.out(&format!("{heading}{text}"));
        }
        rows.push((telling.row)(&report));
        survey.reports.push(report);
    }
    if context.is_json() {
        let text = (telling.json)(&survey.reports);
        context.console.out(&text);
    } else if targets.len() > 1 {
        let text = context.page().matrix(&rows);
        context.console.out(&text);
    }
    Ok(survey)
}

fn unknown(database: &DatabaseSettings, kind: FailureKind, code: u8) -> Row {
    Row {
        database: database.name.clone(),
        applied: 0,
        pending: 0,
        failed: 0,
        outcome: Outcome::Of(kind),
        code: Some(code),
    }
}

/// In a word, what a code of `status` or `check` says.
pub(super) fn outcome(code: u8, failed: usize) -> Outcome {
    match code {
        exit::USAGE => Outcome::Of(FailureKind::Usage),
        exit::DISAGREEMENT => Outcome::Of(FailureKind::Disagreement),
        _ if failed > 0 => Outcome::Failed,
        exit::PENDING => Outcome::Pending,
        _ => Outcome::UpToDate,
    }
}
