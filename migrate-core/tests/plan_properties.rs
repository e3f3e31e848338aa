//! What holds for every plan, over random graphs and histories.

#![expect(
    clippy::expect_used,
    reason = "an oracle may fail a test; clippy exempts the bodies of tests only"
)]

mod support;

use std::collections::BTreeSet;

use migrate_core::{
    AppliedMigration, Graph, History, Ordering, Plan, Standing, State, drift,
    frontend::{DownTarget, Repeats, Target},
    report::ProblemKind,
};
use proptest::{prelude::*, sample::Index};
use support::{carried_out, dags, reaches};

/// A graph and rows in some order, of some of its migrations, in some states.
fn situations() -> impl Strategy<Value = (Graph, History)> {
    let states = prop::sample::select(vec![
        None,
        None,
        Some(State::Applied),
        Some(State::Applied),
        Some(State::Applied),
        Some(State::Failed),
        Some(State::Deferred),
        Some(State::Interrupted),
        Some(State::Running),
    ]);
    let states = prop::collection::vec(states, 20);
    let number = any::<prop::sample::Selector>();
    (dags(20), states, number, any::<bool>()).prop_perturb(
        |(dag, states, _, is_quiet), mut random| {
            let graph = Graph::resolve(&dag.migrations, &[], Ordering::Declared).expect("valid");
            let mut rows: Vec<AppliedMigration> = Vec::new();
            for (descriptor, state) in graph.iter().zip(states) {
                // Every other situation is one without anything interrupted or running.
                let state = state
                    .filter(|it| !is_quiet || !matches!(it, State::Interrupted | State::Running));
                if let Some(state) = state {
                    let at = random.random_range(0..=rows.len());
                    rows.insert(at, AppliedMigration::new(descriptor.id.to_string(), state));
                }
            }
            (graph, History::new(rows))
        },
    )
}

/// As after real runs: applied in the order of the graph, some at a time.
fn deployed() -> impl Strategy<Value = (Graph, History)> {
    (dags(20), prop::collection::vec(any::<Index>(), 0..4)).prop_map(|(dag, chosen)| {
        let graph = Graph::resolve(&dag.migrations, &[], Ordering::Declared).expect("valid");
        let mut history = History::default();
        for index in chosen.iter().filter(|_| !graph.is_empty()) {
            let id = graph.get(index.index(graph.len())).expect("a node").id;
            let plan = up(&graph, &history, &Target::Ids(vec![id.to_string()]));
            history = carried_out(&graph, &history, &plan);
        }
        (graph, history)
    })
}

fn up(graph: &Graph, history: &History, target: &Target) -> Plan {
    Plan::up(
        graph,
        &Standing::new(graph, history),
        target,
        Repeats::AsNeeded,
    )
    .expect("a plan")
}

fn down(graph: &Graph, history: &History, target: &DownTarget) -> Plan {
    Plan::down(graph, &Standing::new(graph, history), target, history).expect("a plan")
}

fn positions(plan: &Plan) -> Vec<usize> {
    plan.steps.iter().map(|step| step.at).collect()
}

fn requires(graph: &Graph, at: usize, other: usize) -> bool {
    reaches(
        graph.get(at).expect("a node"),
        graph.get(other).expect("a node"),
    )
}

fn is_held(state: State) -> bool {
    matches!(state, State::Interrupted | State::Running)
}

fn ids(history: &History) -> BTreeSet<String> {
    history.iter().map(|row| row.id.clone()).collect()
}

fn applied(graph: &Graph, history: &History) -> Vec<usize> {
    let standing = Standing::new(graph, history);
    let applied = (0..graph.len()).filter(|at| standing.state(*at) == State::Applied);
    applied.collect()
}

/// The applied ones among `from` and what requires them, sorted as `down` documents it.
fn reverted_by_the_book(graph: &Graph, history: &History, from: &[usize]) -> Vec<usize> {
    let standing = Standing::new(graph, history);
    let mut left: Vec<usize> = applied(graph, history)
        .into_iter()
        .filter(|at| {
            from.iter()
                .any(|from| at == from || requires(graph, *at, *from))
        })
        .collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let free = left
            .iter()
            .copied()
            .filter(|at| !left.iter().any(|other| requires(graph, *other, *at)));
        let next = free
            .max_by_key(|at| standing.row_position(*at))
            .expect("no circles");
        left.retain(|at| *at != next);
        order.push(next);
    }
    order
}

