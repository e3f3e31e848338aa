//! Commands and their exit codes.

use migrate_core::{
    Failure, FailureKind, State,
    frontend::{Grouping, OnFailure, Target, UpRequest},
    report::{Problem, ProblemKind},
};

use crate::{
    fake::{Body, FakeApp, migration},
    typist::Typist,
};

fn failure(kind: FailureKind, message: &str) -> Failure {
    Failure::new(kind, message)
}

#[test]
fn no_command_is_up() {
    let app = FakeApp::three();
    let seen = Typist::new().types(&app, "");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(app.state("shop:split_names"), State::Applied);
    assert_eq!(seen.out, "", "people read standard error");
}

#[test]
fn options_of_up_need_no_up() {
    let app = FakeApp::three();
    let typist = Typist::new();
    assert_eq!(typist.types(&app, "--steps 1").code, 0);
    assert_eq!(app.state("shop:create_users"), State::Applied);
    assert_eq!(app.state("shop:index_email"), State::Pending);
    // A mistyped command is no id.
    let seen = typist.types(&app, "stauts");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("'status'"), "{}", seen.err);
    // Nor does an unknown option of another command become one of `up`.
    let seen = typist.types(&app, "status --steps 1");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("migrate status"), "{}", seen.err);
}

#[test]
fn what_is_typed_arrives() {
    let expected = UpRequest {
        target: Target::Ids(vec!["index_email".to_owned()]),
        on_failure: OnFailure::KeepGoing,
        wait: Some(std::time::Duration::from_millis(500)),
        ..UpRequest::default()
    };
    let app = FakeApp::three();
    let seen = Typist::new().types(&app, "up index_email --keep-going --wait 500ms --yes");
    assert_eq!(
        (seen.code, app.asked.borrow().as_slice()),
        (0, &[expected][..])
    );
    assert_eq!(app.state("shop:split_names"), State::Pending);

    let app = FakeApp::three();
    Typist::new().types(&app, "up --atomic");
    assert_eq!(app.asked.borrow()[0].grouping, Grouping::Atomic);
}

#[test]
fn usage_errors_are_2_and_open_nothing() {
    for line in [
        "up --steps 0",
        "up --steps -1",
        "up --steps x",
        "up --wait 60",
        "up --wait forever",
        "up --sql",
        "up --atomic --keep-going",
        "up a --steps 1",
        "down a --steps 1",
        "down --to a --steps 1",
        "down --steps 0",
        "resolve a",
        "resolve --retry",
        "resolve a --retry --applied",
        "status --format svg",
        "up --format yaml",
        "-q -v",
        "completions cobol",
        "--database analytics status",
        "--database analytics graph",
        "nonsense",
    ] {
        let app = FakeApp::three();
        let seen = Typist::new().types(&app, line);
        assert_eq!(seen.code, 2, "{line}: {seen:?}");
        assert!(seen.err.contains("error:"), "{line}: {seen:?}");
        assert_eq!(seen.out, "", "{line}");
        assert!(app.opened.borrow().is_empty(), "{line}");
    }
}

#[test]
fn help_and_version_are_results() {
    for line in ["--help", "-h", "up --help", "--version"] {
        let seen = Typist::without_configuration().types(&FakeApp::three(), line);
        assert_eq!((seen.code, seen.err.as_str()), (0, ""), "{line}");
    }
    let help = Typist::new().types(&FakeApp::three(), "--help").out;
    for word in ["Examples:", "Exit codes:", "resolve", "--database-url"] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
}

#[test]
fn every_kind_of_failure_has_its_code() {
    for (kind, code) in [
        (FailureKind::Migration, 1),
        (FailureKind::Usage, 2),
        (FailureKind::Disagreement, 4),
        (FailureKind::Lock, 5),
        (FailureKind::Unreachable, 6),
    ] {
        let mut app = FakeApp::three();
        app.refusal = Some(failure(kind, "because"));
        for line in ["up", "down --yes", "resolve create_users --applied"] {
            let seen = Typist::new().types(&app, line);
            assert_eq!(seen.code, code, "{line}");
            assert_eq!(
                seen.err.matches("because").count(),
                1,
                "{line}: {}",
                seen.err
            );
        }
        let mut app = FakeApp::three();
        app.closed
            .insert("default".to_owned(), failure(kind, "because"));
        for line in [
            "up",
            "plan",
            "status",
            "check",
            "log",
            "down --yes",
            "redo --yes",
        ] {
            assert_eq!(Typist::new().types(&app, line).code, code, "{line}");
        }
    }
}

