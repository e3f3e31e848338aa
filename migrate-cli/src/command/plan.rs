//! `plan`, and `up --dry-run`, perhaps with `--sql`: what `up` would do.

use migrate_core::{frontend::UpRequest, report::PlanReport};

use super::{Context, Done, across, several};
use crate::{
    exit,
    render::{
        human::{self, Page},
        json,
    },
    request::Rehearsal,
};

/// How much of a plan is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Steps,
    Tried(Rehearsal),
}

pub(super) fn run(context: &mut Context<'_, '_>, request: &UpRequest, depth: Depth) -> Done {
    let targets = context.targets()?;
    let mut shares = super::up::share(context, &targets, request)?;
    let mut known = Vec::new();
    if targets.len() > 1 {
        known = across::plans(context, &mut shares, &targets)?;
        let order = several::order(context, &shares)?.sorted();
        shares = order
            .iter()
            .filter_map(|&at| shares.get(at).cloned())
            .collect();
    }
    let mut reports: Vec<PlanReport> = Vec::new();
    for (database, request) in shares {
        let known = known.iter().find(|it| it.database == database.name);
        let report = match (depth, known) {
            (Depth::Steps, Some(known)) => known.clone(),
            (Depth::Steps, None) => context.open(&database)?.plan(&request)?,
            (Depth::Tried(_), _) => context.open(&database)?.rehearse(&request)?,
        };
        if !context.is_json() {
            let gap = if reports.is_empty() { "" } else { "\n" };
            let text = match depth {
                Depth::Tried(Rehearsal::Script) => human::script(&report),
                Depth::Steps | Depth::Tried(Rehearsal::Report) => {
                    let page = context.page();
                    format!("{}{}", page.heading(&database), Page::plan(page, &report))
                }
            };
            context.console.out(&format!("{gap}{text}"));
        }
        let failed = failure(&report).is_some();
        reports.push(report);
        if failed {
            break;
        }
    }
    if context.is_json() {
        context.console.out(&json::plan(&reports));
    }
    if depth == Depth::Tried(Rehearsal::Script) {
        warn_of_gaps(context, &reports);
    }
    match reports.iter().find_map(failure) {
        Some(failure) => Err(failure.clone()),
        None => Ok(exit::DONE),
    }
}

fn failure(report: &PlanReport) -> Option<&migrate_core::Failure> {
    report.rehearsal.as_ref()?.failure.as_ref()
}

/// A script that lacks something says so where it cannot be overlooked.
fn warn_of_gaps(context: &mut Context<'_, '_>, reports: &[PlanReport]) {
    for report in reports {
        let gaps = report.steps.iter().filter(|step| {
            matches!(
                step.rehearsal,
                Some(migrate_core::report::Rehearsal::NotShown(_))
            )
        });
        let gaps = gaps.count();
        if gaps > 0 {
            let what = crate::render::count(gaps, "migration");
            context.console.warning(&format!(
                "the script for `{}` is not complete: it lacks {what}; its comments say which, and why",
                report.database
            ));
        }
    }
}
