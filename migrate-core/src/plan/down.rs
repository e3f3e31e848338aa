//! What `down` is to do.

use std::collections::{BTreeSet, BinaryHeap};

use super::{Irreversible, Plan, PlanError, Step, Unsettled};
use crate::{
    Graph, History, Repeat, Reversal, Standing, State, frontend::DownTarget, report::Action,
};

pub(super) fn plan(
    graph: &Graph,
    standing: &Standing<'_>,
    target: &DownTarget,
    history: &History,
) -> Result<Plan, PlanError> {
    let named = named(graph, standing, target, history)?;
    if !named.not_carried.is_empty() {
        return Err(PlanError::NotCarried(named.not_carried));
    }
    let above = above(graph, &named.nodes);
    let unsettled: Vec<Unsettled> = above
        .iter()
        .filter_map(|&at| Some((standing.row(at)?.state, graph.get(at)?)))
        .filter(|(state, _)| matches!(state, State::Interrupted | State::Running))
        .map(|(state, it)| Unsettled {
            id: it.id.to_string(),
            state,
        })
        .collect();
    if !unsettled.is_empty() {
        return Err(PlanError::Unsettled(unsettled));
    }
    // Repeatable ones are never reverted: they run again.
    let above: BTreeSet<usize> = above
        .into_iter()
        .filter(|&at| named.nodes.contains(&at) || !is_repeatable(graph, at))
        .collect();
    let steps = sorted(graph, standing, &above);
    let irreversible: Vec<Irreversible> = steps
        .iter()
        .filter_map(|&at| graph.get(at))
        .filter_map(|it| {
            let reason = match it.reversal {
                Reversal::Down => return None,
                Reversal::Unspecified => None,
                Reversal::Irreversible(reason) => Some(reason),
            };
            Some(Irreversible {
                id: it.id.to_string(),
                location: it.location,
                reason,
            })
        })
        .collect();
    if !irreversible.is_empty() {
        return Err(PlanError::Irreversible(irreversible));
    }
    Ok(Plan {
        steps: steps
            .into_iter()
            .map(|at| Step {
                at,
                action: Action::Revert,
                state: State::Applied,
            })
            .collect(),
        ..Plan::default()
    })
}

/// What a target names, before dependants are added.
#[derive(Default)]
struct Named {
    nodes: BTreeSet<usize>,
    /// Ids of rows that would be reverted and that the program does not carry.
    not_carried: Vec<String>,
}

fn named(
    graph: &Graph,
    standing: &Standing<'_>,
    target: &DownTarget,
    history: &History,
) -> Result<Named, PlanError> {
    let mut named = Named::default();
    let (after, limit, stays) = match target {
        DownTarget::Steps(limit) => (0, *limit, BTreeSet::new()),
        DownTarget::Id(id) => {
            let (at, _) = applied(graph, standing, id)?;
            named.nodes.insert(at);
            return Ok(named);
        }
        DownTarget::To(id) => {
            let (at, position) = applied(graph, standing, id)?;
            (position + 1, usize::MAX, below(graph, at))
        }
    };
    let rows = history.iter().enumerate().skip(after).rev();
    let applied = rows.filter(|(position, row)| {
        // A row that another one of the same migration outweighs says nothing.
        let node = standing.node(*position);
        let counts = node.is_none_or(|at| standing.row_position(at) == Some(*position));
        let runs_again = node.is_some_and(|at| is_repeatable(graph, at));
        row.state == State::Applied && counts && !runs_again
    });
    for (position, row) in applied.take(limit) {
        match standing.node(position) {
            Some(at) if stays.contains(&at) => {}
            Some(at) => {
                named.nodes.insert(at);
            }
            None => named.not_carried.push(row.id.clone()),
        }
    }
    Ok(named)
}

fn is_repeatable(graph: &Graph, at: usize) -> bool {
    graph.get(at).is_some_and(|it| it.repeat != Repeat::Never)
}

/// The applied migration that `text` names: its position, and that of its row.
fn applied(
    graph: &Graph,
    standing: &Standing<'_>,
    text: &str,
) -> Result<(usize, usize), PlanError> {
    let at = graph
        .find(text)
        .map_err(|error| PlanError::Lookup(vec![error]))?;
    match standing.row_position(at) {
        Some(position) if standing.state(at) == State::Applied => Ok((at, position)),
        _ => Err(PlanError::NotApplied {
            id: graph
                .get(at)
                .map_or_else(String::new, |it| it.id.to_string()),
            state: standing.state(at),
        }),
    }
}

/// `at` and what it requires, directly or not.
fn below(graph: &Graph, at: usize) -> BTreeSet<usize> {
    reach(&BTreeSet::from([at]), |at| graph.requirements(at))
}

/// `nodes` and what requires one of them, directly or not, applied or not.
fn above(graph: &Graph, nodes: &BTreeSet<usize>) -> BTreeSet<usize> {
    reach(nodes, |at| graph.dependants(at))
}

fn reach<'a>(from: &BTreeSet<usize>, neighbours: impl Fn(usize) -> &'a [u32]) -> BTreeSet<usize> {
    let mut met = from.clone();
    let mut open: Vec<usize> = from.iter().copied().collect();
    while let Some(at) = open.pop() {
        for &next in neighbours(at) {
            if met.insert(next as usize) {
                open.push(next as usize);
            }
        }
    }
    met
}

/// The applied ones of `nodes` (closed under dependants): each after its dependants, apart from
/// that the one applied last first.
fn sorted(graph: &Graph, standing: &Standing<'_>, nodes: &BTreeSet<usize>) -> Vec<usize> {
    // Those that are not applied take part, so that an order which leads through one is kept; they
    // are never waited for long, and left out in the end.
    let mut waiting = vec![0_usize; graph.len()];
    let mut ready = BinaryHeap::new();
    let key = |at: usize| {
        let position = match standing.state(at) {
            State::Applied => standing.row_position(at),
            _ => None,
        };
        // Not applied: before all others, as nothing happens.
        (position.is_none(), position, at)
    };
    for &at in nodes {
        let dependants = graph.dependants(at).iter();
        let dependants = dependants
            .filter(|&&it| nodes.contains(&(it as usize)))
            .count();
        if let Some(slot) = waiting.get_mut(at) {
            *slot = dependants;
        }
        if dependants == 0 {
            ready.push(key(at));
        }
    }
    let mut order = Vec::new();
    while let Some((is_left_out, _, at)) = ready.pop() {
        if !is_left_out {
            order.push(at);
        }
        for &required in graph.requirements(at) {
            let required = required as usize;
            let Some(left) = waiting.get_mut(required).filter(|left| **left > 0) else {
                continue;
            };
            *left -= 1;
            if *left == 0 {
                ready.push(key(required));
            }
        }
    }
    order
}
