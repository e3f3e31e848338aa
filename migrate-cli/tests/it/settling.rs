//! `mark`, `baseline`, `accept` and `adopt`.

use std::time::{Duration, UNIX_EPOCH};

use migrate_core::{
    State,
    adopt::{Adopted, Adoption, Fate, Mapped, Tool},
};

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
        "up --accept create_users",
        "up --reason x",
        "up --accept create_users --reason x --dry-run",
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

/// In one go with the deploy that it stopped.
#[test]
fn up_accepts_before_it_runs() {
    let app = FakeApp::three();
    let typist = Typist::new();
    assert_eq!(typist.types(&app, "up create_users").code, 0);
    let line = "up --accept create_users --reason formatted --format json";
    let seen = typist.types(&app, line);
    assert_eq!(seen.code, 0, "{seen:?}");
    let events: Vec<serde_json::Value> = seen
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events[0]["event"], "accepted");
    assert_eq!(events[0]["reason"], "formatted");
    assert_eq!(events[1]["event"], "started");
    assert_eq!(app.state("shop:split_names"), migrate_core::State::Applied);
    // Where it cannot be settled, nothing runs.
    let app = FakeApp::three();
    let seen = typist.types(&app, "up --accept unknown --reason formatted");
    assert_eq!(seen.code, 2, "{seen:?}");
    assert_eq!(app.state("shop:create_users"), migrate_core::State::Pending);
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
    assert_eq!(opened, [OnChanged::Refuse, OnChanged::RefuseSql]);
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

fn history_of_diesel() -> Adoption {
    let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
    let row = |theirs: &str, id: Option<&str>, at, fate| Adopted {
        theirs: theirs.to_owned(),
        id: id.map(str::to_owned),
        at,
        fate,
    };
    Adoption::of(
        vec![
            row("00000000000000", None, at(1_704_103_199), Fate::Skipped),
            row(
                "20240101000000",
                Some("shop:create_users"),
                at(1_704_103_200),
                Fate::Record,
            ),
            row(
                "20240102000000",
                Some("shop:index_email"),
                None,
                Fate::Record,
            ),
        ],
        vec!["shop:split_names".to_owned()],
    )
}

#[test]
fn adopt_shows_asks_and_records() {
    let mut app = FakeApp::three();
    app.adoption = history_of_diesel();
    let seen = Typist::new().types(&app, "adopt diesel --dry-run");
    assert_eq!(seen.code, 0, "{seen:?}");
    insta::assert_snapshot!("adopt_dry_run", seen.out);
    assert_eq!(app.state("shop:create_users"), State::Pending);
    let seen = Typist::new().types(&app, "adopt diesel --dry-run --format json");
    insta::assert_snapshot!("adopt_json", seen.out);

    let seen = Typist::new().types(&app, "adopt diesel");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("`adopt --yes` answers"), "{}", seen.err);
    let mut typist = Typist::new().at_terminal(100);
    typist.answer = Some("n\n");
    assert_eq!(typist.types(&app, "adopt diesel").code, 1);
    assert_eq!(app.state("shop:create_users"), State::Pending);
    typist.answer = Some("y\n");
    let seen = typist.types(&app, "adopt diesel");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(
        seen.err.contains("Record 2 migrations as applied"),
        "{}",
        seen.err
    );
    assert!(seen.err.contains("2 migrations recorded"), "{}", seen.err);
    assert_eq!(app.state("shop:create_users"), State::Applied);
}

#[test]
fn adopt_reads_a_map_and_a_directory() {
    let mut app = FakeApp::three();
    app.adoption = history_of_diesel();
    let typist = Typist::new();
    typist.file(
        "map.toml",
        "\"20240101000000\" = \"create_users\"\nold = \"skip\"\n",
    );
    typist.file("their/2024-01-02-000000_email/up.sql", "");
    let line = "adopt diesel --map map.toml --dir their --table other --wait 2s --yes";
    let seen = typist.types(&app, line);
    assert_eq!(seen.code, 0, "{seen:?}");
    let asked = app.adopting.borrow().clone().unwrap();
    assert_eq!(asked.tool, Tool::Diesel);
    assert_eq!(
        asked.map["20240101000000"],
        Mapped::Is("create_users".into())
    );
    assert_eq!(asked.map["old"], Mapped::Skip);
    assert_eq!(asked.names, ["2024-01-02-000000_email"]);
    assert_eq!(asked.table.as_deref(), Some("other"));
    assert_eq!(asked.wait, Some(Duration::from_secs(2)));

    typist.file("map.toml", "a = \"skip\"\nb = 7\n");
    let app = FakeApp::three();
    let seen = typist.types(&app, "adopt diesel --map map.toml --yes");
    assert_eq!(seen.code, 2);
    assert!(
        seen.err
            .contains("map.toml:2: `b` has to be a string, not integer"),
        "{}",
        seen.err
    );
    for line in [
        "adopt",
        "adopt flyway",
        "adopt diesel --map none.toml",
        "adopt diesel --dir none",
    ] {
        let seen = typist.types(&app, line);
        assert_eq!(seen.code, 2, "{line}: {seen:?}");
        assert!(app.opened.borrow().is_empty(), "{line}");
    }
}