#[test]
fn what_is_deferred_or_waits_for_it_is_not_done() {
    let mut app = FakeApp::three();
    app.migrations[1].body = Body::NotYet("the backfill still runs".to_owned());
    let seen = Typist::new().types(&app, "up");
    assert_eq!(seen.code, 1);
    assert!(seen.err.contains("the backfill still runs"), "{}", seen.err);
    assert!(seen.err.contains("it requires shop:index_email"));
}

#[test]
fn a_failure_is_said_once() {
    let mut app = FakeApp::three();
    app.migrations[1].body = Body::Fails(vec!["outer".to_owned(), "UNIQUE failed".to_owned()]);
    for line in ["up", "up --format json"] {
        let seen = Typist::new().types(&app, line);
        assert_eq!(seen.code, 1);
        assert_eq!(seen.err.matches("UNIQUE failed").count(), 1, "{}", seen.err);
        assert_eq!(seen.err.matches("src/migrations.rs:5").count(), 1);
        assert_eq!(seen.err.matches("correct it and run").count(), 1);
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let app = FakeApp::three();
    let typist = Typist::new();
    let dry = typist.types(&app, "up --dry-run --steps 2");
    let plan = typist.types(&app, "plan --steps 2");
    for seen in [dry, plan] {
        assert_eq!(seen.code, 0);
        assert!(seen.out.contains("shop:index_email") && !seen.out.contains("shop:split_names"));
    }
    assert_eq!(app.state("shop:create_users"), State::Pending);
    assert!(app.asked.borrow().is_empty());
}

#[test]
fn status_tells_with_its_exit_code_where_asked() {
    let typist = Typist::new();
    let app = FakeApp::three();
    assert_eq!(typist.types(&app, "status").code, 0);
    assert_eq!(typist.types(&app, "status --exit-code").code, 3);
    let app = app.applied();
    assert_eq!(typist.types(&app, "status --exit-code").code, 0);
}

#[test]
fn check_is_0_3_or_4() {
    let typist = Typist::new();
    let mut app = FakeApp::three();
    assert_eq!(typist.types(&app, "check").code, 3);
    app = app.applied();
    assert_eq!(typist.types(&app, "check").code, 0);
    for (kind, code) in [
        (ProblemKind::OutOfOrder, 0),
        (ProblemKind::Changed, 4),
        (ProblemKind::Missing, 4),
        (ProblemKind::Interrupted, 4),
    ] {
        app.problems = vec![Problem::new(kind, "shop:x", "something")];
        assert_eq!(typist.types(&app, "check").code, code, "{kind:?}");
    }
    app.set("shop:split_names", State::Pending, None);
    assert_eq!(
        typist.types(&app, "check").code,
        4,
        "weighs more than pending"
    );
}

#[test]
fn down_asks_and_a_pipe_cannot_answer() {
    let app = FakeApp::three().applied();
    let mut typist = Typist::new();
    let seen = typist.types(&app, "down");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("--yes"), "{}", seen.err);

    for answer in ["", "n\n", "maybe\n"] {
        typist.answer = Some(answer);
        let seen = typist.types(&app, "down");
        assert_eq!(seen.code, 1, "{answer}");
        assert!(seen.err.contains("revert shop:split_names"), "{}", seen.err);
    }
    assert_eq!(app.state("shop:split_names"), State::Applied);

    typist.answer = Some("y\n");
    assert_eq!(typist.types(&app, "down").code, 0);
    assert_eq!(app.state("shop:split_names"), State::Pending);
    assert_eq!(app.state("shop:index_email"), State::Applied);
}

#[test]
fn down_reverts_what_was_named() {
    let app = FakeApp::three().applied();
    let typist = Typist::new();
    assert_eq!(typist.types(&app, "down --to create_users --yes").code, 0);
    assert_eq!(app.state("shop:create_users"), State::Applied);
    assert_eq!(app.state("shop:index_email"), State::Pending);
    assert_eq!(typist.types(&app, "down --steps 5 -y").code, 0);
    let seen = typist.types(&app, "down");
    assert_eq!(seen.code, 0, "nothing to ask about");
    assert!(seen.err.contains("nothing to revert"), "{}", seen.err);
}

