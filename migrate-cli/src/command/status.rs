//! `status`: every migration and view with its state.

use migrate_core::{
    Deployment, State,
    report::{StatusReport, ViewState},
};

use super::{
    Context, Done,
    survey::{self, Telling},
};
use crate::{
    exit,
    render::{human::Page, json, matrix::Row},
    request::StatusExit,
};

pub(super) fn run(context: &mut Context<'_, '_>, exit: StatusExit) -> Done {
    let code = |report: &StatusReport| match exit {
        StatusExit::Applied if pending(report) => exit::PENDING,
        _ => exit::DONE,
    };
    let survey = survey::run(
        context,
        &Telling {
            ask: |deployment: &mut dyn Deployment| deployment.status(),
            human: Page::status,
            json: json::status,
            row: |report: &StatusReport| row(report, code(report)),
        },
    )?;
    let codes = survey.reports.iter().map(code);
    Ok(survey
        .failed
        .unwrap_or_else(|| codes.max().unwrap_or(exit::DONE)))
}

fn row(report: &StatusReport, code: u8) -> Row {
    let of = |states: &[State]| {
        let all = report.migrations.iter();
        all.filter(|it| states.contains(&it.state)).count()
    };
    let failed = of(&[State::Failed, State::Interrupted]);
    let stands = if pending(report) {
        exit::PENDING
    } else {
        exit::DONE
    };
    Row {
        database: report.database.clone(),
        applied: of(&[State::Applied]),
        pending: report.unapplied(),
        failed,
        outcome: survey::outcome(stands, failed),
        code: Some(code),
    }
}

/// Whether there is something for `up` to do.
fn pending(report: &StatusReport) -> bool {
    let done = |state| matches!(state, ViewState::Up | ViewState::Down);
    report.unapplied() > 0 || report.views.iter().any(|view| !done(view.state))
}
