//! `mass ..`: what is typed arrives, what is shown, and the exit codes.

use std::time::Duration;

use migrate_core::{
    mass::{
        MassState, QuarantineState, Quarantined, Shard, ShardState,
        frontend::{MassEvent, Order, Setting, SkipTarget, StartRequest, Stay, WorkRequest},
    },
    report::{Problem, ProblemKind},
};
use serde_json::{Value, json};

use crate::{
    fake::{
        FakeApp,
        mass::{Asked, mass},
    },
    typist::Typist,
};

fn with(all: &[(&str, MassState)]) -> FakeApp {
    let mut app = FakeApp::three();
    app.mass.all = all.iter().map(|(id, state)| mass(id, *state)).collect();
    app
}

fn asked(app: &FakeApp) -> Vec<Asked> {
    app.mass.asked.borrow().clone()
}

#[test]
fn the_list_tells_states_and_how_far() {
    let mut app = with(&[
        ("shop:fill_domain", MassState::Running),
        ("shop:split_names", MassState::Pending),
        ("shop:old", MassState::Succeeded),
    ]);
    app.mass.all[1].waits_for = vec!["shop:create_users".to_owned()];
    let typist = Typist::new();
    insta::assert_snapshot!("mass_list_piped", typist.types(&app, "mass list").out);
    let terminal = Typist::new().at_terminal(110);
    let seen = terminal.types(&app, "mass list --no-color");
    insta::assert_snapshot!("mass_list_terminal", seen.out);
    let json: Value =
        serde_json::from_str(&typist.types(&app, "mass list --format json").out).unwrap();
    assert_eq!(json[0]["mass"][0]["state"], "running");
    assert_eq!(json[0]["mass"][0]["progress"]["units"], 640);
    assert_eq!(json[0]["mass"][0]["progress"]["eta_ms"], 3000.0);
    assert_eq!(json[0]["mass"][0]["run"]["parameters"]["token"], "***");
    assert_eq!(
        json[0]["mass"][1]["waits_for"],
        json!(["shop:create_users"])
    );
}

#[test]
fn exit_codes_tell_what_is_not_applied() {
    let typist = Typist::new();
    let app = with(&[("shop:a", MassState::Running)]);
    assert_eq!(typist.types(&app, "mass list").code, 0);
    assert_eq!(typist.types(&app, "mass list --exit-code").code, 3);
    assert_eq!(typist.types(&app, "mass status a --exit-code").code, 3);
    let app = with(&[("shop:a", MassState::Succeeded)]);
    assert_eq!(typist.types(&app, "mass list --exit-code").code, 0);
    assert_eq!(typist.types(&app, "mass status unknown").code, 2);
    // Alone it says what there is.
    assert_eq!(typist.types(&app, "mass").code, 2);
}

#[test]
fn a_status_has_shards() {
    let mut app = with(&[("shop:fill_domain", MassState::Throttled)]);
    app.mass.all[0].reason = Some("a replica is 12 s behind".to_owned());
    let shard = |shard, state, leased_for| Shard {
        shard,
        after: None,
        through: Some(format!("[\"{}\"]", shard * 500)),
        cursor: Some("[\"120\"]".to_owned()),
        state,
        units: 120,
        rows: 120,
        batches: 2,
        token: 1,
        owner: Some("me@here pid 1 worker 1".to_owned()),
        leased_for,
        batch: Some(60),
        rate: Some(10.0),
    };
    app.mass.shards = vec![
        shard(1, ShardState::Done, None),
        shard(2, ShardState::Open, Some(Duration::from_secs(9))),
    ];
    let typist = Typist::new();
    let seen = typist.types(&app, "mass status fill_domain");
    insta::assert_snapshot!("mass_status", seen.out);
    let seen = typist.types(&app, "mass status fill_domain --format json");
    let json: Value = serde_json::from_str(&seen.out).unwrap();
    assert_eq!(json[0]["mass"][0]["shards"][1]["cursor"], json!(["120"]));
    assert_eq!(json[0]["mass"][0]["shards"][1]["leased_for_ms"], 9000.0);
}

