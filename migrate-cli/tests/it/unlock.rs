//! `unlock`: who holds the deploy lock, and the end of its session.

use std::time::Duration;

use migrate_core::{
    report::LockHolder,
    unlock::{Activity, LockSession},
};

use crate::{
    fake::{FakeApp, migration},
    typist::Typist,
};

/// Held by a session on a server.
fn held(activity: Activity) -> FakeApp {
    let app = FakeApp::three();
    *app.lock.borrow_mut() = Some(LockSession {
        holder: LockHolder {
            pid: Some(4711),
            host: Some("web-2".to_owned()),
            since: Some(Duration::from_secs(12)),
        },
        session: Some("17".to_owned()),
        activity,
    });
    app
}

const STUCK: Activity = Activity::Idle(Duration::from_secs(600));

#[test]
fn it_shows_who_holds_the_lock_and_ends_nothing() {
    let app = held(Activity::Working);
    let seen = Typist::new().types(&app, "unlock");
    assert_eq!(seen.code, 5);
    assert_eq!(
        seen.out,
        "database `default`: the deploy lock is held by pid 4711, host web-2, since 12 s; it is running a statement\n"
    );
    assert!(seen.err.contains("`unlock --yes`"), "{}", seen.err);
    assert!(app.lock.borrow().is_some());

    let seen = Typist::new().types(&app, "unlock --format json");
    assert_eq!(seen.code, 5);
    let json: serde_json::Value = serde_json::from_str(&seen.out).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{
            "database": "default", "held": true,
            "holder": {"pid": 4711, "host": "web-2", "since_ms": 12000.0},
            "activity": "working", "idle_ms": null
        }])
    );
}

#[test]
fn nobody_holds_it() {
    for line in ["unlock", "unlock --yes", "unlock --yes --force"] {
        let seen = Typist::new().types(&FakeApp::three(), line);
        assert_eq!(seen.code, 0, "{seen:?}");
        assert_eq!(
            seen.out,
            "database `default`: nobody holds the deploy lock\n"
        );
    }
}

#[test]
fn who_is_stuck_is_ended() {
    let app = held(STUCK);
    let seen = Typist::new().types(&app, "unlock --yes");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(
        seen.out.contains("ended the session of pid 4711"),
        "{}",
        seen.out
    );
    assert!(app.lock.borrow().is_none());

    let app = held(STUCK);
    let seen = Typist::new().types(&app, "unlock -y --format json");
    assert_eq!(seen.code, 0, "{seen:?}");
    let json: serde_json::Value = serde_json::from_str(&seen.out).unwrap();
    assert_eq!(json[0]["ended"], true);
    assert_eq!(json[0]["held"], false);
    assert_eq!(json[0]["idle_ms"], 600_000.0);
}

#[test]
fn who_may_be_at_work_is_ended_by_force_only() {
    for activity in [Activity::Working, Activity::Unknown] {
        let app = held(activity);
        let seen = Typist::new().types(&app, "unlock --yes");
        assert_eq!(seen.code, 5, "{seen:?}");
        assert!(seen.err.contains("nothing was ended"), "{}", seen.err);
        assert!(seen.err.contains("`unlock --yes --force`"), "{}", seen.err);
        assert!(app.lock.borrow().is_some());
        assert_eq!(Typist::new().types(&app, "unlock --yes --force").code, 0);
        assert!(app.lock.borrow().is_none());
    }
    // Force alone is no answer.
    let app = held(STUCK);
    let seen = Typist::new().types(&app, "unlock --force");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("--yes"), "{}", seen.err);
    assert!(app.lock.borrow().is_some());
}

#[test]
fn a_file_is_its_process_s() {
    let app = held(Activity::Unknown);
    app.lock.borrow_mut().as_mut().unwrap().session = None;
    let seen = Typist::new().types(&app, "unlock");
    assert_eq!(seen.code, 5);
    assert!(!seen.err.contains("--yes"), "{}", seen.err);
    let seen = Typist::new().types(&app, "unlock --yes --force");
    assert_eq!(seen.code, 5);
    assert!(seen.err.contains("`kill 4711`"), "{}", seen.err);
}

#[test]
fn of_several_databases_all_are_shown_and_one_is_unlocked() {
    let mut other = migration("shop:count", &[]);
    other.database = "analytics".to_owned();
    let mut app = held(STUCK);
    app.migrations.push(other);
    let mut typist = Typist::new();
    typist.set("MIGRATE_DATABASES_ANALYTICS_URL", "sqlite://other.db");
    let seen = typist.types(&app, "unlock");
    assert_eq!(seen.out.lines().count(), 2, "{}", seen.out);
    let seen = typist.types(&app, "unlock --yes");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("--database NAME"), "{}", seen.err);
    assert!(app.lock.borrow().is_some());
    let seen = typist.types(&app, "unlock --yes --database analytics");
    assert_eq!(seen.code, 0, "{seen:?}");
}
