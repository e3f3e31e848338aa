//! `mark`, `baseline` and `accept`.

use migrate_core::State;

use crate::{fake::FakeApp, typist::Typist};

#[test]
fn mark_asks_first() {
    let app = FakeApp::three();
    let seen = Typist::new().types(&app, "mark create_users --applied");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("`mark --yes` answers"), "{}", seen.err);
    let mut typist = Typist::new().at_terminal(100);
    typist.answer = Some("n\n");
    let seen = typist.types(&app, "mark create_users --applied");
    assert_eq!(seen.code, 1, "{seen:?}");
    assert!(seen.err.contains("nothing was recorded"), "{}", seen.err);
    assert_eq!(app.state("shop:create_users"), State::Pending);
    typist.answer = Some("y\n");
    let seen = typist.types(&app, "mark create_users --applied");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(
        seen.err
            .contains("Record this migration as applied, without running anything?"),
        "{}",
        seen.err
    );
    assert_eq!(app.state("shop:create_users"), State::Applied);
}

#[test]
fn mark_says_what_is_recorded() {
    let app = FakeApp::three();
    let seen = Typist::new().types(&app, "mark create_users --applied --yes --format json");
    assert_eq!(
        seen.out,
        "{\"event\":\"marked\",\"database\":\"default\",\"id\":\"shop:create_users\"}\n"
    );
    let seen = Typist::new().types(&app, "baseline --yes");
    assert_eq!(seen.code, 0);
    assert_eq!(
        seen.err,
        "shop:index_email is recorded as applied\nshop:split_names is recorded as applied\n"
    );
    let seen = Typist::new().types(&app, "baseline --yes");
    assert!(seen.err.contains("nothing to record"), "{}", seen.err);
}

#[test]
fn what_does_not_say_enough_is_refused() {
    for line in [
        "mark create_users",
        "mark --applied",
        "accept create_users",
        "accept --reason x",
    ] {
        let app = FakeApp::three();
        let seen = Typist::new().types(&app, line);
        assert_eq!(seen.code, 2, "{line}: {seen:?}");
        assert!(app.opened.borrow().is_empty(), "{line}");
    }
}

#[test]
fn accept_takes_a_reason() {
    let app = FakeApp::three().applied();
    let line = "accept create_users --reason formatted --format json";
    let seen = Typist::new().types(&app, line);
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(
        seen.out,
        "{\"event\":\"accepted\",\"database\":\"default\",\"id\":\"shop:create_users\",\"reason\":\"formatted\"}\n"
    );
}

#[test]
fn on_changed_is_warn_or_refuse() {
    use migrate_core::OnChanged;
    let app = FakeApp::three();
    let mut typist = Typist::new();
    typist.set("MIGRATE_ON_CHANGED", "refuse");
    let seen = typist.types(&app, "status");
    assert_eq!(seen.code, 0, "{seen:?}");
    let seen = Typist::new().types(&app, "status");
    assert_eq!(seen.code, 0, "{seen:?}");
    let opened: Vec<OnChanged> = app
        .opened
        .borrow()
        .iter()
        .map(|it| it.0.on_changed)
        .collect();
    assert_eq!(opened, [OnChanged::Refuse, OnChanged::Warn]);
    let mut typist = Typist::new();
    typist.set("MIGRATE_ON_CHANGED", "stop");
    let seen = typist.types(&app, "status");
    assert_eq!(seen.code, 2);
    assert!(
        seen.err
            .contains("MIGRATE_ON_CHANGED cannot be `stop`: it is `warn` or `refuse`"),
        "{}",
        seen.err
    );
}
