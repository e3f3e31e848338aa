//! What `up` and `down` are to do: cases.
#![expect(
    clippy::expect_used,
    reason = "helpers of tests; a failure is one of the test"
)]

mod support;

use migrate_core::{
    Descriptor, Graph, Obstacle, Ordering, Plan, PlanError, Reversal, Standing, State,
    frontend::{DownTarget, Repeats, Target},
};
use support::{declared, draft, history, resolved, step_names};

fn up(graph: &Graph, rows: &[&str], target: &Target) -> Plan {
    let history = history(rows);
    Plan::up(
        graph,
        &Standing::new(graph, &history),
        target,
        Repeats::AsNeeded,
    )
    .expect("a plan")
}

fn down(graph: &Graph, rows: &[&str], target: &DownTarget) -> Result<Plan, PlanError> {
    let history = history(rows);
    Plan::down(graph, &Standing::new(graph, &history), target, &history)
}

fn reverted(graph: &Graph, rows: &[&str], target: &DownTarget) -> String {
    let plan = down(graph, rows, target).expect("a plan");
    step_names(graph, &plan).join(" ")
}

fn ids(ids: &[&str]) -> Target {
    Target::Ids(ids.iter().map(|id| (*id).to_owned()).collect())
}

#[test]
fn up_takes_what_is_pending_failed_or_deferred_in_order() {
    let graph = declared("a; b; c; d; e: a");
    let plan = up(&graph, &["b", "c failed", "d deferred"], &Target::All);
    assert_eq!(step_names(&graph, &plan), ["a", "e", "c", "d"]);
    let states: Vec<State> = plan.steps.iter().map(|it| it.state).collect();
    assert_eq!(
        states,
        [
            State::Pending,
            State::Pending,
            State::Failed,
            State::Deferred
        ]
    );
    assert!(plan.blocked.is_empty());
    let plan = up(&graph, &["a", "b", "c", "d", "e"], &Target::All);
    assert!(plan.is_empty() && plan.blocked.is_empty());
}

#[test]
fn what_is_interrupted_or_running_blocks_what_requires_it() {
    let graph = declared("a; b: a; c: b; d; e: d; f");
    let plan = up(&graph, &["a interrupted", "b", "d running"], &Target::All);
    assert_eq!(step_names(&graph, &plan), ["f"]);
    let obstacle = |at, on, state| Obstacle {
        at,
        on,
        state,
        elsewhere: None,
    };
    assert_eq!(
        plan.blocked,
        [
            obstacle(0, 0, State::Interrupted),
            // Through `b`, which is applied.
            obstacle(2, 0, State::Interrupted),
            obstacle(3, 3, State::Running),
            obstacle(4, 3, State::Running),
        ]
    );
    let because: Vec<String> = plan.blocked.iter().map(|it| it.because(&graph)).collect();
    assert_eq!(
        because,
        [
            "is interrupted",
            "requires `app:a`, which is interrupted",
            "is being run by another process",
            "requires `app:d`, which is being run by another process",
        ]
    );
}

#[test]
fn up_to_ids_takes_what_they_require_and_nothing_else() {
    let graph = declared("a; b: a; c: b; d; e: d");
    assert_eq!(
        step_names(&graph, &up(&graph, &[], &ids(&["b", "app:d"]))),
        ["a", "b", "d"]
    );
    assert_eq!(
        step_names(&graph, &up(&graph, &["a"], &ids(&["c"]))),
        ["b", "c"]
    );
    assert!(up(&graph, &["a"], &ids(&["a"])).is_empty());
    assert!(up(&graph, &[], &ids(&[])).is_empty());
    // What is blocked elsewhere is not this request's business.
    let plan = up(&graph, &["a interrupted"], &ids(&["e"]));
    assert_eq!(step_names(&graph, &plan), ["d", "e"]);
    assert!(plan.blocked.is_empty());
}

#[test]
fn every_unknown_id_is_told() {
    let graph = declared("create; index");
    let history = history(&[]);
    let error = Plan::up(
        &graph,
        &Standing::new(&graph, &history),
        &ids(&["creat", "index", "zzz"]),
        Repeats::AsNeeded,
    );
    let error = error.expect_err("two of them");
    assert_eq!(
        error.to_string(),
        "no migration is called `creat`; no migration is called `zzz`"
    );
    assert!(
        error
            .next_step()
            .is_some_and(|step| step.contains("did you mean `app:create`?"))
    );
}

#[test]
fn steps_are_the_first_so_many() {
    let graph = declared("a; b; c");
    assert_eq!(
        step_names(&graph, &up(&graph, &["a"], &Target::Steps(1))),
        ["b"]
    );
    assert_eq!(
        step_names(&graph, &up(&graph, &["a"], &Target::Steps(9))),
        ["b", "c"]
    );
    assert!(up(&graph, &[], &Target::Steps(0)).is_empty());
}

#[test]
fn a_row_under_a_former_id_counts() {
    let a = draft("app:a", 1).was(&["old", "other:older"]).leak();
    let graph = resolved(&[a], Ordering::Declared);
    for row in ["old", "other:older", "a"] {
        assert!(up(&graph, &[row], &Target::All).is_empty(), "{row}");
    }
    // The live id's row says how things are now.
    let both = history(&["a failed", "old"]);
    assert_eq!(Standing::new(&graph, &both).state(0), State::Failed);
    let former = history(&["other:older failed", "old", "other:older deferred"]);
    assert_eq!(Standing::new(&graph, &former).state(0), State::Applied);
}

#[test]
fn down_overlooks_a_row_that_another_outweighs() {
    let a = draft("app:a", 1).was(&["old"]).leak();
    let graph = resolved(&[a], Ordering::Declared);
    let last = DownTarget::Steps(1);
    assert_eq!(reverted(&graph, &["old", "a failed"], &last), "");
    assert_eq!(reverted(&graph, &["old", "a"], &last), "a");
    assert_eq!(reverted(&graph, &["old"], &last), "a");
}