#[test]
fn what_is_typed_arrives() {
    let app = with(&[("shop:fill_domain", MassState::Pending)]);
    let line =
        "mass run fill_domain --workers 4 -p domain=a=b --batch 5_000 --target 200ms --lease 5s";
    assert_eq!(Typist::new().types(&app, line).code, 0);
    let set = vec![
        Setting::Batch(5_000),
        Setting::Target(Some(Duration::from_millis(200))),
    ];
    let start = StartRequest {
        id: "fill_domain".to_owned(),
        parameters: [("domain".to_owned(), "a=b".to_owned())].into(),
        set: set.clone(),
    };
    let expected = WorkRequest {
        runs: vec![start.clone()],
        workers: 4,
        lease: Duration::from_secs(5),
        stay: Stay::UntilIdle,
    };
    assert_eq!(asked(&app), [Asked::Work(expected)]);

    let app = with(&[("shop:fill_domain", MassState::Pending)]);
    let line = "mass run fill_domain --detach -p domain=a=b --batch 5000 --target 200ms";
    assert_eq!(Typist::new().types(&app, line).code, 0);
    assert_eq!(asked(&app), [Asked::Enqueue(start)]);
}

#[test]
fn orders_arrive_with_their_reason() {
    let order = |order| Asked::Order("shop:a".to_owned(), order, Some("why".to_owned()));
    for (line, expected) in [
        ("pause a", Order::Pause),
        ("resume a", Order::Resume),
        ("cancel a", Order::Cancel),
        ("retry a", Order::Retry),
        (
            "failures a --skip 17",
            Order::Skip(SkipTarget::Key("17".to_owned())),
        ),
        ("failures a --skip-all", Order::Skip(SkipTarget::All)),
        (
            "set a --target off",
            Order::Set(vec![Setting::Target(None)]),
        ),
        (
            "set a --pause 1s --max-failures 0",
            Order::Set(vec![
                Setting::Pause(Duration::from_secs(1)),
                Setting::MaxFailures(0),
            ]),
        ),
    ] {
        let app = with(&[("shop:a", MassState::Running)]);
        let seen = Typist::new().types(&app, &format!("mass {line} --reason why"));
        assert_eq!(
            (seen.code, asked(&app)),
            (0, vec![order(expected)]),
            "{line}: {seen:?}"
        );
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let app = with(&[("shop:a", MassState::Running)]);
    for line in [
        "set a",
        "set a --batch 0",
        "set a --target 0s",
        "run a --workers 0",
        "run a -p domain",
        "run -p domain=x",
        "work --lease 10ms",
        "failures a --skip 17",
        "failures a --reason why",
        "run a --detach --workers 2",
    ] {
        let seen = Typist::new().types(&app, &format!("mass {line}"));
        assert_eq!(seen.code, 2, "{line}: {seen:?}");
        assert_eq!(asked(&app), [], "{line}");
    }
}

#[test]
fn a_sweep_overrules_nobody() {
    let app = with(&[
        ("shop:a", MassState::Pending),
        ("shop:b", MassState::Paused),
        ("shop:c", MassState::Failed),
        ("shop:d", MassState::Interrupted),
        ("shop:e", MassState::Cancelled),
        ("shop:f", MassState::Succeeded),
    ]);
    assert_eq!(Typist::new().types(&app, "mass run").code, 0);
    let Asked::Work(request) = &asked(&app)[0] else {
        panic!("{:?}", asked(&app));
    };
    let ids: Vec<&str> = request.runs.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(ids, ["shop:a", "shop:d"]);
}

#[test]
fn a_run_that_is_not_applied_says_what_comes_next() {
    let mut app = with(&[("shop:a", MassState::Running)]);
    app.mass.ends = Some(MassState::Failed);
    app.mass.events = vec![
        MassEvent::State {
            id: "shop:a".to_owned(),
            state: MassState::Running,
            reason: None,
        },
        MassEvent::Quarantined {
            id: "shop:a".to_owned(),
            key: "[\"17\"]".to_owned(),
            error: "no\nluck".to_owned(),
        },
    ];
    let seen = Typist::new().types(&app, "mass run a");
    assert_eq!(seen.code, 1);
    insta::assert_snapshot!("mass_run_failed", seen.err);
    let seen = Typist::new().types(&app, "mass run a --format json");
    let lines: Vec<Value> = seen
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[1]["event"], "quarantined");
    assert_eq!(lines[1]["key"], json!(["17"]));
    assert_eq!(lines[2]["event"], "finished");
    assert_eq!(lines[2]["mass"][0]["state"], "failed");
}