#[test]
fn down_does_not_revert_what_was_not_shown() {
    let mut app = FakeApp::three().applied();
    app.meanwhile = Some(|memory| memory.order.push("shop:create_users".to_owned()));
    let mut typist = Typist::new();
    typist.answer = Some("yes\n");
    let seen = typist.types(&app, "down");
    assert_eq!(seen.code, 4, "{seen:?}");
    assert_eq!(app.state("shop:split_names"), State::Applied);
}

#[test]
fn redo_asks_too() {
    let app = FakeApp::three().applied();
    let typist = Typist::new();
    assert_eq!(typist.types(&app, "redo").code, 2);
    let seen = typist.types(&app, "redo --yes");
    assert_eq!(seen.code, 0);
    assert!(seen.err.contains("1 reverted, 1 applied"), "{}", seen.err);
}

#[test]
fn resolve_settles() {
    let app = FakeApp::three();
    app.set("shop:create_users", State::Interrupted, None);
    let seen = Typist::new().types(&app, "resolve create_users --applied");
    assert_eq!(seen.code, 0);
    assert_eq!(seen.err, "shop:create_users is recorded as applied\n");
    let seen = Typist::new().types(&app, "resolve create_user --retry");
    assert_eq!(seen.code, 2);
}

#[test]
fn wait_waits_for_what_is_missing() {
    let typist = Typist::new();
    let app = FakeApp::three();
    let seen = typist.types(&app, "wait --timeout 150ms");
    assert_eq!(seen.code, 1);
    assert!(seen.err.contains("3 migrations pending"), "{}", seen.err);
    assert!(app.opened.borrow().len() >= 2, "it looks again");

    let app = FakeApp::three().applied();
    assert_eq!(typist.types(&app, "wait --timeout 0s").code, 0);

    let mut app = FakeApp::three();
    let unreachable = failure(FailureKind::Unreachable, "cannot reach it");
    app.closed.insert("default".to_owned(), unreachable);
    let seen = typist.types(&app, "wait --timeout 50ms");
    assert_eq!(seen.code, 6);
    assert_eq!(seen.err.matches("error: cannot reach it").count(), 1);

    let mut app = FakeApp::three();
    app.closed
        .insert("default".to_owned(), failure(FailureKind::Usage, "no"));
    assert_eq!(typist.types(&app, "wait").code, 2, "waiting does not help");
    assert_eq!(app.opened.borrow().len(), 1);
}

#[test]
fn graph_needs_no_database() {
    let app = FakeApp::three();
    let typist = Typist::without_configuration();
    for format in ["text", "mermaid", "dot", "svg", "json", "human"] {
        let seen = typist.types(&app, &format!("graph --format {format}"));
        assert_eq!((seen.code, seen.err.as_str()), (0, ""), "{format}");
        assert!(seen.out.contains("index_email"), "{format}");
    }
    let mut app = FakeApp::three();
    let unreachable = failure(FailureKind::Unreachable, "cannot reach it");
    app.closed.insert("default".to_owned(), unreachable);
    assert_eq!(Typist::new().types(&app, "graph").code, 0);
}

#[test]
fn a_password_in_the_wrong_place_is_not_repeated() {
    let seen = Typist::new().types(&FakeApp::three(), "status postgres://me:s3cret@db/shop");
    assert_eq!(seen.code, 2);
    assert!(!seen.err.contains("s3cret"), "{}", seen.err);
}

#[test]
fn an_invalid_graph_is_told() {
    let mut app = FakeApp::three();
    app.invalid = Some(
        failure(FailureKind::Disagreement, "the graph is not valid").with_problems(vec![
            Problem::new(ProblemKind::Cycle, "shop:a", "it requires itself"),
        ]),
    );
    for line in ["graph", "up", "status"] {
        let seen = Typist::new().types(&app, line);
        assert_eq!(seen.code, 4, "{line}");
        assert!(
            seen.err.contains("shop:a: it requires itself"),
            "{}",
            seen.err
        );
    }
}

