//! Requirements in other databases: what waits, what may be reverted, and who comes first.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests; a failure is one of the test"
)]

mod support;

use migrate_core::{
    Descriptor, Graph, Ordering, Plan, PlanError, Standing, State,
    databases::Order,
    elsewhere::Elsewhere,
    frontend::{DownTarget, Repeats, Target},
};
use proptest::prelude::*;
use support::{dags, draft, history, resolved, step_names};

/// `shop` in `default`, then in `analytics` two after each other, the first of which requires it.
fn shop() -> (Graph, [&'static Descriptor; 3]) {
    let users = draft("app:users", 1).leak();
    let facts = draft("app:facts", 2)
        .databases(&["analytics"])
        .requires(&[users])
        .leak();
    let sums = draft("app:sums", 3)
        .databases(&["analytics"])
        .requires(&[facts])
        .leak();
    (
        resolved(&[users, facts, sums], Ordering::Declared),
        [users, facts, sums],
    )
}

fn plan(graph: &Graph, rows: &[&str], elsewhere: &Elsewhere, planned: &[(String, String)]) -> Plan {
    let history = history(rows);
    let mut standing = Standing::new(graph, &history);
    standing.look_elsewhere(graph, elsewhere, planned);
    Plan::up(graph, &standing, &Target::All, Repeats::AsNeeded).expect("a plan")
}

fn reasons(graph: &Graph, plan: &Plan) -> Vec<String> {
    plan.blocked.iter().map(|it| it.because(graph)).collect()
}

#[test]
fn what_is_not_applied_there_blocks_what_requires_it_here() {
    let (graph, [users, ..]) = shop();
    let part = graph.for_database("analytics");
    let mut elsewhere = Elsewhere::default();
    elsewhere.answered("default", []);
    let blocked = plan(&part, &[], &elsewhere, &[]);
    assert!(blocked.steps.is_empty());
    assert_eq!(
        reasons(&part, &blocked),
        [
            "requires `app:users`, which is pending in database `default`",
            "requires `app:facts`, which requires `app:users`, which is pending in database `default`",
        ]
    );
    let next: Vec<_> = blocked
        .blocked
        .iter()
        .filter_map(|it| Some(it.elsewhere.as_ref()?.next_step()))
        .collect();
    assert_eq!(next, ["run `up --database default`"; 2]);

    let mut left = blocked.clone();
    assert_eq!((left.leave_waiting(), left.blocked.len()), (2, 0));

    // A run that applies it there before.
    let planned = [("default".to_owned(), "app:users".to_owned())];
    assert_eq!(
        step_names(&part, &plan(&part, &[], &elsewhere, &planned)),
        ["facts", "sums"]
    );
    let planned = [("other".to_owned(), "app:users".to_owned())];
    assert!(plan(&part, &[], &elsewhere, &planned).steps.is_empty());

    elsewhere.answered("default", [(users.id, State::Applied)]);
    assert_eq!(
        step_names(&part, &plan(&part, &[], &elsewhere, &[])),
        ["facts", "sums"]
    );
    // What is applied here asks nobody.
    let rows = ["facts", "sums"];
    assert!(
        plan(&part, &rows, &Elsewhere::default(), &[])
            .blocked
            .is_empty()
    );
    let history = history(&rows);
    assert!(
        Standing::new(&part, &history)
            .required_elsewhere(&part)
            .is_empty()
    );
}

#[test]
fn every_way_not_to_be_met_has_its_words() {
    let (graph, [users, ..]) = shop();
    let part = graph.for_database("analytics");
    let said = |elsewhere: &Elsewhere| {
        let plan = plan(&part, &["sums"], elsewhere, &[]);
        let unmet = plan.blocked[0].elsewhere.clone().expect("elsewhere");
        format!("{}; {}", unmet.because(), unmet.next_step())
    };
    let mut elsewhere = Elsewhere::default();
    assert_eq!(
        said(&elsewhere),
        "requires `app:users` of database `default`, which is not configured; configure `database_url`"
    );
    elsewhere.silent("default", "connection refused");
    assert_eq!(
        said(&elsewhere),
        "requires `app:users` of database `default`, which gives no answer: connection refused; \
         see to it that database `default` can be reached"
    );
    elsewhere.answered("default", [(users.id, State::Interrupted)]);
    assert_eq!(
        said(&elsewhere),
        "requires `app:users`, which is interrupted in database `default`; settle it with \
         `resolve app:users --database default --applied`, `--reverted` or `--retry`"
    );
    elsewhere.answered("default", [(users.id, State::Running)]);
    assert_eq!(
        said(&elsewhere),
        "requires `app:users`, which another process is running in database `default`; wait until it has ended there"
    );
}

#[test]
fn it_has_to_be_applied_in_every_database_that_it_belongs_to() {
    let tenants = draft("app:tenants", 1).databases(&["tenant_*"]).leak();
    let report = draft("app:report", 2).requires(&[tenants]).leak();
    let graph = resolved(&[tenants, report], Ordering::Declared);
    let part = graph.for_database("default");
    let mut elsewhere = Elsewhere::default();
    let plan_now = plan(&part, &[], &elsewhere, &[]);
    assert_eq!(step_names(&part, &plan_now), ["report"], "no tenant yet");
    elsewhere.answered("tenant_a", [(tenants.id, State::Applied)]);
    elsewhere.answered("tenant_b", [(tenants.id, State::Failed)]);
    elsewhere.answered("other", []);
    assert_eq!(
        reasons(&part, &plan(&part, &[], &elsewhere, &[])),
        ["requires `app:tenants`, which failed in database `tenant_b`"]
    );
    elsewhere.answered("tenant_b", [(tenants.id, State::Applied)]);
    assert_eq!(
        step_names(&part, &plan(&part, &[], &elsewhere, &[])),
        ["report"]
    );
}

#[test]
fn what_is_required_by_something_applied_elsewhere_stays() {
    let (graph, [_, facts, _]) = shop();
    let part = graph.for_database("default");
    let history = history(&["users"]);
    let standing = Standing::new(&part, &history);
    let down = Plan::down(&part, &standing, &DownTarget::Steps(1), &history).expect("a plan");
    let mut elsewhere = Elsewhere::default();
    // A database that is not configured holds nothing of ours.
    assert_eq!(elsewhere.allow_down(&part, &down), Ok(()));
    for state in [State::Pending, State::Failed, State::Deferred] {
        elsewhere.answered("analytics", [(facts.id, state)]);
        assert_eq!(elsewhere.allow_down(&part, &down), Ok(()), "{state}");
    }
    for state in [State::Applied, State::Interrupted, State::Running] {
        elsewhere.answered("analytics", [(facts.id, state)]);
        let error = elsewhere.allow_down(&part, &down).expect_err("required");
        assert!(matches!(&error, PlanError::RequiredElsewhere(list) if list.len() == 1));
    }
    elsewhere.answered("analytics", [(facts.id, State::Applied)]);
    let error = elsewhere.allow_down(&part, &down).expect_err("required");
    assert_eq!(
        error.to_string(),
        "cannot revert `app:users`: `app:facts` requires it, which is applied in database `analytics`"
    );
    assert_eq!(
        error.next_step().as_deref(),
        Some("revert that first: `down app:facts --database analytics`")
    );
    elsewhere.silent("analytics", "connection refused");
    assert!(elsewhere.allow_down(&part, &down).is_err());
}

/// Sorted names.
fn sorted<'n>(graph: &Graph, names: &[&'n str]) -> Vec<&'n str> {
    let order = Order::new(&graph.report(), names).sorted();
    order.into_iter().map(|at| names[at]).collect()
}

