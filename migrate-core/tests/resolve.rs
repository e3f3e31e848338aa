//! What can be wrong with a set of migrations, and how one of them is found by name.
#![expect(
    clippy::expect_used,
    reason = "helpers of tests; a failure is one of the test"
)]

mod support;

use migrate_core::{
    Descriptor, Graph, Location, LookupError, MigrationId, NodeRef, Ordering,
    report::{Problem, ProblemKind},
};
use proptest::prelude::*;
use support::{dags, declared, draft, names, plain, resolved};

fn problems(migrations: &[&'static Descriptor]) -> Vec<Problem> {
    let mut reversed = migrations.to_vec();
    reversed.reverse();
    let problems = Graph::resolve(migrations, &["app"], Ordering::Declared).expect_err("invalid");
    let again = Graph::resolve(&reversed, &["app"], Ordering::Declared).expect_err("invalid");
    assert_eq!(problems, again, "the linker's order shows");
    problems
}

fn only(migrations: &[&'static Descriptor]) -> Problem {
    let problems = problems(migrations);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.into_iter().next().expect("one")
}

#[test]
fn duplicate_ids_name_both_places() {
    // E-dup-name.
    let problem = only(&[
        draft("app:create", 9).leak(),
        draft("app:create", 3).leak(),
        draft("billing:create", 3).leak(),
    ]);
    assert_eq!(
        (problem.kind, problem.id.as_str()),
        (ProblemKind::DuplicateId, "app:create")
    );
    assert!(
        problem.message.contains("src/lib.rs:3 and src/lib.rs:9"),
        "{}",
        problem.message
    );
    assert_eq!(problem.location.map(|it| it.line), Some(3));
}

#[test]
fn one_static_twice_is_one_migration() {
    let a = draft("app:a", 1).leak();
    assert_eq!(resolved(&[a, a], Ordering::Declared).len(), 1);
}

#[test]
fn a_former_id_has_one_owner() {
    let both = only(&[
        draft("app:a", 1).was(&["old"]).leak(),
        draft("app:b", 2).was(&["app:old"]).leak(),
    ]);
    assert_eq!(
        (both.kind, both.id.as_str()),
        (ProblemKind::DuplicateId, "app:old")
    );
    assert!(
        both.message.contains("app:a") && both.message.contains("app:b"),
        "{}",
        both.message
    );

    let live = only(&[
        draft("app:a", 1).was(&["b"]).leak(),
        draft("app:b", 2).leak(),
    ]);
    assert_eq!(
        (live.kind, live.id.as_str()),
        (ProblemKind::DuplicateId, "app:b")
    );
    assert!(
        live.message.contains("the id of `app:b`"),
        "{}",
        live.message
    );

    // Its own id, or one name twice, takes nothing from anybody.
    let harmless = draft("app:a", 1).was(&["a", "old", "app:old"]).leak();
    assert_eq!(resolved(&[harmless], Ordering::Declared).find("old"), Ok(0));
}

#[test]
fn what_is_not_carried_is_named_with_its_crate() {
    // E-unknown-req.
    let invoices = draft("billing:create_invoices", 4).leak();
    let index = draft("app:index", 7).requires(&[invoices]).leak();
    let again = draft("app:again", 8).requires(&[invoices, invoices]).leak();
    let problem = only(&[index, again]);
    assert_eq!(problem.kind, ProblemKind::NotCarried);
    assert_eq!(problem.id, "billing:create_invoices");
    assert_eq!(
        problem.message,
        "`billing:create_invoices`, which `app:index` (src/lib.rs:7) and one other requires, is not \
         carried by this program; name its crate in `main!(.., billing)`"
    );

    let other = draft("billing:other", 1).leak();
    let problem = only(&[index, other]);
    assert!(
        problem.message.contains("other migrations of `billing`"),
        "{}",
        problem.message
    );

    let copy = draft("billing:create_invoices", 5).leak();
    let problem = only(&[index, copy]);
    assert!(
        problem
            .message
            .contains("another version of the crate `billing`"),
        "{}",
        problem.message
    );
}

static BASE: Descriptor = plain("app", "base", 1);
static A: Descriptor = Descriptor {
    requires: &[NodeRef::new(&B), NodeRef::new(&BASE)],
    ..plain("app", "a", 2)
};
static B: Descriptor = Descriptor {
    requires: &[NodeRef::new(&C)],
    ..plain("app", "b", 3)
};
static C: Descriptor = Descriptor {
    requires: &[NodeRef::new(&A)],
    ..plain("app", "c", 4)
};
static BEHIND: Descriptor = Descriptor {
    requires: &[NodeRef::new(&C)],
    ..plain("app", "behind", 5)
};
static ITSELF: Descriptor = Descriptor {
    requires: &[NodeRef::new(&ITSELF)],
    ..plain("app", "itself", 6)
};

#[test]
fn a_circle_names_its_members_only() {
    // E-cycle: edwh lists what is behind the circle too.
    let problem = only(&[&BEHIND, &C, &BASE, &B, &A]);
    assert_eq!(
        (problem.kind, problem.id.as_str()),
        (ProblemKind::Cycle, "app:a")
    );
    assert_eq!(
        problem.message,
        "migrations require each other in a circle: app:a -> app:b -> app:c -> app:a"
    );
    assert_eq!(problem.location, Some(A.location));
}

#[test]
fn requiring_itself_is_a_circle_of_one() {
    // E-self-req.
    let problem = only(&[&ITSELF]);
    assert_eq!(problem.kind, ProblemKind::Cycle);
    assert_eq!(problem.message, "`app:itself` requires itself");
}

#[test]
fn all_problems_are_told_at_once() {
    let absent = draft("billing:absent", 1).leak();
    let found = problems(&[
        &ITSELF,
        draft("app:twice", 10).leak(),
        draft("app:twice", 11).requires(&[absent]).leak(),
    ]);
    let kinds: Vec<ProblemKind> = found.iter().map(|it| it.kind).collect();
    assert_eq!(
        kinds,
        [
            ProblemKind::DuplicateId,
            ProblemKind::NotCarried,
            ProblemKind::Cycle
        ]
    );
}

fn shop() -> Graph {
    let users = draft("shop:create_users", 1)
        .was(&["users", "accounts:init"])
        .leak();
    let create = draft("shop:create", 2).leak();
    let other = draft("billing_core:create", 3).leak();
    let graph = Graph::resolve(&[users, create, other], &["shop"], Ordering::Declared);
    graph.expect("valid")
}

#[test]
fn found_by_id_name_and_former_id() {
    let graph = shop();
    for text in [
        "create_users",
        "shop:create_users",
        "users",
        "shop:users",
        "accounts:init",
        "init",
    ] {
        assert_eq!(graph.find(text), Ok(0), "{text}");
    }
    assert_eq!(
        graph.position(MigrationId::new("shop", "create_users")),
        Some(0)
    );
    assert_eq!(graph.position(MigrationId::new("shop", "users")), None);
    assert_eq!(graph.find("shop:create"), Ok(1));
    assert_eq!(graph.find("billing-core:create"), Ok(2));
}

#[test]
fn an_ambiguous_name_lists_the_candidates() {
    let error = shop().find("create").expect_err("in two crates");
    let place = |line| Location {
        line,
        ..BASE.location
    };
    let candidates = vec![
        ("shop:create".to_owned(), place(2)),
        ("billing_core:create".to_owned(), place(3)),
    ];
    let text = "create".to_owned();
    assert_eq!(error, LookupError::Ambiguous { text, candidates });
    assert_eq!(
        error.next_step().as_deref(),
        Some("say which: `shop:create` (src/lib.rs:2), `billing_core:create` (src/lib.rs:3)")
    );
}

#[test]
fn an_unknown_name_suggests_what_reads_alike() {
    let similar = |text: &str| match shop().find(text) {
        Err(LookupError::Unknown { similar, .. }) => similar,
        other => panic!("{other:?}"),
    };
    assert_eq!(similar("create_user"), ["shop:create_users"]);
    assert_eq!(similar("craete_users"), ["shop:create_users"]);
    assert_eq!(
        similar("shop::migrations::create_users"),
        ["shop:create_users"]
    );
    assert_eq!(
        similar("creat"),
        ["shop:create", "billing_core:create", "shop:create_users"]
    );
    assert!(similar("nothing_like_it").is_empty());
}

#[test]
fn a_database_gets_its_part_in_the_same_order() {
    let a = draft("app:a", 1).leak();
    let b = draft("app:b", 2).databases(&["analytics"]).leak();
    let c = draft("app:c", 3)
        .databases(&["analytics", "default"])
        .requires(&[])
        .leak();
    let d = draft("app:d", 4)
        .databases(&["analytics"])
        .requires(&[b, c])
        .leak();
    let graph = resolved(&[a, b, c, d], Ordering::Declared);
    assert_eq!(graph.databases(), ["analytics", "default"]);

    let part = graph.for_database("analytics");
    assert_eq!(names(&part), ["b", "c", "d"]);
    assert_eq!(part.requirements(2), [0, 1]);
    assert_eq!(part.dependants(1), [2]);
    assert_eq!(part.position(d.id), Some(2));
    assert_eq!(part.position(a.id), None);
    assert_eq!(names(&graph.for_database("default")), ["a", "c"]);
    assert!(graph.for_database("nowhere").is_empty());

    let error = part.find("a").expect_err("of another database");
    assert_eq!(
        error.to_string(),
        "`app:a` belongs to the database `default`, not to this one"
    );
    assert_eq!(
        error.next_step().as_deref(),
        Some("choose it with `--database default`")
    );
}

#[test]
fn a_requirement_of_another_database_is_no_part_of_this_one() {
    let a = draft("app:a", 1).leak();
    let b = draft("app:b", 2)
        .databases(&["analytics"])
        .requires(&[a])
        .leak();
    let both = draft("app:both", 3)
        .databases(&["default", "analytics"])
        .requires(&[a])
        .leak();
    let graph = resolved(&[a, b, both], Ordering::Declared);
    let part = graph.for_database("analytics");
    assert_eq!(names(&part), ["b", "both"]);
    assert!(part.requirements(0).is_empty());
    let elsewhere: Vec<_> = part.elsewhere(0).iter().map(|it| it.id).collect();
    assert_eq!(elsewhere, [a.id]);
    let part = graph.for_database("default");
    assert_eq!(names(&part), ["a", "both"]);
    assert_eq!(part.requirements(1), [0]);
    assert!(part.elsewhere(1).is_empty(), "here is enough");
}

#[test]
fn the_report_tells_from_and_to() {
    let report = declared("a; b: a").report();
    let ids: Vec<&str> = report.nodes.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["app:a", "app:b"]);
    assert_eq!(report.edges, [("app:b".to_owned(), "app:a".to_owned())]);
}

proptest! {
    #[test]
    fn a_part_is_ordered_as_if_it_were_all(dag in dags(25), choice in prop::collection::vec(any::<bool>(), 25)) {
        // Some belong to `b`, with everything that they require.
        let chosen: Vec<&Descriptor> = dag.migrations.iter().zip(choice).filter(|it| it.1).map(|it| *it.0).collect();
        let is_in = |it: &Descriptor| chosen.iter().any(|other| other.id == it.id || support::reaches(other, it));
        let mut all: Vec<&'static Descriptor> = Vec::new();
        for it in &dag.migrations {
            let find = |required: &NodeRef| *all.iter().find(|made| made.id == required.get().id).expect("made before");
            let required: Vec<_> = it.requires.iter().map(find).collect();
            let names: &[&str] = if is_in(it) { &["default", "b"] } else { &[] };
            let draft = draft(&it.id.to_string(), it.location.line).file(it.location.file);
            all.push(draft.requires(&required).databases(names).leak());
        }
        let alone: Vec<_> = all.iter().copied().filter(|it| it.belongs_to("b")).collect();
        let part = resolved(&all, Ordering::Stamped).for_database("b");
        let alone = resolved(&alone, Ordering::Stamped);
        prop_assert_eq!(names(&part), names(&alone));
        for at in 0..alone.len() {
            prop_assert_eq!(part.requirements(at), alone.requirements(at));
            prop_assert_eq!(part.dependants(at), alone.dependants(at));
        }
    }
}
