//! Plans of several databases, of which one may require what another one has.

use migrate_core::{
    DatabaseSettings, Failure,
    frontend::{Target, UpRequest},
    report::{Action, PlanReport},
};

use super::Context;

/// Which database is asked for what.
pub(super) type Shares = Vec<(DatabaseSettings, UpRequest)>;

/// What each would do, where what is required of another one counts as applied if that is in its own
/// plan. Where only some ids are asked for, what they require of other databases is added to `shares`,
/// as far as these are among `targets`.
///
/// # Errors
/// A database cannot be reached, or has no plan.
pub(super) fn plans(
    context: &Context<'_, '_>,
    shares: &mut Shares,
    targets: &[DatabaseSettings],
) -> Result<Vec<PlanReport>, Failure> {
    let mut reports: Vec<Option<PlanReport>> = Vec::new();
    loop {
        reports.resize(shares.len(), None);
        let planned: Vec<(String, String)> = reports.iter().flatten().flat_map(steps).collect();
        let mut changed = false;
        for ((database, request), known) in shares.iter_mut().zip(&mut reports) {
            let before = known.as_ref().map(|report| report.steps.len());
            if known.as_ref().is_some_and(|report| !waits(report)) {
                continue;
            }
            request.planned.clone_from(&planned);
            let report = context.open(database)?.plan(request)?;
            changed |= before != Some(report.steps.len());
            *known = Some(report);
        }
        for (at, id) in wanted(&reports, targets) {
            if let Some(at) = ask(shares, &at, id) {
                changed = true;
                if let Some(known) = reports.get_mut(at) {
                    *known = None;
                }
            }
        }
        if !changed {
            return Ok(reports.into_iter().flatten().collect());
        }
    }
}

/// Whether anything in it waits for another database.
fn waits(report: &PlanReport) -> bool {
    report.blocked.iter().any(|it| it.elsewhere.is_some())
}

fn steps(report: &PlanReport) -> impl Iterator<Item = (String, String)> + '_ {
    let steps = report.steps.iter();
    let applied = steps.filter(|step| step.action != Action::Revert);
    applied.map(|step| (report.database.clone(), step.id.clone()))
}

/// What is waited for, by the database that has it.
fn wanted(
    reports: &[Option<PlanReport>],
    targets: &[DatabaseSettings],
) -> Vec<(DatabaseSettings, String)> {
    let blocked = reports.iter().flatten().flat_map(|it| &it.blocked);
    let elsewhere = blocked.filter_map(|it| it.elsewhere.as_ref());
    elsewhere
        .filter_map(|it| {
            let database = targets.iter().find(|target| target.name == it.database)?;
            Some((database.clone(), it.id.clone()))
        })
        .collect()
}

/// Asks `database` for `id` too, where it is asked for some ids only; tells whose share has changed.
fn ask(shares: &mut Shares, database: &DatabaseSettings, id: String) -> Option<usize> {
    let at = shares.iter().position(|(it, _)| it.name == database.name);
    let Some(at) = at else {
        let (_, template) = shares.first()?;
        let request = UpRequest {
            target: Target::Ids(vec![id]),
            ..template.clone()
        };
        shares.push((database.clone(), request));
        return Some(shares.len() - 1);
    };
    let (_, request) = shares.get_mut(at)?;
    match &mut request.target {
        Target::Ids(ids) if !ids.contains(&id) => {
            ids.push(id);
            Some(at)
        }
        _ => None,
    }
}
