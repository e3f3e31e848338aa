//! Where code and history disagree.
#![expect(
    clippy::indexing_slicing,
    reason = "a test that panics has failed, as it should"
)]

mod support;

use migrate_core::{
    AppliedMigration, Fingerprint, Graph, History, OnChanged, Ordering, Standing, State, drift,
    report::{Problem, ProblemKind},
};
use support::{declared, draft, history, resolved};

fn problems(graph: &Graph, history: &History) -> Vec<Problem> {
    drift::problems(graph, &Standing::new(graph, history), history)
}

fn told(problems: &[Problem]) -> Vec<(ProblemKind, &str)> {
    problems
        .iter()
        .map(|it| (it.kind, it.id.as_str()))
        .collect()
}

#[test]
fn agreement_is_silence() {
    let graph = declared("a; b; c");
    assert_eq!(problems(&graph, &history(&[])), []);
    assert_eq!(problems(&graph, &history(&["a", "b"])), []);
    assert_eq!(
        problems(&graph, &history(&["a", "b failed", "c running"])),
        []
    );
}

#[test]
fn missing_in_any_state_with_what_to_do() {
    let graph = declared("a");
    let found = problems(
        &graph,
        &history(&["a", "app:gone", "other:x failed", "no-id: applied"]),
    );
    assert_eq!(
        told(&found),
        [
            (ProblemKind::Missing, "app:gone"),
            (ProblemKind::Missing, "other:x"),
            (ProblemKind::Missing, "no-id:"),
        ]
    );
    assert_eq!(
        found[0].message,
        "`app:gone` is in the history (applied), but this program carries `app` without it; if it was \
         renamed, say `was = [\"app:gone\"]` at the migration that it is now, else bring it back"
    );
    assert!(
        found[1]
            .message
            .contains("name the crate in `main!(.., other)`"),
        "{}",
        found[1].message
    );
    let odd = History::new(vec![AppliedMigration::new("plain", State::Applied)]);
    assert!(
        problems(&graph, &odd)[0]
            .message
            .contains("no id of a migration")
    );
    assert!(drift::is_unsafe(ProblemKind::Missing));
    for kind in [
        ProblemKind::Changed,
        ProblemKind::OutOfOrder,
        ProblemKind::Interrupted,
    ] {
        assert!(!drift::is_unsafe(kind));
    }
}

#[test]
fn a_former_id_is_not_missing() {
    let a = draft("app:a", 1).was(&["old"]).leak();
    let graph = resolved(&[a], Ordering::Declared);
    assert_eq!(problems(&graph, &history(&["old"])), []);
    assert_eq!(problems(&graph, &history(&["old", "a"])), []);
}

#[test]
fn what_belongs_to_another_database_is_missing_here() {
    let a = draft("app:a", 1).leak();
    let b = draft("app:b", 2).databases(&["analytics"]).leak();
    let graph = resolved(&[a, b], Ordering::Declared);
    let part = graph.for_database("default");
    let found = problems(&part, &history(&["a", "b"]));
    assert_eq!(told(&found), [(ProblemKind::Missing, "app:b")]);
    assert!(
        found[0]
            .message
            .contains("belongs only to the database `analytics`"),
        "{}",
        found[0].message
    );
}

#[test]
fn changed_only_where_applied_and_recorded() {
    let graph = declared("a; b; c; d");
    let row = |id: &str, state, fingerprint: Option<u64>| {
        let mut row = AppliedMigration::new(id, state);
        row.fingerprint = fingerprint.map(Fingerprint);
        row
    };
    let history = History::new(vec![
        row("app:a", State::Applied, Some(2)),
        row("app:b", State::Applied, Some(1)),
        row("app:c", State::Applied, None),
        row("app:d", State::Failed, Some(2)),
    ]);
    let found = problems(&graph, &history);
    assert_eq!(told(&found), [(ProblemKind::Changed, "app:a")]);
    assert_eq!(found[0].location.map(|it| it.line), Some(1));
}

/// Of `app:code` and `app:text`, both changed, those that stop `up`.
fn refused(on_changed: OnChanged) -> Vec<String> {
    let code = draft("app:code", 1).leak();
    let text = draft("app:text", 2).sql("V1__text").leak();
    let same = draft("app:same", 3).sql("V2__same").leak();
    let graph = resolved(&[code, text, same], Ordering::Declared);
    let part = graph.for_database("default");
    let row = |id: &str, fingerprint: u64| {
        let mut row = AppliedMigration::new(id, State::Applied);
        row.fingerprint = Some(Fingerprint(fingerprint));
        row
    };
    let history = History::new(vec![
        row("app:code", 2),
        row("app:text", 2),
        row("app:same", 1),
        row("app:gone", 1),
    ]);
    let found = problems(&part, &history);
    assert_eq!(
        told(&found),
        [
            (ProblemKind::Missing, "app:gone"),
            (ProblemKind::Changed, "app:code"),
            (ProblemKind::Changed, "app:text"),
        ]
    );
    assert!(found[1].message.contains("its code changed"));
    assert!(found[2].message.contains("its SQL changed"));
    let refused = drift::refused_changes(&part, &found, on_changed);
    refused.into_iter().map(|it| it.id).collect()
}

#[test]
fn changed_text_stops_and_changed_code_does_not() {
    assert_eq!(refused(OnChanged::default()), ["app:text"]);
    assert_eq!(refused(OnChanged::Refuse), ["app:code", "app:text"]);
    assert!(refused(OnChanged::Warn).is_empty());
}

#[test]
fn out_of_order_names_both() {
    let graph = declared("a; b; c; d");
    let found = problems(&graph, &history(&["a", "c"]));
    assert_eq!(told(&found), [(ProblemKind::OutOfOrder, "app:b")]);
    assert_eq!(
        found[0].message,
        "`app:b` is pending and comes before `app:c`, which is applied already"
    );
}

#[test]
fn what_waits_was_let_past_knowingly() {
    let graph = declared("a; b: a; c: b; d; e");
    assert_eq!(problems(&graph, &history(&["a deferred", "e"])).len(), 1);
    assert_eq!(problems(&graph, &history(&["a deferred", "d", "e"])), []);
}

#[test]
fn nobody_waits_for_a_mass_migration_but_those_that_require_it() {
    let mass = draft("app:b", 2).mass().leak();
    let after = draft("app:c", 3).requires(&[mass]).leak();
    let nodes = [
        draft("app:a", 1).leak(),
        mass,
        after,
        draft("app:d", 4).leak(),
    ];
    let graph = resolved(&nodes, Ordering::Declared);
    assert_eq!(problems(&graph, &history(&["a", "d"])), []);
}

#[test]
fn most_serious_first() {
    let graph = declared("a; b; c; d");
    let mut rows: Vec<_> = history(&["b", "c interrupted", "d", "x:y"])
        .iter()
        .cloned()
        .collect();
    rows[2].fingerprint = Some(Fingerprint(2));
    let found = problems(&graph, &History::new(rows));
    assert_eq!(
        told(&found),
        [
            (ProblemKind::Missing, "x:y"),
            (ProblemKind::Interrupted, "app:c"),
            (ProblemKind::Changed, "app:d"),
            (ProblemKind::OutOfOrder, "app:a"),
        ]
    );
    assert!(
        found[1].message.contains("resolve app:c --retry"),
        "{}",
        found[1].message
    );
}