#[test]
fn a_program_without_migrations_is_an_error() {
    let mut app = FakeApp::default();
    assert_eq!(Typist::new().types(&app, "up").code, 2);
    app.invalid = Some(failure(FailureKind::Disagreement, "billing has none"));
    let seen = Typist::new().types(&app, "up");
    assert_eq!(seen.code, 4);
    assert!(seen.err.contains("billing has none"));
}

#[test]
fn completions_need_nothing() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let seen = Typist::without_configuration()
            .types(&FakeApp::default(), &format!("completions {shell}"));
        assert_eq!(seen.code, 0, "{shell}");
        assert!(seen.out.contains("dry-run"), "{shell}");
    }
}

fn two_databases() -> FakeApp {
    let mut app = FakeApp::three();
    let mut other = migration("stats:create_facts", &[]);
    other.database = "analytics".to_owned();
    app.migrations.insert(0, other);
    app
}

fn typist_with_two() -> Typist {
    let mut typist = Typist::new();
    typist.set("MIGRATE_DATABASES_ANALYTICS_URL", "sqlite://stats.db");
    typist
}

fn opened(app: &FakeApp) -> Vec<String> {
    let opened = app.opened.borrow();
    opened
        .iter()
        .map(|(_, database)| format!("{}={}", database.name, database.url))
        .collect()
}

#[test]
fn several_databases_in_order() {
    let app = two_databases();
    assert_eq!(typist_with_two().types(&app, "up").code, 0);
    assert_eq!(
        opened(&app),
        ["default=sqlite://shop.db", "analytics=sqlite://stats.db"]
    );
    let app = two_databases();
    let seen = typist_with_two().types(&app, "status --database analytics");
    assert_eq!(seen.code, 0);
    assert_eq!(opened(&app), ["analytics=sqlite://stats.db"]);
}

#[test]
fn a_failure_stops_before_the_next_database() {
    let mut app = two_databases();
    app.migrations[1].body = Body::Fails(vec!["no".to_owned()]);
    assert_eq!(typist_with_two().types(&app, "up").code, 1);
    assert_eq!(app.state("stats:create_facts"), State::Pending);
}

#[test]
fn a_carried_database_has_to_be_configured() {
    let app = two_databases();
    let seen = Typist::new().types(&app, "up");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("`analytics`"), "{}", seen.err);
    assert!(seen.err.contains("MIGRATE_DATABASES_ANALYTICS_URL"));
    assert!(app.opened.borrow().is_empty());
}

#[test]
fn steps_and_ids_over_several_databases() {
    let app = two_databases();
    assert_eq!(typist_with_two().types(&app, "up --steps 2").code, 0);
    assert_eq!(app.state("stats:create_facts"), State::Pending);

    let app = two_databases();
    let seen = typist_with_two().types(&app, "up create_facts create_users");
    assert_eq!(seen.code, 0, "{}", seen.err);
    assert_eq!(app.state("stats:create_facts"), State::Applied);
    assert_eq!(app.state("shop:create_users"), State::Applied);
    assert_eq!(app.state("shop:index_email"), State::Pending);

    let app = two_databases();
    let seen = typist_with_two().types(&app, "up create_facts create_user");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("`create_user`"), "{}", seen.err);
    assert_eq!(
        app.state("stats:create_facts"),
        State::Pending,
        "nothing ran"
    );
}

#[test]
fn reverting_wants_to_know_which_database() {
    for line in ["down --yes", "redo --yes", "resolve create_facts --retry"] {
        let app = two_databases().applied();
        let seen = typist_with_two().types(&app, line);
        assert_eq!(seen.code, 2, "{line}");
        assert!(seen.err.contains("--database NAME"), "{}", seen.err);
        assert!(app.opened.borrow().is_empty());
    }
    let app = two_databases().applied();
    let seen = typist_with_two().types(&app, "--database analytics down --yes");
    assert_eq!(seen.code, 0);
    assert_eq!(app.state("stats:create_facts"), State::Pending);
    assert_eq!(app.state("shop:split_names"), State::Applied);
}

#[test]
fn quiet_leaves_results_and_errors() {
    let mut app = FakeApp::three();
    assert_eq!(Typist::new().types(&app, "-q up").err, "");
    assert!(!Typist::new().types(&app, "status -q").out.is_empty());
    app.refusal = Some(failure(FailureKind::Lock, "somebody else deploys"));
    assert_eq!(
        Typist::new().types(&app, "up -q").err,
        "error: somebody else deploys\n"
    );
}
