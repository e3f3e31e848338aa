//! What `up` is to do.

use super::{Obstacle, Plan, PlanError, Step};
use crate::{Graph, Standing, State, frontend::Target, report::Action};

pub(super) fn plan(
    graph: &Graph,
    standing: &Standing<'_>,
    target: &Target,
) -> Result<Plan, PlanError> {
    let wanted = match target {
        Target::Ids(ids) => Some(closure(graph, ids)?),
        Target::All | Target::Steps(_) => None,
    };
    let mut plan = Plan::default();
    // The first unsettled thing that each migration is or requires. Requirements come earlier in
    // the order, so that theirs is known already; it stays empty while nothing is unsettled.
    let mut waits: Vec<Option<usize>> = Vec::new();
    for at in 0..graph.len() {
        let state = standing.state(at);
        let is_unsettled = matches!(state, State::Interrupted | State::Running);
        if is_unsettled {
            waits.resize(graph.len(), None);
        }
        let required = inherited(graph, &waits, at);
        if let Some(slot) = waits.get_mut(at) {
            *slot = required.or(is_unsettled.then_some(at));
        }
        let is_wanted = wanted
            .as_ref()
            .is_none_or(|wanted| wanted.get(at).copied().unwrap_or_default());
        if state == State::Applied || !is_wanted {
            continue;
        }
        match if is_unsettled { Some(at) } else { required } {
            Some(on) => plan.blocked.push(Obstacle {
                at,
                on,
                state: standing.state(on),
            }),
            None => plan.steps.push(Step {
                at,
                action: Action::Apply,
                state,
            }),
        }
    }
    if let Target::Steps(limit) = target {
        plan.steps.truncate(*limit);
    }
    Ok(plan)
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
