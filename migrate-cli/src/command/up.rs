//! `up`: apply what is pending.

use migrate_core::{
    DatabaseSettings, Failure, FailureKind,
    frontend::{Target, UpRequest},
};

use super::{Context, Done, across, several};
use crate::{
    exit,
    render::progress::{Doing, Reporter},
    request::Several,
};

pub(super) fn run(context: &mut Context<'_, '_>, request: &UpRequest, how: Several) -> Done {
    let targets = context.targets()?;
    let mut shares = share(context, &targets, request)?;
    if targets.len() > 1 {
        if matches!(request.target, Target::Ids(_)) {
            // For the ids of other databases that they require; what is in the way of that, `up` will meet.
            let mut more = shares.clone();
            if across::plans(context, &mut more, &targets).is_ok() {
                shares = more;
            }
            for (_, request) in &mut shares {
                // Now it has to be so.
                request.planned.clear();
            }
        }
        return several::run(context, shares, request, how);
    }
    let Some((database, request)) = shares.pop() else {
        return Ok(exit::DONE);
    };
    let mut deployment = context.open(&database)?;
    let mut reporter = Reporter::new(&mut context.console, &database);
    let report = deployment.up(&request, &mut |event| reporter.event(&event));
    let code = reporter.finish(&report, Doing::Up);
    context.applied.migrations += report.summary.applied;
    context.applied.views += report.summary.views;
    Ok(code)
}

/// Which database is asked for what: ids go to the databases that they belong to.
///
/// # Errors
/// An id belongs to none of them (or is ambiguous in one).
pub(super) fn share(
    context: &Context<'_, '_>,
    targets: &[DatabaseSettings],
    request: &UpRequest,
) -> Result<Vec<(DatabaseSettings, UpRequest)>, Failure> {
    let with = |database: &DatabaseSettings, request: UpRequest| (database.clone(), request);
    let ids = match &request.target {
        // With one database, its own answer about an id is the best one.
        Target::Ids(ids) if targets.len() > 1 => ids,
        _ => return Ok(targets.iter().map(|d| with(d, request.clone())).collect()),
    };
    let mut unknown: Vec<(&String, Option<Failure>)> = ids.iter().map(|id| (id, None)).collect();
    let mut found = vec![false; ids.len()];
    let mut shares = Vec::new();
    for database in targets {
        let mut deployment = context.open(database)?;
        let mut here = Vec::new();
        for ((id, failure), found) in unknown.iter_mut().zip(&mut found) {
            let alone = UpRequest {
                target: Target::Ids(vec![(*id).clone()]),
                ..request.clone()
            };
            match deployment.plan(&alone) {
                Err(why) if why.kind == FailureKind::Usage => {
                    failure.get_or_insert(why);
                }
                // Another failure says nothing against the id; `up` will meet it again.
                _ => {
                    *found = true;
                    here.push((*id).clone());
                }
            }
        }
        if !here.is_empty() {
            let target = Target::Ids(here);
            shares.push(with(
                database,
                UpRequest {
                    target,
                    ..request.clone()
                },
            ));
        }
    }
    let lost = unknown.into_iter().zip(found).find(|(_, found)| !found);
    match lost {
        Some(((_, Some(failure)), _)) => Err(failure),
        _ => Ok(shares),
    }
}
