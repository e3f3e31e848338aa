//! The connection is cut: before a body, in it, at its commit, and at every message. The next run
//! gets to the same end, and each effect is there once.
#![expect(clippy::unwrap_used, reason = "tests, from one end to the other")]

use migrate_diesel::core::{FailureKind, frontend::UpRequest};
use migrate_tests::{
    database::{Backend, Scratch},
    deploy::{settle, snapshot},
    program,
    proxy::{Cut, Proxy},
};

fn undisturbed(backend: Backend) -> Vec<String> {
    let scratch = Scratch::new(backend);
    assert_eq!(settle(&scratch), 0);
    snapshot(&scratch)
}

/// A run whose connection is cut, then one without an accident. Tells whether anything was cut.
fn cut_and_go_on(backend: Backend, cut: &Cut, expected: &[String]) -> bool {
    let scratch = Scratch::new(backend);
    let proxy = Proxy::start(scratch.address());
    // A connection that comes about is another matter: see the cases of refusal.
    let mut deployment = program::open("crash", scratch.url_at(proxy.address())).unwrap();
    proxy.cut(cut.clone());
    let report = deployment.up(&UpRequest::default(), &mut |_| {});
    let was_cut = proxy.has_cut();
    if let Some(failure) = &report.failure {
        assert!(was_cut, "{cut:?}: {failure:?}");
        assert!(
            matches!(
                failure.kind,
                FailureKind::Migration | FailureKind::Unreachable
            ),
            "{cut:?}: {failure:?}"
        );
    }
    drop(deployment);
    settle(&scratch);
    assert_eq!(snapshot(&scratch), expected, "{cut:?}");
    was_cut
}

fn cut_at_texts(backend: Backend) {
    let expected = undisturbed(backend);
    for cut in [
        Cut::Before("CREATE TABLE crash_rows"),
        Cut::After("CREATE TABLE crash_rows"),
        Cut::Before("2 rows"),
        Cut::After("2 rows"),
        Cut::Before("INSERT INTO crash_rows"),
        Cut::After("INSERT INTO crash_rows"),
        Cut::After("ADD COLUMN"),
        Cut::After("4 first"),
        Cut::After("4 second"),
        Cut::After("6 rows again"),
        Cut::Before("COMMIT"),
        // Nobody knows whether it was committed, until the database is asked again.
        Cut::After("COMMIT"),
    ] {
        assert!(
            cut_and_go_on(backend, &cut, &expected),
            "{cut:?} never came"
        );
    }
}

fn cut_at_every_message(backend: Backend) {
    let expected = undisturbed(backend);
    let mut messages = 0;
    while cut_and_go_on(backend, &Cut::AfterMessages(messages), &expected) {
        messages += 1;
    }
    assert!(messages > 10, "{messages}");
}

#[test]
fn postgres_cut_at_texts() {
    cut_at_texts(Backend::Postgres);
}

#[test]
fn mysql_cut_at_texts() {
    cut_at_texts(Backend::Mysql);
}

#[test]
fn postgres_cut_at_every_message() {
    cut_at_every_message(Backend::Postgres);
}

#[test]
fn mysql_cut_at_every_message() {
    cut_at_every_message(Backend::Mysql);
}
