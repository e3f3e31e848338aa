//! What people and programs read, as snapshots.

use migrate_core::{
    Failure, FailureKind, State,
    mass::MassState,
    report::{Event, LockHolder, LogEntry, Problem, ProblemKind, ViewState, ViewStatus},
};
use proptest::prelude::*;

use crate::{
    fake::{Body, FakeApp, mass::mass, migration, place, views::view},
    typist::Typist,
};

/// Everything that a status can hold.
fn rich() -> FakeApp {
    let mut app = FakeApp::of(vec![
        migration("billing:create_customers", &[]),
        migration("billing:create_invoices", &["billing:create_customers"]),
        migration("shop:create_users", &[]),
        migration("shop:index_email", &["shop:create_users"]),
        migration(
            "shop:link_invoices",
            &["shop:create_users", "billing:create_invoices"],
        ),
        migration("shop:backfill", &["shop:link_invoices"]),
        migration("shop:reindex", &["shop:index_email"]),
    ]);
    app.migrations[3].atomic = false;
    app.migrations[1].description =
        "Invoices with their lines, and a rather long explanation of why they are as they are."
            .to_owned();
    app.set("billing:create_customers", State::Applied, None);
    app.set("billing:create_invoices", State::Applied, None);
    app.set("shop:create_users", State::Applied, None);
    app.set("shop:index_email", State::Interrupted, None);
    app.set(
        "shop:link_invoices",
        State::Failed,
        Some("no such column:\nemail"),
    );
    app.set(
        "shop:backfill",
        State::Deferred,
        Some("replicas lag behind"),
    );
    app.views = vec![
        view("shop:Accounts", "accounts", ViewState::Up),
        ViewStatus {
            uses: vec!["shop:Accounts".to_owned()],
            ..view("shop:ActiveUsers", "active_users", ViewState::Changed)
        },
        ViewStatus {
            since: "billing:create_invoices".to_owned(),
            until: Some("shop:backfill".to_owned()),
            ..view("shop:Totals", "reporting.totals", ViewState::Missing)
        },
        ViewStatus {
            since: "shop:backfill".to_owned(),
            uses: vec!["shop:ActiveUsers".to_owned()],
            ..view("shop:TotalsV2", "reporting.totals", ViewState::Down)
        },
    ];
    for of_reindex in ["shop:Accounts", "shop:ActiveUsers"] {
        app.suspends
            .push(("shop:reindex".to_owned(), of_reindex.to_owned()));
    }
    app.problems = vec![
        Problem::new(
            ProblemKind::Missing,
            "shop:old",
            "history has it, this program does not carry it",
        ),
        Problem::new(
            ProblemKind::Changed,
            "shop:create_users",
            "its code changed after it was applied",
        )
        .at(place(5)),
    ];
    app.locked_by = Some(LockHolder {
        pid: Some(4711),
        host: Some("web-2".to_owned()),
        since: Some(std::time::Duration::from_secs(12)),
    });
    app
}

/// Escape sequences made visible.
fn visible(text: &str) -> String {
    text.replace('\u{1b}', "␛")
}

#[test]
fn status_for_people() {
    insta::assert_snapshot!("status_piped", Typist::new().types(&rich(), "status").out);
    let terminal = Typist::new().at_terminal(100);
    let seen = terminal.types(&rich(), "status --no-color");
    insta::assert_snapshot!("status_terminal", seen.out);
    assert!(seen.out.lines().all(|line| line.chars().count() <= 100));
    let narrow = Typist::new()
        .at_terminal(72)
        .types(&rich(), "status --no-color");
    insta::assert_snapshot!("status_narrow", narrow.out);
    let seen = terminal.types(&rich(), "status");
    insta::assert_snapshot!("status_colors", visible(&seen.out));
}

#[test]
fn status_for_programs() {
    let seen = Typist::new().types(&rich(), "status --format json");
    insta::assert_snapshot!("status_json", seen.out);
    let json: serde_json::Value = serde_json::from_str(&seen.out).unwrap();
    let first = &json[0]["migrations"][0];
    assert_eq!(first["applied_at"], "2026-11-20T09:30:00Z");
    assert!(json[0]["migrations"][6]["applied_at"].is_null());
    let seen = Typist::new().types(&FakeApp::three(), "status --format json");
    let json: serde_json::Value = serde_json::from_str(&seen.out).unwrap();
    assert_eq!(
        json[0]["views"],
        serde_json::json!([]),
        "there, though empty"
    );
    assert_eq!(json[0]["problems"], serde_json::json!([]));
}

#[test]
fn plans() {
    insta::assert_snapshot!("plan_piped", Typist::new().types(&rich(), "plan").out);
    let seen = Typist::new().types(&rich(), "plan --format json");
    insta::assert_snapshot!("plan_json", seen.out);
    let seen = Typist::new().types(&FakeApp::three().applied(), "plan");
    assert_eq!(seen.out, "default (sqlite://shop.db)\nnothing to do\n");
}

