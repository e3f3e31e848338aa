//! `status`: every migration with its state.

use migrate_core::report::StatusReport;

use super::{Context, Done};
use crate::{
    exit,
    render::{human::Page, json},
    request::StatusExit,
};

pub(super) fn run(context: &mut Context<'_, '_>, exit: StatusExit) -> Done {
    let reports = context.report(|deployment| deployment.status(), Page::status, json::status)?;
    let unapplied: usize = reports.iter().map(StatusReport::unapplied).sum();
    Ok(if exit == StatusExit::Applied && unapplied > 0 {
        exit::PENDING
    } else {
        exit::DONE
    })
}