#[test]
fn failures_have_their_errors() {
    let mut app = with(&[("shop:a", MassState::Failed)]);
    let failure = |key: &str, state| Quarantined {
        sequence: 1,
        shard: 3,
        key: key.to_owned(),
        state,
        error: "value too long\n  for column".to_owned(),
        attempts: 2,
        at: "2026-11-20T09:31:00Z".to_owned(),
        reason: (state == QuarantineState::Skipped).then(|| "a test account".to_owned()),
    };
    app.mass.failures = vec![
        failure("[\"17\"]", QuarantineState::Open),
        failure("[\"18\"]", QuarantineState::Skipped),
    ];
    insta::assert_snapshot!(
        "mass_failures",
        Typist::new().types(&app, "mass failures a").out
    );
    let seen = Typist::new().types(&app, "mass failures a --format json");
    let json: Value = serde_json::from_str(&seen.out).unwrap();
    assert_eq!(json[0]["failures"][1]["reason"], "a test account");
    assert_eq!(json[0]["id"], "shop:a", "not as it was typed");
}

#[test]
fn a_record_of_a_file_is_its_line() {
    let mut app = with(&[("shop:a", MassState::Failed)]);
    app.mass.failures = vec![Quarantined {
        sequence: 1,
        shard: 1,
        key: r#"{"line":14,"at":{"byte":111,"line":14,"record":13},"file":"417 bytes long"}"#
            .to_owned(),
        state: QuarantineState::Open,
        error: "no number".to_owned(),
        attempts: 1,
        at: "2026-11-20T09:31:00Z".to_owned(),
        reason: None,
    }];
    let seen = Typist::new().types(&app, "mass failures a");
    assert!(
        seen.out.contains("line 14") && !seen.out.contains("byte"),
        "{seen:?}"
    );
}

#[test]
fn who_goes_on_with_other_code_is_told() {
    let mut app = with(&[("shop:a", MassState::Interrupted)]);
    let problem = Problem::new(ProblemKind::Changed, "shop:a", "its code changed");
    app.mass.all[0].problems = vec![problem];
    let seen = Typist::new().types(&app, "mass run a");
    assert!(seen.err.contains("shop:a: its code changed"), "{seen:?}");
}

/// A program that is to start meanwhile does not wait for days; `check` still says what is not applied.
#[test]
fn nobody_waits_for_what_runs_beside() {
    let app = with(&[("shop:split_names", MassState::Running)]);
    let typist = Typist::new();
    assert_eq!(typist.types(&app, "wait --timeout 0s").code, 1);
    assert_eq!(typist.types(&app, "up index_email").code, 0);
    let seen = typist.types(&app, "wait --timeout 0s");
    assert_eq!(seen.code, 0, "{seen:?}");
    let seen = typist.types(&app, "check --format json");
    assert_eq!(seen.code, 3, "{seen:?}");
    let json: Value = serde_json::from_str(&seen.out).unwrap();
    assert_eq!(json[0]["pending_mass"], json!(["shop:split_names"]));
}