#[test]
fn down_takes_what_was_applied_last() {
    let graph = declared("a; b; c");
    let rows = ["c", "a", "b failed", "b"];
    assert_eq!(reverted(&graph, &rows, &DownTarget::Steps(1)), "b");
    assert_eq!(reverted(&graph, &rows, &DownTarget::Steps(2)), "b a");
    assert_eq!(reverted(&graph, &rows, &DownTarget::Steps(9)), "b a c");
    assert_eq!(
        reverted(
            &graph,
            &["a", "b failed", "c deferred"],
            &DownTarget::Steps(2)
        ),
        "a"
    );
    assert_eq!(reverted(&graph, &rows, &DownTarget::Steps(0)), "");
}

#[test]
fn down_takes_dependants_first_even_where_history_says_otherwise() {
    let graph = declared("a; b: a; c: b; d");
    assert_eq!(
        reverted(&graph, &["a", "b", "c", "d"], &DownTarget::Id("a".into())),
        "c b a"
    );
    // `b` came to require `a` after both were applied.
    let rows = ["c", "b", "d", "a"];
    assert_eq!(reverted(&graph, &rows, &DownTarget::Steps(1)), "c b a");
    assert_eq!(reverted(&graph, &rows, &DownTarget::Steps(2)), "d c b a");
    // `b` between them is not applied, and still holds them together.
    assert_eq!(
        reverted(&graph, &["a", "c"], &DownTarget::Id("a".into())),
        "c a"
    );
    assert_eq!(
        reverted(&graph, &["c", "a"], &DownTarget::Id("a".into())),
        "c a"
    );
}

#[test]
fn down_to_keeps_the_target_and_what_it_requires() {
    let graph = declared("a; b: a; c; d: c");
    let to = |id: &str| DownTarget::To(id.to_owned());
    assert_eq!(reverted(&graph, &["a", "c", "b", "d"], &to("c")), "d b");
    assert_eq!(reverted(&graph, &["a", "c", "b", "d"], &to("d")), "");
    // `d` requires `c`, applied after it.
    assert_eq!(reverted(&graph, &["d", "c", "a"], &to("d")), "a");
    // `b`, applied before `c`, requires `a`, applied after it.
    assert_eq!(reverted(&graph, &["b", "c", "a"], &to("c")), "b a");
}

#[test]
fn what_is_not_applied_cannot_be_reverted_or_returned_to() {
    let graph = declared("a; b");
    for target in [DownTarget::Id("b".into()), DownTarget::To("b".into())] {
        let error = down(&graph, &["a", "b failed"], &target).expect_err("failed");
        assert_eq!(error.to_string(), "`app:b` is not applied: it is failed");
    }
    let error = down(&graph, &["a"], &DownTarget::Id("nothing".into()));
    assert!(matches!(error, Err(PlanError::Lookup(_))), "{error:?}");
}

fn reversals() -> Graph {
    let draft = |id: &str, line, reversal, required: &[&'static Descriptor]| {
        draft(id, line).reversal(reversal).requires(required).leak()
    };
    let a = draft("app:a", 1, Reversal::Down, &[]);
    let b = draft("app:b", 2, Reversal::Unspecified, &[a]);
    let c = draft("app:c", 3, Reversal::Irreversible("the data is gone"), &[b]);
    let d = draft("app:d", 4, Reversal::Down, &[c]);
    resolved(&[a, b, c, d], Ordering::Declared)
}

#[test]
fn everything_irreversible_on_the_way_is_told() {
    let graph = reversals();
    let rows = ["a", "b", "c", "d"];
    let error = down(&graph, &rows, &DownTarget::Id("a".into())).expect_err("two of them");
    assert_eq!(
        error.to_string(),
        "cannot revert `app:c` (src/lib.rs:3): irreversible, the data is gone; `app:b` (src/lib.rs:2): \
         it has no `down`"
    );
    assert_eq!(reverted(&graph, &rows, &DownTarget::Steps(1)), "d");
    // What is not applied is not on the way.
    assert_eq!(
        reverted(&graph, &["a", "d"], &DownTarget::Id("a".into())),
        "d a"
    );
}

#[test]
fn what_is_not_carried_cannot_be_reverted() {
    let graph = declared("a; b");
    let rows = ["a", "gone:x", "b", "gone:y"];
    let error = down(&graph, &rows, &DownTarget::To("a".into())).expect_err("two of them");
    assert_eq!(
        error,
        PlanError::NotCarried(vec!["gone:y".to_owned(), "gone:x".to_owned()])
    );
    let error = down(&graph, &rows, &DownTarget::Steps(1)).expect_err("one");
    assert_eq!(
        error.to_string(),
        "cannot revert `gone:y`: not carried by this program"
    );
    assert_eq!(reverted(&graph, &rows, &DownTarget::Id("b".into())), "b");
    assert_eq!(
        reverted(&graph, &["gone:x failed", "a"], &DownTarget::Steps(2)),
        "a"
    );
}

#[test]
fn what_something_interrupted_requires_is_not_reverted_beneath_it() {
    let graph = declared("a; b: a; c: b; d");
    let rows = ["a", "d", "c interrupted"];
    let error = down(&graph, &rows, &DownTarget::Id("a".into())).expect_err("c stands on it");
    assert_eq!(
        error.to_string(),
        "cannot revert what `app:c` (interrupted) requires"
    );
    assert!(
        error
            .next_step()
            .is_some_and(|step| step.contains("resolve app:c"))
    );
    assert_eq!(reverted(&graph, &rows, &DownTarget::Id("d".into())), "d");
}
