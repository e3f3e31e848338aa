//! Repeatable migrations and squashes: when they are steps, and where they stand.
#![expect(
    clippy::expect_used,
    reason = "helpers of tests; a failure is one of the test"
)]

mod support;

use migrate_core::{
    Descriptor, Fingerprint, Graph, History, Ordering, Phase, Plan, Repeat, Standing, State, drift,
    frontend::{DownTarget, Repeats, Target},
    report::{Action, ProblemKind},
};
use support::{draft, history, resolved, step_names};

fn plan(graph: &Graph, history: &History, repeats: Repeats) -> String {
    let standing = Standing::new(graph, history);
    let plan = Plan::up(graph, &standing, &Target::All, repeats).expect("a plan");
    step_names(graph, &plan).join(" ")
}

fn repeating() -> Graph {
    let once = draft("app:once", 1).leak();
    let before = draft("app:before", 2).repeat(Repeat::Always(Phase::Before));
    let first = draft("app:first", 3).repeat(Repeat::OnChange(Phase::After));
    let first = first.fingerprint(7).leak();
    let second = draft("app:second", 4).repeat(Repeat::Always(Phase::After));
    let second = second.requires(&[first, once]).leak();
    let all: [&'static Descriptor; 4] = [second, first, once, before.leak()];
    resolved(&all, Ordering::Declared)
}

/// Rows with the fingerprint that the tests' migrations have, apart from `first`.
fn ran(names: &[&str], first: u64) -> History {
    let plain = history(names);
    let rows = plain.iter().cloned().map(|mut row| {
        let value = if row.id == "app:first" { first } else { 1 };
        row.fingerprint = Some(Fingerprint(value));
        row
    });
    History::new(rows.collect())
}

#[test]
fn they_run_around_the_others() {
    let graph = repeating();
    assert_eq!(
        plan(&graph, &history(&[]), Repeats::AsNeeded),
        "before once first second"
    );
}

#[test]
fn with_nothing_to_do_they_do_nothing() {
    let graph = repeating();
    let all = ["once", "before", "first", "second"];
    assert_eq!(plan(&graph, &ran(&all, 7), Repeats::AsNeeded), "");
    assert_eq!(
        plan(&graph, &ran(&all, 7), Repeats::All),
        "before first second"
    );
}

#[test]
fn what_changed_runs_again_and_with_it_what_always_runs() {
    let graph = repeating();
    let history = ran(&["once", "before", "first", "second"], 6);
    assert_eq!(
        plan(&graph, &history, Repeats::AsNeeded),
        "before first second"
    );
    let standing = Standing::new(&graph, &history);
    let plan = Plan::up(&graph, &standing, &Target::All, Repeats::AsNeeded).expect("a plan");
    assert!(plan.steps.iter().all(|it| it.action == Action::Repeat));
    assert!(drift::problems(&graph, &standing, &history).is_empty());
}

/// BEAT flux 2: the process died when `before` had taken views away.
#[test]
fn what_comes_after_is_owed_where_it_did_not_come() {
    let graph = repeating();
    // `once` was the last thing to do, and is done.
    let died = ran(&["first", "second", "before", "once"], 7);
    let standing = Standing::new(&graph, &died);
    let states: Vec<State> = (0..graph.len()).map(|at| standing.state(at)).collect();
    assert_eq!(states.iter().filter(|it| **it == State::Pending).count(), 1);
    assert_eq!(plan(&graph, &died, Repeats::AsNeeded), "before second");
    let mended = ran(&["first", "once", "before", "second"], 7);
    assert_eq!(plan(&graph, &mended, Repeats::AsNeeded), "");
}

#[test]
fn steps_do_not_count_them() {
    let graph = repeating();
    let history = history(&[]);
    let standing = Standing::new(&graph, &history);
    let some = Plan::up(&graph, &standing, &Target::Steps(1), Repeats::AsNeeded).expect("a plan");
    assert_eq!(
        step_names(&graph, &some),
        ["before", "once", "first", "second"]
    );
    let none = Plan::up(&graph, &standing, &Target::Steps(0), Repeats::AsNeeded).expect("a plan");
    assert!(none.is_empty());
}

#[test]
fn they_are_never_reverted() {
    let graph = repeating();
    let history = ran(&["once", "before", "first", "second"], 7);
    let standing = Standing::new(&graph, &history);
    let down = Plan::down(&graph, &standing, &DownTarget::Steps(2), &history).expect("a plan");
    assert_eq!(step_names(&graph, &down), ["once"]);
}

#[test]
fn phases_forbid_some_requirements() {
    let after = draft("app:after", 1)
        .repeat(Repeat::Always(Phase::After))
        .leak();
    let once = draft("app:once", 2).requires(&[after]).leak();
    let before = draft("app:before", 3).repeat(Repeat::OnChange(Phase::Before));
    let before = before.requires(&[once]).leak();
    let problems =
        Graph::resolve(&[after, once, before], &["app"], Ordering::Declared).expect_err("refused");
    let kinds: Vec<_> = problems
        .iter()
        .map(|it| (it.kind, it.id.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (ProblemKind::Phase, "app:once"),
            (ProblemKind::Phase, "app:before")
        ]
    );
}

/// `a <- b <- c`; `ab` replaces the first two.
fn squashed() -> Graph {
    let a = draft("app:a", 1).leak();
    let b = draft("app:b", 2).requires(&[a]).leak();
    let c = draft("app:c", 3).requires(&[b]).leak();
    let ab = draft("app:ab", 9).replaces(&[a, b]).leak();
    resolved(&[a, b, c, ab], Ordering::Declared)
}

fn states(graph: &Graph, history: &History) -> String {
    let standing = Standing::new(graph, history);
    let states = graph.iter().enumerate();
    states
        .map(|(at, it)| format!("{} {}", it.id.name(), standing.state(at)))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn on_a_fresh_database_the_squash_runs_instead() {
    let graph = squashed();
    assert_eq!(plan(&graph, &history(&[]), Repeats::AsNeeded), "ab c");
    let done = history(&["ab", "c"]);
    assert_eq!(plan(&graph, &done, Repeats::AsNeeded), "");
    assert!(
        states(&graph, &done)
            .split(", ")
            .all(|it| it.ends_with("applied"))
    );
}

#[test]
fn where_all_ran_it_counts_as_applied() {
    let graph = squashed();
    let old = history(&["a", "b"]);
    assert_eq!(plan(&graph, &old, Repeats::AsNeeded), "c");
    let standing = Standing::new(&graph, &old);
    assert!(drift::problems(&graph, &standing, &old).is_empty());
}

#[test]
fn in_between_is_refused_with_a_way_out() {
    let graph = squashed();
    let half = history(&["a"]);
    let standing = Standing::new(&graph, &half);
    let problems = drift::problems(&graph, &standing, &half);
    let partly: Vec<_> = problems
        .iter()
        .filter(|it| it.kind == ProblemKind::PartlyReplaced)
        .collect();
    assert_eq!(partly.len(), 1, "{problems:?}");
    assert!(
        partly
            .iter()
            .all(|it| it.message.contains("`app:a` ran here and `app:b` did not")),
        "{partly:?}"
    );
    assert!(drift::is_unsafe(ProblemKind::PartlyReplaced));
}

#[test]
fn a_squash_of_a_squash() {
    let a = draft("app:a", 1).leak();
    let b = draft("app:b", 2).leak();
    let ab = draft("app:ab", 3).replaces(&[a, b]).leak();
    let c = draft("app:c", 4).requires(&[ab]).leak();
    let abc = draft("app:abc", 5).replaces(&[ab, c]).leak();
    let d = draft("app:d", 6).requires(&[c]).leak();
    let graph = resolved(&[a, b, ab, c, abc, d], Ordering::Declared);
    assert_eq!(plan(&graph, &history(&[]), Repeats::AsNeeded), "abc d");
    for rows in [&["a", "b", "c"][..], &["ab", "c"], &["abc"]] {
        assert_eq!(
            plan(&graph, &history(rows), Repeats::AsNeeded),
            "d",
            "{rows:?}"
        );
    }
}

#[test]
fn two_squashes_of_one_are_refused() {
    let a = draft("app:a", 1).leak();
    let one = draft("app:one", 2).replaces(&[a]).leak();
    let two = draft("app:two", 3).replaces(&[a]).leak();
    let problems =
        Graph::resolve(&[a, one, two], &["app"], Ordering::Declared).expect_err("refused");
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn a_pending_squash_is_pending_as_what_it_replaces_is() {
    let graph = squashed();
    assert!(
        states(&graph, &history(&[]))
            .split(", ")
            .all(|it| it.ends_with(State::Pending.as_str()))
    );
}