#[test]
fn a_database_comes_after_those_that_it_requires_something_of() {
    let (graph, _) = shop();
    assert_eq!(
        sorted(&graph, &["analytics", "default", "x"]),
        ["default", "analytics", "x"]
    );

    let tenants = draft("app:tenants", 1).databases(&["tenant_*"]).leak();
    let report = draft("app:report", 2).requires(&[tenants]).leak();
    let graph = resolved(&[tenants, report], Ordering::Declared);
    let names = ["default", "tenant_a", "tenant_b"];
    assert_eq!(sorted(&graph, &names), ["tenant_a", "tenant_b", "default"]);
    let order = Order::new(&graph.report(), &names);
    assert_eq!(order.ready(&[0, 1, 2], &[0, 1, 2]), Some(1));
    assert_eq!(order.ready(&[0, 2], &[0, 1, 2]), Some(2), "beside it");
    assert_eq!(order.ready(&[0], &[0, 1, 2]), None);
    assert_eq!(order.ready(&[0], &[0]), Some(0));
}

proptest! {
    /// Databases take turns: whatever requires whatever, in the end all is applied.
    #[test]
    fn turns_come_to_an_end(dag in dags(20), choice in prop::collection::vec(0..3_usize, 20)) {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        let mut all: Vec<&'static Descriptor> = Vec::new();
        for (it, choice) in dag.migrations.iter().zip(choice) {
            let find = |id| *all.iter().find(|made| made.id == id).expect("made before");
            let required: Vec<_> = it.requires.iter().map(|it| find(it.get().id)).collect();
            let draft = draft(&it.id.to_string(), it.location.line).file(it.location.file);
            all.push(draft.requires(&required).databases(&[NAMES[choice]]).leak());
        }
        let graph = resolved(&all, Ordering::Declared);
        let mut applied: Vec<Vec<String>> = vec![Vec::new(); 3];
        let mut turns = Order::new(&graph.report(), &NAMES).sorted();
        let mut idle = 0;
        while idle < turns.len() {
            let at = turns.remove(0);
            turns.push(at);
            let mut elsewhere = Elsewhere::default();
            for (name, rows) in NAMES.iter().zip(&applied) {
                let rows = all.iter().filter(|it| rows.contains(&it.id.to_string()));
                elsewhere.answered(*name, rows.map(|it| (it.id, State::Applied)));
            }
            let part = graph.for_database(NAMES[at]);
            let rows: Vec<&str> = applied[at].iter().map(String::as_str).collect();
            let plan = plan(&part, &rows, &elsewhere, &[]);
            let steps = plan.steps.iter().filter_map(|step| part.get(step.at));
            let done: Vec<String> = steps.map(|it| it.id.to_string()).collect();
            idle = if done.is_empty() { idle + 1 } else { 0 };
            applied[at].extend(done);
        }
        prop_assert_eq!(applied.iter().map(Vec::len).sum::<usize>(), all.len());
    }
}
