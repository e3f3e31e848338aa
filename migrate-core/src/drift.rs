//! Where code and history disagree.

use crate::{
    Graph, History, OnChanged, Repeat, Scale, Standing, State,
    graph::databases_of,
    report::{Problem, ProblemKind},
};

/// Every disagreement between what a program carries and what a database says was done: first
/// what is missing, then interrupted, changed and out of order.
///
/// - Missing: a row of history, in whatever state, that no migration carried counts as its own.
/// - Interrupted: a process died in it outside a transaction.
/// - Changed: applied, and its body differs from the one that was run.
/// - Out of order (information): pending, while something that comes later is applied. What waits
///   for something failed, deferred or interrupted is not among these: later ones were let past.
#[must_use]
pub fn problems(graph: &Graph, standing: &Standing<'_>, history: &History) -> Vec<Problem> {
    let mut problems = missing(graph, standing, history);
    problems.extend(partly_replaced(graph, standing));
    problems.extend(interrupted(graph, standing));
    problems.extend(changed(graph, standing));
    problems.extend(out_of_order(graph, standing));
    problems
}

/// Whether `up` has to stop at such a disagreement.
#[must_use]
pub const fn is_unsafe(kind: ProblemKind) -> bool {
    matches!(kind, ProblemKind::Missing | ProblemKind::PartlyReplaced)
}

/// The changes among `problems` at which `up` has to stop until a person accepts them.
///
/// A function may have been formatted anew; of SQL text the fingerprint sees neither comments nor blanks,
/// so that what changed there is what would run elsewhere and did not run here.
#[must_use]
pub fn refused_changes(graph: &Graph, problems: &[Problem], on_changed: OnChanged) -> Vec<Problem> {
    let is_sql = |id: &str| {
        let at = graph.find(id).ok();
        let descriptor = at.and_then(|at| graph.get(at));
        descriptor.is_some_and(|it| it.sql.is_some())
    };
    let is_refused = |id: &str| match on_changed {
        OnChanged::RefuseSql => is_sql(id),
        OnChanged::Refuse => true,
        OnChanged::Warn => false,
    };
    problems
        .iter()
        .filter(|it| it.kind == ProblemKind::Changed && is_refused(&it.id))
        .cloned()
        .collect()
}

fn missing(graph: &Graph, standing: &Standing<'_>, history: &History) -> Vec<Problem> {
    let rows = history.iter().enumerate();
    rows.filter(|(position, _)| standing.node(*position).is_none())
        .map(|(_, row)| {
            let what = unclaimed(graph, &row.id);
            let message = format!("`{}` is in the history ({}), but {what}", row.id, row.state);
            Problem::new(ProblemKind::Missing, row.id.clone(), message)
        })
        .collect()
}

/// Why no migration counts as this id, and what to do.
fn unclaimed(graph: &Graph, id: &str) -> String {
    let Some((package, name)) = id.split_once(':') else {
        return "that is no id of a migration (`package:name`); was the row written by hand?"
            .to_owned();
    };
    let whole = graph.whole();
    if let Some(elsewhere) = whole
        .claim(package, name)
        .and_then(|claim| whole.get(claim.at as usize))
    {
        return format!(
            "`{}` ({}) belongs only to the database `{}`; let it belong to this one too",
            elsewhere.id,
            elsewhere.location,
            databases_of(elsewhere).join("`, `"),
        );
    }
    if whole.iter().any(|it| it.id.package() == package) {
        format!(
            "this program carries `{package}` without it; if it was renamed, say `was = [\"{id}\"]` at \
             the migration that it is now, else bring it back"
        )
    } else {
        format!(
            "this program carries nothing of `{package}`; name the crate in `main!(.., {package})`, or, \
             if the migration moved to another crate, say `was = [\"{id}\"]` there"
        )
    }
}

