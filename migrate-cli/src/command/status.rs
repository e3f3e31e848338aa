//! `status`: every migration and view with its state.

use migrate_core::report::{StatusReport, ViewState};

use super::{Context, Done};
use crate::{
    exit,
    render::{human::Page, json},
    request::StatusExit,
};

pub(super) fn run(context: &mut Context<'_, '_>, exit: StatusExit) -> Done {
    let reports = context.report(|deployment| deployment.status(), Page::status, json::status)?;
    Ok(
        if exit == StatusExit::Applied && reports.iter().any(pending) {
            exit::PENDING
        } else {
            exit::DONE
        },
    )
}

/// Whether there is something for `up` to do.
fn pending(report: &StatusReport) -> bool {
    let done = |state| matches!(state, ViewState::Up | ViewState::Down);
    report.unapplied() > 0 || report.views.iter().any(|view| !done(view.state))
}
