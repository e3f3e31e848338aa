//! What `up` is to do.

use super::{Obstacle, Plan, PlanError, Step};
use crate::{
    Graph, Phase, Repeat, Standing, State,
    frontend::{Repeats, Target},
    report::Action,
};

pub(super) fn plan(
    graph: &Graph,
    standing: &Standing<'_>,
    target: &Target,
    repeats: Repeats,
) -> Result<Plan, PlanError> {
    let wanted = match target {
        Target::Ids(ids) => Some(closure(graph, ids)?),
        Target::All | Target::Steps(_) => None,
    };
    let mut plan = Plan::default();
    // Repeatable ones that run if anything does.
    let mut always: Vec<Step> = Vec::new();
    // The first unsettled thing that each migration is or requires. Requirements come earlier in
    // the order, so that theirs is known already; it stays empty while nothing is unsettled.
    let mut waits: Vec<Option<usize>> = Vec::new();
    for at in 0..graph.len() {
        let state = standing.state(at);
        let is_unsettled = matches!(state, State::Interrupted | State::Running);
        let is_stuck = is_unsettled || standing.unmet(at).is_some();
        if is_stuck {
            waits.resize(graph.len(), None);
        }
        let required = inherited(graph, &waits, at);
        if let Some(slot) = waits.get_mut(at) {
            *slot = required.or(is_stuck.then_some(at));
        }
        let is_wanted = wanted
            .as_ref()
            .is_none_or(|wanted| wanted.get(at).copied().unwrap_or_default());
        let repeat = graph.get(at).map_or(Repeat::Never, |it| it.repeat);
        let runs_always = matches!(repeat, Repeat::Always(_));
        let is_asked = is_wanted || runs_always;
        let is_forced = repeats == Repeats::All && repeat != Repeat::Never;
        let is_done = state == State::Applied && !runs_always && !is_forced;
        if is_done || !is_asked || standing.replaced_by(at).is_some() {
            continue;
        }
        let step = Step {
            at,
            action: match repeat {
                Repeat::Never => Action::Apply,
                _ if standing
                    .row(at)
                    .is_some_and(|row| row.state == State::Applied) =>
                {
                    Action::Repeat
                }
                _ => Action::Apply,
            },
            state,
        };
        match if is_stuck { Some(at) } else { required } {
            Some(on) => plan.blocked.push(Obstacle {
                at,
                on,
                state: standing.state(on),
                elsewhere: match standing.state(on) {
                    State::Interrupted | State::Running => None,
                    _ => standing.unmet(on).cloned(),
                },
            }),
            None if runs_always && state == State::Applied => always.push(step),
            None => plan.steps.push(step),
        }
    }
    if let Target::Steps(limit) = target {
        limited(graph, &mut plan.steps, *limit);
    }
    if !plan.steps.is_empty() || repeats == Repeats::All {
        plan.steps.extend(always);
    }
    // The order of the graph within a phase.
    if plan.steps.iter().any(|step| is_repeatable(graph, step.at)) {
        plan.steps
            .sort_by_key(|step| (phase_of(graph, step.at), step.at));
    }
    Ok(plan)
}

/// 0 before, 1 for what runs once, 2 after.
fn phase_of(graph: &Graph, at: usize) -> u8 {
    match graph.get(at).and_then(|it| it.repeat.phase()) {
        Some(Phase::Before) => 0,
        None => 1,
        Some(Phase::After) => 2,
    }
}

fn is_repeatable(graph: &Graph, at: usize) -> bool {
    phase_of(graph, at) != 1
}

/// The first `limit` of what runs once; repeatable ones do not count.
fn limited(graph: &Graph, steps: &mut Vec<Step>, limit: usize) {
    let mut left = limit;
    steps.retain(|step| {
        if is_repeatable(graph, step.at) {
            return limit > 0;
        }
        let is_in = left > 0;
        left = left.saturating_sub(1);
        is_in
    });
}

/// The first thing that a requirement of `at` waits for.
fn inherited(graph: &Graph, waits: &[Option<usize>], at: usize) -> Option<usize> {
    if waits.is_empty() {
        return None;
    }
    let required = graph.requirements(at).iter();
    required
        .filter_map(|&required| waits.get(required as usize).copied().flatten())
        .min()
}

/// Which migrations these ids name, and what those require, directly or not.
fn closure(graph: &Graph, ids: &[String]) -> Result<Vec<bool>, PlanError> {
    let mut wanted = vec![false; graph.len()];
    let mut errors = Vec::new();
    for id in ids {
        match graph.find(id) {
            Ok(at) => mark(&mut wanted, at),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(PlanError::Lookup(errors));
    }
    // Backwards: everything that requires a migration comes after it.
    for at in (0..graph.len()).rev() {
        if wanted.get(at).copied().unwrap_or_default() {
            for &required in graph.requirements(at) {
                mark(&mut wanted, required as usize);
            }
        }
    }
    Ok(wanted)
}

fn mark(marks: &mut [bool], at: usize) {
    if let Some(mark) = marks.get_mut(at) {
        *mark = true;
    }
}