#[test]
fn checks() {
    insta::assert_snapshot!("check_piped", Typist::new().types(&rich(), "check").out);
    let seen = Typist::new().types(&rich(), "check --format json");
    insta::assert_snapshot!("check_json", seen.out);
    let seen = Typist::new().types(&FakeApp::three().applied(), "check");
    insta::assert_snapshot!("check_agrees", seen.out);
}

#[test]
fn logs() {
    let app = FakeApp::three().applied();
    let entry = |event: &str, duration_ms, detail: Option<&str>| LogEntry {
        at: "2026-11-20T09:30:00.123Z".to_owned(),
        id: "shop:create_users".to_owned(),
        event: event.to_owned(),
        by: "deploy@web-2 pid 4711".to_owned(),
        duration_ms,
        detail: detail.map(str::to_owned),
    };
    app.memory.borrow_mut().get_mut("default").unwrap().log = vec![
        entry("deferred", Some(0.2), Some("older than the limit")),
        entry("failed", Some(12.3), Some("no such table")),
        entry("applied", Some(1.3), None),
        entry("resolved", None, Some("retry")),
    ];
    insta::assert_snapshot!("log_piped", Typist::new().types(&app, "log --limit 3").out);
    let seen = Typist::new().types(&app, "log -n 1 --format json");
    insta::assert_snapshot!("log_json", seen.out);
}

fn eventful() -> FakeApp {
    let mut app = FakeApp::of(vec![
        migration("shop:create_users", &[]),
        migration("shop:wait_for_replicas", &[]),
        migration("shop:after_replicas", &["shop:wait_for_replicas"]),
        migration("shop:index_email", &["shop:create_users"]),
        migration("shop:last", &["shop:index_email"]),
    ]);
    app.migrations[1].body = Body::NotYet("replicas lag behind".to_owned());
    app.migrations[3].body = Body::Fails(vec![
        "cannot create the index".to_owned(),
        "UNIQUE constraint failed: users.email\nKey (email)=(a@b) is duplicated".to_owned(),
    ]);
    app.first_events = vec![
        Event::Waiting {
            holder: Some(LockHolder {
                pid: Some(4711),
                host: Some("web-2".to_owned()),
                since: Some(std::time::Duration::from_secs(12)),
            }),
            waited: std::time::Duration::ZERO,
        },
        Event::Warning {
            problem: Problem::new(ProblemKind::OutOfOrder, "shop:x", "applied before shop:y")
                .at(place(9)),
        },
        Event::Progress {
            id: "shop:create_users".to_owned(),
            done: 3,
            total: Some(10),
        },
    ];
    app
}

#[test]
fn up_for_people() {
    insta::assert_snapshot!(
        "up_piped",
        Typist::new().types(&eventful(), "up --keep-going").err
    );
    let terminal = Typist::new().at_terminal(100);
    let seen = terminal.types(&eventful(), "up --keep-going --no-color");
    insta::assert_snapshot!("up_terminal", seen.err);
    let seen = terminal.types(&eventful(), "up --keep-going");
    insta::assert_snapshot!("up_colors", visible(&seen.err));
    insta::assert_snapshot!(
        "up_all_well",
        Typist::new().types(&FakeApp::three(), "up").err
    );
    let seen = Typist::new().types(&FakeApp::three(), "up --steps 1");
    insta::assert_snapshot!("up_one_step", seen.err);
    let seen = Typist::new().types(&FakeApp::three().applied(), "up");
    insta::assert_snapshot!("up_nothing_to_do", seen.err);
}

#[test]
fn an_atomic_run_that_failed_does_not_leave_the_impression_that_something_stayed() {
    let mut app = FakeApp::three();
    app.migrations[2].body = Body::Fails(vec!["no".to_owned()]);
    insta::assert_snapshot!(
        "up_atomic_failed",
        Typist::new().types(&app, "up --atomic").err
    );
}

#[test]
fn up_for_programs() {
    let seen = Typist::new().types(&eventful(), "up --keep-going --format json");
    for line in seen.out.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            event["event"].is_string() && event["database"] == "default",
            "{line}"
        );
    }
    insta::assert_snapshot!("up_json", seen.out);
    insta::assert_snapshot!("up_json_stderr", seen.err);
    let seen = Typist::new().types(&FakeApp::three().applied(), "redo --yes --format json");
    insta::assert_snapshot!("redo_json", seen.out);
    let seen = Typist::new().types(
        &FakeApp::three(),
        "resolve create_users --applied --format json",
    );
    insta::assert_snapshot!("resolve_json", seen.out);
}

