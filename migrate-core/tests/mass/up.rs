//! What `up` does about mass migrations.

use migrate_core::{
    AppliedMigration, Graph, History, Plan, Standing, State,
    frontend::{MassInUp, Repeats, Target},
    report::Action,
};

#[path = "../support/mod.rs"]
mod support;

use support::*;

/// `a <- b (mass) <- c <- d`, and `e` beside them.
fn graph() -> Graph {
    let a = draft("app:a", 1).leak();
    let b = draft("app:b", 2).requires(&[a]).mass().leak();
    let c = draft("app:c", 3).requires(&[b]).leak();
    let d = draft("app:d", 4).requires(&[c]).leak();
    let e = draft("app:e", 5).leak();
    resolved(&[a, b, c, d, e], migrate_core::Ordering::Declared)
}

fn plan(applied: &[&str], target: &Target, mass: MassInUp) -> (Vec<(String, Action)>, Vec<String>) {
    let graph = graph();
    let rows = applied
        .iter()
        .map(|name| AppliedMigration::new(format!("app:{name}"), State::Applied));
    let history = History::new(rows.collect());
    let standing = Standing::new(&graph, &history);
    let plan = Plan::up(&graph, &standing, target, Repeats::AsNeeded)
        .unwrap()
        .with_mass(&graph, mass);
    let name = |at: usize| graph.get(at).unwrap().id.name().to_owned();
    (
        plan.steps
            .iter()
            .map(|step| (name(step.at), step.action))
            .collect(),
        plan.blocked
            .iter()
            .map(|it| format!("{}: {}", name(it.at), it.because(&graph)))
            .collect(),
    )
}

fn steps(steps: &[(&str, Action)]) -> Vec<(String, Action)> {
    steps
        .iter()
        .map(|(name, action)| ((*name).to_owned(), *action))
        .collect()
}

const WAITS: &str = "requires `app:b`, a mass migration that is not finished";

#[test]
fn it_is_started_and_what_requires_it_waits() {
    let (planned, blocked) = plan(&[], &Target::All, MassInUp::Enqueue);
    let expected = [
        ("a", Action::Apply),
        ("b", Action::Enqueue),
        ("e", Action::Apply),
    ];
    assert_eq!(planned, steps(&expected));
    assert_eq!(blocked, [format!("c: {WAITS}"), format!("d: {WAITS}")]);
}

#[test]
fn left_alone_it_is_not_even_started() {
    let (planned, blocked) = plan(&[], &Target::All, MassInUp::Leave);
    assert_eq!(
        planned,
        steps(&[("a", Action::Apply), ("e", Action::Apply)])
    );
    assert_eq!(blocked.len(), 2);
    // Nor is anything blocked where nothing requires it.
    let (planned, blocked) = plan(
        &["a", "e"],
        &Target::Ids(vec!["b".to_owned()]),
        MassInUp::Leave,
    );
    assert_eq!((planned, blocked), (Vec::new(), Vec::new()));
}

#[test]
fn what_is_left_alone_is_named() {
    for (mass, expected) in [
        (MassInUp::Leave, vec!["b"]),
        (MassInUp::Enqueue, vec![]),
        (MassInUp::Inline, vec![]),
    ] {
        let graph = graph();
        let history = History::new(Vec::new());
        let standing = Standing::new(&graph, &history);
        let plan = Plan::up(&graph, &standing, &Target::All, Repeats::AsNeeded)
            .unwrap()
            .with_mass(&graph, mass);
        let left = plan.left.iter().filter_map(|&at| graph.get(at));
        let left: Vec<&str> = left.map(|it| it.id.name()).collect();
        assert_eq!(left, expected, "{mass:?}");
    }
}

#[test]
fn inline_it_is_a_step_like_others() {
    let (planned, blocked) = plan(&[], &Target::All, MassInUp::Inline);
    let names: Vec<&str> = planned.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    assert!(planned.iter().all(|(_, action)| *action == Action::Apply));
    assert!(blocked.is_empty());
}

#[test]
fn once_applied_it_is_in_nobodys_way() {
    for mass in [MassInUp::Enqueue, MassInUp::Inline, MassInUp::Leave] {
        let (planned, blocked) = plan(&["a", "b"], &Target::All, mass);
        let expected = [
            ("c", Action::Apply),
            ("d", Action::Apply),
            ("e", Action::Apply),
        ];
        assert_eq!((planned, blocked), (steps(&expected), Vec::new()));
    }
}