fn partly_replaced(graph: &Graph, standing: &Standing<'_>) -> Vec<Problem> {
    let partly = standing.partly_replaced().iter();
    let ids = |positions: &[usize]| {
        let ids: Vec<String> = positions
            .iter()
            .filter_map(|&at| graph.get(at))
            .map(|it| format!("`{}`", it.id))
            .collect();
        ids.join(", ")
    };
    partly
        .filter_map(|it| {
            let squash = graph.get(it.at)?;
            let message = format!(
                "`{}` replaces {}, of which {} ran here and {} did not; run a program of before the squash first, \
                 which applies the rest",
                squash.id,
                ids(&[it.applied.as_slice(), &it.open].concat()),
                ids(&it.applied),
                ids(&it.open),
            );
            let problem =
                Problem::new(ProblemKind::PartlyReplaced, squash.id.to_string(), message);
            Some(problem.at(squash.location))
        })
        .collect()
}

fn interrupted<'a>(
    graph: &'a Graph,
    standing: &'a Standing<'_>,
) -> impl Iterator<Item = Problem> + 'a {
    let nodes = graph.iter().enumerate();
    nodes
        .filter(|(at, _)| standing.state(*at) == State::Interrupted)
        .map(|(_, descriptor)| {
            let id = descriptor.id.to_string();
            let message = format!(
                "`{id}` was interrupted: its process died, and what it did is unknown; look at the \
                 database, then settle it with `resolve {id} --retry`, `--applied` or `--reverted`"
            );
            Problem::new(ProblemKind::Interrupted, id, message).at(descriptor.location)
        })
}

fn changed<'a>(graph: &'a Graph, standing: &'a Standing<'_>) -> impl Iterator<Item = Problem> + 'a {
    let nodes = graph.iter().enumerate();
    nodes
        .filter(|(at, descriptor)| {
            let row = standing
                .row(*at)
                .filter(|row| row.state == State::Applied && descriptor.repeat == Repeat::Never);
            let recorded = row.and_then(|row| row.fingerprint);
            recorded.is_some_and(|recorded| recorded != descriptor.fingerprint)
        })
        .map(|(_, descriptor)| {
            let what = if descriptor.sql.is_some() {
                "SQL"
            } else {
                "code"
            };
            let message = format!(
                "`{}` was applied and its {what} changed since; write a new migration for the difference",
                descriptor.id
            );
            Problem::new(ProblemKind::Changed, descriptor.id.to_string(), message)
                .at(descriptor.location)
        })
}

fn out_of_order(graph: &Graph, standing: &Standing<'_>) -> Vec<Problem> {
    let is_applied = |at: &usize| standing.state(*at) == State::Applied;
    let Some(last) = (0..graph.len()).rev().find(is_applied) else {
        return Vec::new();
    };
    let mut held = Vec::with_capacity(last);
    let mut problems = Vec::new();
    for at in 0..last {
        let state = standing.state(at);
        let is_held = match state {
            State::Applied => false,
            State::Pending => {
                let mut required = graph.requirements(at).iter();
                // A mass migration takes its time, and the others do not wait for it.
                graph.get(at).is_some_and(|it| it.scale == Scale::Mass)
                    || required.any(|&at| held.get(at as usize).copied().unwrap_or_default())
            }
            _ => true,
        };
        held.push(is_held);
        let runs_on_its_own = graph.get(at).is_some_and(|it| it.repeat != Repeat::Never)
            || standing.replaced_by(at).is_some();
        if state != State::Pending || is_held || runs_on_its_own {
            continue;
        }
        let later = (at + 1..=last)
            .find(is_applied)
            .and_then(|at| graph.get(at));
        if let (Some(descriptor), Some(later)) = (graph.get(at), later) {
            let message = format!(
                "`{}` is pending and comes before `{}`, which is applied already",
                descriptor.id, later.id
            );
            let problem = Problem::new(ProblemKind::OutOfOrder, descriptor.id.to_string(), message);
            problems.push(problem.at(descriptor.location));
        }
    }
    problems
}