#[test]
fn questions() {
    let mut typist = Typist::new();
    typist.answer = Some("no\n");
    let seen = typist.types(&FakeApp::three().applied(), "down --steps 2");
    insta::assert_snapshot!("down_question", seen.err);
}

#[test]
fn failures() {
    let mut app = FakeApp::three();
    let mut failure = Failure::new(
        FailureKind::Unreachable,
        "cannot reach database `default` (postgres://me:***@db/shop)",
    )
    .next("is the server running?\nDATABASE_URL says where it is");
    failure.causes = vec!["connection refused\n\tIs the server running?".to_owned()];
    app.closed.insert("default".to_owned(), failure);
    insta::assert_snapshot!("failure_unreachable", Typist::new().types(&app, "up").err);

    let mut app = FakeApp::three();
    app.refusal = Some(
        Failure::new(FailureKind::Disagreement, "code and history disagree")
            .at(place(3))
            .with_problems(rich().problems),
    );
    insta::assert_snapshot!("failure_problems", Typist::new().types(&app, "up").err);
}

#[test]
fn graphs() {
    for format in ["text", "mermaid", "dot", "svg", "json"] {
        let seen = Typist::new().types(&rich(), &format!("graph --format {format}"));
        insta::assert_snapshot!(format!("graph_{format}"), seen.out);
    }
    let terminal = Typist::new().at_terminal(72);
    let seen = terminal.types(&rich(), "graph --no-color");
    insta::assert_snapshot!("graph_terminal", seen.out);
}

#[test]
fn pictures_tell_a_mass_migration_from_others() {
    let mut app = FakeApp::three();
    app.mass.all = vec![mass("shop:index_email", MassState::Running)];
    let shown = |app: &FakeApp, format: &str| {
        Typist::new()
            .types(app, &format!("graph --format {format}"))
            .out
    };
    for (format, mark, explained) in [
        ("text", "shop:index_email (mass)", ""),
        (
            "mermaid",
            "[[\"shop:index_email\"]]",
            "%% double sides are of a mass migration",
        ),
        (
            "dot",
            "peripheries=2",
            "// a double frame is of a mass migration",
        ),
        ("svg", "shop:index_email · mass migration", ""),
        ("json", "\"mass\": true", ""),
    ] {
        let picture = shown(&app, format);
        assert_eq!(picture.matches(mark).count(), 1, "{picture}");
        assert!(picture.contains(explained), "{picture}");
        let others = shown(&FakeApp::three(), format);
        assert!(
            !others.contains(mark) && !others.contains("mass migration"),
            "{others}"
        );
    }
    // Its box has a second frame within the first.
    let svg = shown(&app, "svg");
    let boxes = |text: &str| text.matches("<rect").count();
    assert_eq!(boxes(&svg), boxes(&shown(&FakeApp::three(), "svg")) + 1);
}

#[test]
fn help() {
    insta::assert_snapshot!("help", Typist::new().types(&rich(), "--help").out);
    insta::assert_snapshot!("help_up", Typist::new().types(&rich(), "up -h").out);
}

#[test]
fn colors_are_for_terminals_that_want_them() {
    let colored = |typist: &Typist, line: &str| {
        let seen = typist.types(&rich(), line);
        (seen.out + &seen.err).contains('\u{1b}')
    };
    for line in [
        "status", "plan", "check", "graph", "up", "--help", "nonsense",
    ] {
        assert!(!colored(&Typist::new(), line), "{line} in a pipe");
        let terminal = Typist::new().at_terminal(80);
        assert!(colored(&terminal, line), "{line} in a terminal");
        assert!(!colored(&terminal, &format!("{line} --no-color")), "{line}");
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let mut terminal = Typist::new().at_terminal(80);
            terminal.set(name, value);
            assert!(!colored(&terminal, line), "{line} with {name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a body or a database says: one line stays one line, and nothing steers a terminal.
    #[test]
    fn hostile_texts_stay_texts(text in any::<String>()) {
        let mut app = FakeApp::three();
        app.migrations[0].description = text.clone();
        app.migrations[1].body = Body::Fails(vec![text.clone()]);
        app.set("shop:split_names", State::Deferred, Some(&text));
        let typist = Typist::new();
        let baseline = typist.types(&FakeApp::three(), "status").out.lines().count();
        let status = typist.types(&app, "status").out;
        prop_assert_eq!(status.lines().count(), baseline);
        for seen in [status, typist.types(&app, "plan").out, typist.types(&app, "up").err] {
            let control = seen.chars().find(|c| c.is_control() && *c != '\n');
            prop_assert_eq!(control, None, "{}", seen);
        }
        let json = typist.types(&app, "status --format json").out;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&json[0]["migrations"][0]["description"], &text);
        let svg = typist.types(&app, "graph --format svg").out;
        prop_assert!(svg.ends_with("</svg>\n"));
    }
}
