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
    // What each migration waits for. Requirements come earlier in the order, so that theirs is
    // known already; it stays empty while nothing blocks.
    let mut waits: Vec<Option<u32>> = Vec::new();
    for at in 0..graph.len() {
        let state = standing.state(at);
        let stands = matches!(state, State::Interrupted | State::Running);
        let on = if stands {
            waits.resize(graph.len(), None);
            u32::try_from(at).ok()
        } else if waits.is_empty() {
            None
        } else {
            let required = graph.requirements(at).iter();
            required
                .filter_map(|&required| waits.get(required as usize).copied().flatten())
                .min()
        };
        if let Some(slot) = waits.get_mut(at) {
            *slot = on;
        }
        let is_wanted = wanted
            .as_ref()
            .is_none_or(|wanted| wanted.get(at).copied().unwrap_or_default());
        if state == State::Applied || !is_wanted {
            continue;
        }
        match on.map(|on| on as usize) {
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