proptest! {
    #[test]
    fn up_is_exactly_what_is_not_done_and_not_held((graph, history) in situations()) {
        let standing = Standing::new(&graph, &history);
        let plan = up(&graph, &history, &Target::All);
        let mut steps = Vec::new();
        let mut blocked = Vec::new();
        for at in (0..graph.len()).filter(|at| standing.state(*at) != State::Applied) {
            let on = (0..graph.len()).find(|on| {
                is_held(standing.state(*on)) && (at == *on || requires(&graph, at, *on))
            });
            match on {
                _ if is_held(standing.state(at)) => blocked.push((at, at)),
                Some(on) => blocked.push((at, on)),
                None => steps.push(at),
            }
        }
        prop_assert_eq!(positions(&plan), steps);
        let found: Vec<_> = plan.blocked.iter().map(|it| (it.at, it.on)).collect();
        prop_assert_eq!(found, blocked);
        for it in &plan.blocked {
            prop_assert_eq!(it.state, standing.state(it.on));
        }
        for step in &plan.steps {
            prop_assert_eq!(step.state, standing.state(step.at));
        }
    }

    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing((graph, history) in situations()) {
        let plan = up(&graph, &history, &Target::All);
        let after = carried_out(&graph, &history, &plan);
        let again = up(&graph, &after, &Target::All);
        prop_assert!(again.is_empty());
        prop_assert_eq!(&again.blocked, &plan.blocked);
        if plan.blocked.is_empty() {
            prop_assert_eq!(applied(&graph, &after).len(), graph.len());
        }
    }

    #[test]
    fn ids_take_their_closure_and_no_more((graph, history) in situations(), chosen in prop::collection::vec(any::<Index>(), 1..4)) {
        prop_assume!(!graph.is_empty());
        let chosen: Vec<usize> = chosen.iter().map(|index| index.index(graph.len())).collect();
        let texts = chosen.iter().map(|at| graph.get(*at).expect("a node").id.to_string());
        let plan = up(&graph, &history, &Target::Ids(texts.collect()));
        let all = up(&graph, &history, &Target::All);
        let is_wanted = |at: usize| chosen.iter().any(|it| *it == at || requires(&graph, *it, at));
        let steps: Vec<_> = all.steps.into_iter().filter(|it| is_wanted(it.at)).collect();
        let blocked: Vec<_> = all.blocked.into_iter().filter(|it| is_wanted(it.at)).collect();
        prop_assert_eq!(plan.steps, steps);
        prop_assert_eq!(plan.blocked, blocked);
    }

    #[test]
    fn so_many_steps_are_a_prefix((graph, history) in situations(), limit in 0..25_usize) {
        let all = up(&graph, &history, &Target::All);
        let some = up(&graph, &history, &Target::Steps(limit));
        prop_assert_eq!(some.steps.len(), limit.min(all.steps.len()));
        prop_assert!(all.steps.starts_with(&some.steps));
    }

    #[test]
    fn steps_never_run_before_what_they_require((graph, history) in situations()) {
        let plan = up(&graph, &history, &Target::All);
        let mut done: BTreeSet<usize> = applied(&graph, &history).into_iter().collect();
        for step in &plan.steps {
            for required in graph.requirements(step.at) {
                prop_assert!(done.contains(&(*required as usize)));
            }
            done.insert(step.at);
        }
    }

    #[test]
    fn down_is_by_the_book((graph, history) in situations(), limit in 0..6_usize, chosen in any::<Index>()) {
        let standing = Standing::new(&graph, &history);
        let applied = applied(&graph, &history);
        let is_under_held = |at: &usize| (0..graph.len()).any(|on| {
            is_held(standing.state(on)) && requires(&graph, on, *at)
        });
        prop_assume!(!applied.is_empty() && !applied.iter().any(is_under_held));
        let mut by_row = applied.clone();
        by_row.sort_by_key(|at| standing.row_position(*at));

        let last: Vec<usize> = by_row.iter().rev().take(limit).copied().collect();
        let plan = down(&graph, &history, &DownTarget::Steps(limit));
        prop_assert_eq!(positions(&plan), reverted_by_the_book(&graph, &history, &last));

        let at = *chosen.get(&applied);
        let id = graph.get(at).expect("a node").id.to_string();
        let plan = down(&graph, &history, &DownTarget::Id(id.clone()));
        prop_assert_eq!(positions(&plan), reverted_by_the_book(&graph, &history, &[at]));

        let after = by_row.iter().copied().skip_while(|it| *it != at);
        let after: Vec<usize> = after.filter(|it| *it != at && !requires(&graph, at, *it)).collect();
        let plan = down(&graph, &history, &DownTarget::To(id));
        prop_assert!(!positions(&plan).contains(&at));
        prop_assert_eq!(positions(&plan), reverted_by_the_book(&graph, &history, &after));
    }

    #[test]
    fn down_then_up_returns((graph, history) in deployed(), limit in 0..6_usize) {
        let plan = down(&graph, &history, &DownTarget::Steps(limit));
        let less = carried_out(&graph, &history, &plan);
        prop_assert_eq!(less.len() + plan.steps.len(), history.len());
        prop_assert_eq!(plan.steps.len(), limit.min(history.len()));
        let reverted = plan.steps.iter().map(|step| graph.get(step.at).expect("a node").id.to_string());
        let again = up(&graph, &less, &Target::Ids(reverted.collect()));
        let back = carried_out(&graph, &less, &again);
        prop_assert_eq!(ids(&back), ids(&history));
    }

    #[test]
    fn out_of_order_is_pending_before_applied((graph, history) in situations()) {
        let standing = Standing::new(&graph, &history);
        let is_unsettled = |at: usize| !matches!(standing.state(at), State::Pending | State::Applied);
        // Through pending ones only: an applied one in between went ahead without it.
        fn waits(graph: &Graph, standing: &Standing<'_>, at: usize, is_unsettled: &dyn Fn(usize) -> bool) -> bool {
            graph.requirements(at).iter().any(|required| {
                let required = *required as usize;
                is_unsettled(required)
                    || standing.state(required) == State::Pending && waits(graph, standing, required, is_unsettled)
            })
        }
        let expected: Vec<String> = (0..graph.len())
            .filter(|at| standing.state(*at) == State::Pending)
            .filter(|at| !waits(&graph, &standing, *at, &is_unsettled))
            .filter(|at| (*at..graph.len()).any(|later| standing.state(later) == State::Applied))
            .map(|at| graph.get(at).expect("a node").id.to_string())
            .collect();
        let found = drift::problems(&graph, &standing, &history);
        let found = found.into_iter().filter(|it| it.kind == ProblemKind::OutOfOrder).map(|it| it.id);
        prop_assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
