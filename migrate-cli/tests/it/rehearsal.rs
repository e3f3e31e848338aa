//! `up --dry-run`, with and without `--sql`.

use migrate_core::{Failure, FailureKind};
use serde_json::Value;

use crate::{
    fake::{Body, FakeApp, rehearsal::statement},
    typist::Typist,
};

/// One that runs, one that is deferred, one outside a transaction.
fn app() -> FakeApp {
    let mut app = FakeApp::three();
    app.migrations[1].body = Body::NotYet("too early".to_owned());
    app.migrations[2].atomic = false;
    app.rehearsals.after = vec![statement("CREATE VIEW v AS SELECT 1 -- one", 50)];
    app
}

#[test]
fn it_shows_statements_with_their_times_and_applies_nothing() {
    let app = app();
    let seen = Typist::new().types(&app, "up --dry-run");
    assert_eq!((seen.code, seen.err.as_str()), (0, ""));
    insta::assert_snapshot!(seen.out);
    assert!(app.asked.borrow().is_empty(), "`up` was asked for");
}

#[test]
fn a_script_is_statements_and_comments() {
    let app = app();
    let seen = Typist::new().types(&app, "up --dry-run --sql");
    assert_eq!(seen.code, 0);
    insta::assert_snapshot!(seen.out);
    assert!(seen.err.contains("it lacks 1 migration;"), "{seen:?}");
    assert!(app.asked.borrow().is_empty(), "`up` was asked for");
}

#[test]
fn programs_get_times_as_numbers() {
    let seen = Typist::new().types(&app(), "up --dry-run --format json");
    let report: Value = serde_json::from_str(&seen.out).unwrap();
    let steps = &report[0]["steps"];
    assert_eq!(
        steps[0]["sql"][1],
        "INSERT INTO t VALUES ($1) -- binds: [7]"
    );
    assert_eq!(steps[0]["statements"][1]["duration_ms"], 1.2);
    assert_eq!(steps[0]["rows"], 1);
    assert_eq!(steps[1]["deferred"], "too early");
    assert_eq!(steps[2]["not_shown"], "it runs outside a transaction");
    assert_eq!(steps[2]["sql"], Value::Null);
    assert_eq!(report[0]["rehearsal"]["after"][0]["duration_ms"], 0.05);
    let plan = Typist::new().types(&app(), "plan --format json").out;
    assert!(
        !plan.contains("rehearsal") && !plan.contains("\"sql\""),
        "{plan}"
    );
}

#[test]
fn what_would_fail_is_shown_up_to_there() {
    for line in [
        "up --dry-run",
        "up --dry-run --sql",
        "up --dry-run --format json",
    ] {
        let mut app = app();
        app.rehearsals.failure = Some(Failure::new(FailureKind::Migration, "no such table"));
        let seen = Typist::new().types(&app, line);
        assert_eq!(seen.code, 1, "{line}: {seen:?}");
        assert!(
            seen.out.contains("CREATE TABLE rehearsed"),
            "{line}: {seen:?}"
        );
        assert!(
            seen.err.contains("error: no such table"),
            "{line}: {seen:?}"
        );
    }
}

#[test]
fn what_cannot_be_tried_is_said() {
    let mut app = FakeApp::three();
    for migration in &mut app.migrations {
        migration.atomic = false;
    }
    app.rehearsals.not_shown = Some("mysql commits DDL by itself".to_owned());
    let seen = Typist::new().types(&app, "up --dry-run");
    assert_eq!(seen.code, 0);
    assert!(
        seen.out
            .ends_with("nothing was tried: mysql commits DDL by itself\n"),
        "{}",
        seen.out
    );
    let seen = Typist::new().types(&app, "up --dry-run --sql");
    assert!(seen.err.contains("it lacks 3 migrations"), "{seen:?}");
    let statements = seen
        .out
        .lines()
        .filter(|line| !line.starts_with("--") && !line.is_empty());
    assert_eq!(statements.count(), 0, "{}", seen.out);
}
