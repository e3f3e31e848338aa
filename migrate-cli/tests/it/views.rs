//! What views add to commands and exit codes.

use migrate_core::{
    State,
    report::{Problem, ProblemKind, ViewState, ViewStatus},
};
use serde_json::{Value, json};

use crate::{
    fake::{Body, FakeApp, views::view},
    typist::Typist,
};

/// A view from the first migration on, that the last one suspends; `n` more beside it.
fn with_views(state: ViewState, n: usize) -> FakeApp {
    let mut app = FakeApp::three();
    app.views = vec![view("shop:ActiveUsers", "active_users", state)];
    for at in 1..=n {
        let (id, name) = (format!("shop:View{at}"), format!("view_{at}"));
        app.views.push(view(&id, &name, state));
    }
    for view in &app.views {
        app.suspends
            .push(("shop:split_names".to_owned(), view.id.clone()));
    }
    app
}

#[test]
fn a_view_that_is_not_as_declared_is_pending() {
    let typist = Typist::new();
    for (state, code) in [
        (ViewState::Up, 0),
        (ViewState::Down, 0),
        (ViewState::Missing, 3),
        (ViewState::Changed, 3),
        (ViewState::Ended, 3),
        (ViewState::Suspended, 3),
    ] {
        let app = with_views(state, 0).applied();
        assert_eq!(typist.types(&app, "status").code, 0, "{state:?}");
        for line in ["status --exit-code", "check"] {
            assert_eq!(typist.types(&app, line).code, code, "{line} {state:?}");
        }
        let wait = typist.types(&app, "wait --timeout 0s");
        assert_eq!(wait.code, u8::from(code != 0), "{state:?}: {}", wait.err);
        let plan = typist.types(&app, "plan").out;
        assert_eq!(plan.contains("nothing to do"), code == 0, "{plan}");
        let up = typist.types(&app, "up").err;
        assert_eq!(up.contains("nothing to do"), code == 0, "{up}");
    }
    let seen = typist.types(
        &with_views(ViewState::Missing, 0).applied(),
        "wait --timeout 0s",
    );
    insta::assert_snapshot!("wait_for_a_view", seen.err);
}

#[test]
fn check_weighs_what_it_finds() {
    let typist = Typist::new();
    for (kind, code) in [
        (ProblemKind::ViewUses, 0),
        (ProblemKind::ViewMissing, 3),
        (ProblemKind::ViewChanged, 3),
        (ProblemKind::ViewUndeclared, 4),
        (ProblemKind::ViewInTheWay, 4),
        (ProblemKind::ViewLifetime, 2),
    ] {
        let mut app = FakeApp::three().applied();
        app.problems = vec![Problem::new(kind, "shop:ActiveUsers", "something")];
        let seen = typist.types(&app, "check");
        assert_eq!(seen.code, code, "{kind:?}");
        assert!(seen.out.contains("shop:ActiveUsers: something"), "{kind:?}");
        // Something pending beside it does not hide it.
        app.set("shop:split_names", State::Pending, None);
        let beside = if code == 0 { 3 } else { code };
        assert_eq!(typist.types(&app, "check").code, beside, "{kind:?}");
    }
    let mut app = FakeApp::three();
    app.problems = vec![
        Problem::new(ProblemKind::Missing, "shop:old", "something"),
        Problem::new(ProblemKind::ViewLifetime, "shop:ActiveUsers", "something"),
    ];
    assert_eq!(
        typist.types(&app, "check").code,
        2,
        "an invalid program weighs most"
    );
    let app = with_views(ViewState::Changed, 0).applied();
    insta::assert_snapshot!("check_views", typist.types(&app, "check").out);
}

#[test]
fn a_plan_may_have_views_only() {
    let mut app = with_views(ViewState::Changed, 2).applied();
    app.views[2].state = ViewState::Ended;
    insta::assert_snapshot!("plan_views_only", Typist::new().types(&app, "plan").out);
    let json = Typist::new().types(&app, "plan --format json").out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["steps"], json!([]));
    assert_eq!(
        json[0]["views"][0],
        json!({
            "id": "shop:ActiveUsers",
            "name": "active_users",
            "action": "rebuild",
            "because": "its definition changed",
        })
    );
}

