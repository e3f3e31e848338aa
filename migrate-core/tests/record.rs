//! What may be recorded without being run.

mod support;

use migrate_core::{
    Descriptor, Fingerprint, Graph, History, Ordering, State,
    record::{self, AcceptRequest, Marked, RecordError},
};
use support::{declared, draft, history, resolved};

fn these(names: &[&str]) -> Marked {
    Marked::These(names.iter().map(|&it| it.to_owned()).collect())
}

fn up_to(names: &[&str]) -> Marked {
    Marked::UpTo(names.iter().map(|&it| it.to_owned()).collect())
}

/// The names, or the error.
fn marked(graph: &Graph, history: &History, marked: &Marked) -> String {
    match record::mark(graph, history, marked) {
        Ok(positions) => {
            let named = positions.iter().filter_map(|&at| graph.get(at));
            let named: Vec<&str> = named.map(|it| it.id.name()).collect();
            named.join(" ")
        }
        Err(error) => {
            assert!(error.next_step().is_some(), "{error}");
            error.to_string()
        }
    }
}

#[test]
fn exactly_these() {
    let graph = declared("a; b: a; c: b");
    let none = history(&[]);
    assert_eq!(marked(&graph, &none, &these(&["b", "a", "b"])), "a b");
    assert_eq!(
        marked(&graph, &none, &these(&["c", "a"])),
        "cannot record `app:c`: it requires `app:b`, which is pending"
    );
    assert_eq!(
        marked(&graph, &history(&["a"]), &these(&["b", "a"])),
        "cannot record `app:a`: it is applied already"
    );
    assert_eq!(
        marked(&graph, &history(&["a interrupted"]), &these(&["a"])),
        "cannot record `app:a`: it is interrupted"
    );
    for state in ["failed", "deferred"] {
        let tried = history(&[&format!("a {state}")]);
        assert_eq!(marked(&graph, &tried, &these(&["a"])), "a");
    }
}

#[test]
fn what_is_not_there_is_told_all_at_once() {
    let graph = declared("a; b");
    let error = record::mark(&graph, &history(&[]), &these(&["x", "a", "y"])).unwrap_err();
    let RecordError::Lookup(lost) = error else {
        unreachable!("{error}")
    };
    assert_eq!(lost.len(), 2);
}

#[test]
fn a_baseline() {
    let graph = declared("a; b: a; c: b; d");
    assert_eq!(marked(&graph, &history(&[]), &Marked::All), "a b c d");
    assert_eq!(
        marked(&graph, &history(&["a"]), &Marked::All),
        "this database has a history already (1 recorded)"
    );
    assert_eq!(marked(&graph, &history(&["a"]), &up_to(&["c"])), "b c");
    assert_eq!(
        marked(&graph, &history(&["a", "b", "c"]), &up_to(&["c"])),
        ""
    );
    assert_eq!(
        marked(&graph, &history(&["a", "b interrupted"]), &up_to(&["c"])),
        "cannot record `app:b`: it is interrupted"
    );
}

fn squashed() -> Graph {
    let a = draft("app:a", 1).leak();
    let b = draft("app:b", 2).requires(&[a]).leak();
    let squash = draft("app:squash", 3).replaces(&[a, b]).leak();
    let after = draft("app:after", 4).requires(&[b]).leak();
    let all: [&'static Descriptor; 4] = [a, b, squash, after];
    resolved(&all, Ordering::Declared)
}

#[test]
fn a_squash_is_recorded_whole() {
    let graph = squashed();
    let none = history(&[]);
    assert_eq!(marked(&graph, &none, &Marked::All), "squash after");
    assert_eq!(marked(&graph, &none, &up_to(&["after"])), "squash after");
    assert_eq!(
        marked(&graph, &none, &these(&["a"])),
        "cannot record `app:a`: `app:squash` replaces it, and more that is not applied"
    );
    assert_eq!(marked(&graph, &none, &these(&["a", "b"])), "a b");
    assert_eq!(
        marked(&graph, &none, &these(&["a", "b", "after"])),
        "a b after"
    );
    assert_eq!(
        marked(&graph, &history(&["squash"]), &these(&["a"])),
        "cannot record `app:a`: it is applied already"
    );
    assert_eq!(
        marked(&graph, &history(&["a", "b"]), &these(&["squash"])),
        "cannot record `app:squash`: it is applied already"
    );
    // The way out of a squash that is replaced in part.
    assert_eq!(marked(&graph, &history(&["a"]), &these(&["b"])), "b");
}

#[test]
fn only_what_changed_is_accepted() {
    let graph = declared("a; b; c");
    let rows = history(&["a", "b", "c failed"]);
    let rows = rows.iter().cloned().map(|mut row| {
        let ran = if row.id == "app:b" { 1 } else { 9 };
        row.fingerprint = Some(Fingerprint(ran));
        row
    });
    let history = History::new(rows.collect());
    let accept = |ids: &[&str], reason: &str| {
        let request = AcceptRequest {
            ids: ids.iter().map(|&it| it.to_owned()).collect(),
            reason: reason.to_owned(),
            wait: None,
        };
        record::accept(&graph, &history, &request)
    };
    assert_eq!(accept(&["a"], "why").unwrap().len(), 1);
    assert_eq!(accept(&["a"], " ").unwrap_err(), RecordError::NoReason);
    let RecordError::Unchanged(unchanged) = accept(&["a", "b", "c"], "why").unwrap_err() else {
        unreachable!("two of them are as they were")
    };
    let states: Vec<State> = unchanged.iter().map(|it| it.state).collect();
    assert_eq!(states, [State::Applied, State::Failed]);
}
