//! `plan`, and `up --dry-run`, perhaps with `--sql`: what `up` would do.

use migrate_core::frontend::UpRequest;

use super::{Context, Done};
use crate::{
    exit,
    render::{human::Page, json},
};

/// How much of a plan is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Steps,
    Statements,
}

pub(super) fn run(context: &mut Context<'_, '_>, request: &UpRequest, depth: Depth) -> Done {
    let targets = context.targets()?;
    let requests = super::up::share(context, &targets, request)?;
    let mut reports = Vec::new();
    for (database, request) in requests {
        let mut deployment = context.open(&database)?;
        let report = match depth {
            Depth::Steps => deployment.plan(&request)?,
            Depth::Statements => deployment.rehearse(&request)?,
        };
        if !context.is_json() {
            let page = context.page();
            let gap = if reports.is_empty() { "" } else { "\n" };
            let text = format!(
                "{gap}{}{}",
                page.heading(&database),
                Page::plan(page, &report)
            );
            context.console.out(&text);
        }
        reports.push(report);
    }
    if context.is_json() {
        context.console.out(&json::plan(&reports));
    }
    Ok(exit::DONE)
}