#[test]
fn a_run_counts_views_and_names_them_only_with_v() {
    let app = with_views(ViewState::Up, 39);
    insta::assert_snapshot!("up_views", Typist::new().types(&app, "up").err);
    // The subscriber of `-v` is the process's, and writes elsewhere.
    let mut app = with_views(ViewState::Up, 1);
    app.views[1].state = ViewState::Missing;
    insta::assert_snapshot!("up_views_verbose", Typist::new().types(&app, "up -v").err);
    let app = with_views(ViewState::Up, 1).applied();
    let seen = Typist::new().types(&app, "down --steps 3 --yes");
    insta::assert_snapshot!("down_views", seen.err);
    let app = with_views(ViewState::Up, 1).applied();
    let mut typist = Typist::new();
    typist.answer = Some("no\n");
    let seen = typist.types(&app, "down --steps 3");
    insta::assert_snapshot!("down_views_question", seen.err);
}

#[test]
fn views_of_no_migration_are_told_at_the_end() {
    let app = with_views(ViewState::Changed, 6).applied();
    insta::assert_snapshot!("up_rebuilt", Typist::new().types(&app, "up").err);
    let app = with_views(ViewState::Changed, 0);
    insta::assert_snapshot!(
        "up_applied_and_rebuilt",
        Typist::new().types(&app, "up").err
    );
}

#[test]
fn views_of_what_was_rolled_back_are_not_counted() {
    let mut app = with_views(ViewState::Up, 1);
    app.migrations[0].body = Body::NotYet("not now".to_owned());
    app.migrations[2].requires.clear();
    let seen = Typist::new().types(&app, "up");
    assert_eq!(seen.err.matches("views: 2 down, 2 up").count(), 1);
    assert_eq!(seen.err.matches("views:").count(), 1, "{}", seen.err);

    for (atomic, told) in [(true, 0), (false, 1)] {
        let mut app = with_views(ViewState::Up, 1);
        app.migrations[2].body = Body::Fails(vec!["no".to_owned()]);
        app.migrations[2].atomic = atomic;
        let seen = Typist::new().types(&app, "up").err;
        assert_eq!(seen.matches("views: 2 down, 2 up").count(), told, "{seen}");
    }
}

#[test]
fn programs_are_told_of_each_view() {
    let mut app = with_views(ViewState::Changed, 0);
    app.views[0].until = Some("shop:index_email".to_owned());
    app.suspends.clear();
    let seen = Typist::new().types(&app, "up --format json");
    let events: Vec<Value> = seen
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let views: Vec<&Value> = events
        .iter()
        .filter(|event| event["event"].as_str().unwrap().starts_with("view_"))
        .collect();
    let event = |event: &str, migration: Option<&str>| {
        json!({
            "event": event,
            "database": "default",
            "id": "shop:ActiveUsers",
            "name": "active_users",
            "migration": migration,
        })
    };
    assert_eq!(
        views,
        [
            &event("view_up", Some("shop:create_users")),
            &event("view_down", Some("shop:index_email")),
            &event("view_down", None),
            &event("view_up", None),
        ]
    );
    assert_eq!(events.last().unwrap()["views"], 1);
    assert_eq!(seen.err, "");
}

#[test]
fn names_of_views_do_not_steer_a_terminal() {
    let app = || {
        let mut app = with_views(ViewState::Changed, 0);
        app.views[0].name = "a\u{1b}[31m\nb".to_owned();
        app.views[0].until = Some("shop:in\u{7}dex".to_owned());
        app.views.push(ViewStatus {
            uses: vec!["shop:\u{1b}x".to_owned()],
            ..view("shop:O\u{1b}ther", "other\"]<b>", ViewState::Up)
        });
        app
    };
    let typist = Typist::new();
    for line in [
        "status",
        "plan",
        "check",
        "up",
        "up -v",
        "wait --timeout 0s",
        "graph",
        "graph --format dot",
        "graph --format mermaid",
        "graph --format svg",
    ] {
        let seen = typist.types(&app(), line);
        let text = seen.out + &seen.err;
        let control = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "{line}: {text}");
    }
}
