//! Deployers that are killed (SIGKILL) wherever one can be, and what the next one makes of it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests, from one end to the other"
)]

use std::{
    thread,
    time::{Duration, Instant},
};

use migrate_diesel::core::{
    State,
    frontend::{DownRequest, DownTarget, Resolution, UpRequest},
    report::Event,
};
use migrate_tests::{
    child::Deployer,
    database::{Backend, Scratch},
    deploy::{CHAIN, points, settle, snapshot},
    program,
};

const DEPLOYER: &str = env!("CARGO_BIN_EXE_deployer");

fn start(scratch: &Scratch, name: &str, pause_at: &str) -> Deployer {
    let mut deployer = Deployer::start(DEPLOYER, name, &scratch.url(), pause_at);
    deployer.go();
    deployer
}

/// What a run without any accident leaves.
fn undisturbed(backend: Backend) -> Vec<String> {
    let scratch = Scratch::new(backend);
    let output = start(&scratch, "crash", "").finish();
    assert!(output.status.success(), "{output:?}");
    let snapshot = snapshot(&scratch);
    assert!(snapshot.len() > 20, "{snapshot:#?}");
    snapshot
}

/// Kills a deployer at every point of every step, and goes on to the end.
fn killed_at_every_point(backend: Backend) {
    let expected = undisturbed(backend);
    for point in points() {
        let scratch = Scratch::new(backend);
        let mut deployer = start(&scratch, "crash", &point);
        assert!(deployer.is_paused(), "{point}: never came there");
        deployer.kill();
        let decisions = settle(&scratch);
        assert_eq!(decisions, needed(backend, &point), "{point}: decisions");
        assert_eq!(snapshot(&scratch), expected, "{point}");
    }
}

/// How many decisions of a person a death at this point needs: only where something outside a
/// transaction of ours may have become permanent.
fn needed(backend: Backend, point: &str) -> usize {
    let (phase, name) = point.split_once(' ').unwrap();
    let outside = name == "crash_4_steps" && phase != "applied";
    let committed_by_ddl = backend == Backend::Mysql
        && matches!(
            (name, phase),
            ("crash_1_table" | "crash_3_column", "end") | ("crash_5_index", "middle" | "end")
        );
    // PostgreSQL says `applied` when the next one is claimed: that one may be `crash_4_steps`.
    let claimed_next =
        backend == Backend::Postgres && name == "crash_3_column" && phase == "applied";
    usize::from(outside || committed_by_ddl || claimed_next)
}

#[test]
fn sqlite_killed_at_every_point() {
    killed_at_every_point(Backend::Sqlite);
}

#[test]
fn postgres_killed_at_every_point() {
    killed_at_every_point(Backend::Postgres);
}

#[test]
fn mysql_killed_at_every_point() {
    killed_at_every_point(Backend::Mysql);
}

/// Kills deployers one after another on one database, each a little later than the one before,
/// until one gets to the end: whatever the kernel was doing for them, be it in a commit.
fn killed_at_any_moment(backend: Backend) {
    let expected = undisturbed(backend);
    for step in 1..=12 {
        let scratch = Scratch::new(backend);
        for turn in 1..=3 {
            let mut deployer = start(&scratch, "crash", "");
            thread::sleep(Duration::from_micros(700 * step * turn));
            deployer.kill();
        }
        settle(&scratch);
        assert_eq!(snapshot(&scratch), expected, "step {step}");
    }
}

#[test]
fn sqlite_killed_at_any_moment() {
    killed_at_any_moment(Backend::Sqlite);
}

#[test]
fn postgres_killed_at_any_moment() {
    killed_at_any_moment(Backend::Postgres);
}

#[test]
fn mysql_killed_at_any_moment() {
    killed_at_any_moment(Backend::Mysql);
}

/// Killed while it recovers from having been killed.
fn killed_twice(backend: Backend) {
    let expected = undisturbed(backend);
    for name in CHAIN {
        let scratch = Scratch::new(backend);
        for phase in ["end", "middle"] {
            let mut deployer = start(&scratch, "crash", &format!("{phase} {name}"));
            if deployer.is_paused() {
                deployer.kill();
            }
        }
        settle(&scratch);
        assert_eq!(snapshot(&scratch), expected, "{name}");
    }
}

#[test]
fn sqlite_killed_twice() {
    killed_twice(Backend::Sqlite);
}

#[test]
fn postgres_killed_twice() {
    killed_twice(Backend::Postgres);
}

#[test]
fn mysql_killed_twice() {
    killed_twice(Backend::Mysql);
}

/// Waits until the server runs a statement that contains `text`.
fn await_statement(scratch: &Scratch, text: &str) {
    let sql = match scratch.backend {
        Backend::Postgres => format!(
            "SELECT count(*) AS value FROM pg_stat_activity WHERE datname = current_database() \
             AND state = 'active' AND pid <> pg_backend_pid() AND query LIKE '%{text}%'"
        ),
        _ => format!(
            "SELECT COUNT(*) AS value FROM information_schema.processlist WHERE db = DATABASE() \
             AND id <> CONNECTION_ID() AND info LIKE '%{text}%'"
        ),
    };
    let began = Instant::now();
    while scratch.number(&sql) == 0 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "no `{text}` runs"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// Kills a deployer in a statement and runs the next one at once; tells whether that one had to wait.
fn succeed_a_zombie(
    scratch: &Scratch,
    name: &str,
    statement: &str,
) -> (bool, Result<usize, String>) {
    let mut deployer = start(scratch, name, "");
    await_statement(scratch, statement);
    deployer.kill();
    let mut waited = false;
    let mut deployment = program::open(name, scratch.url()).unwrap();
    let report = deployment.up(&UpRequest::default(), &mut |event| {
        waited |= matches!(event, Event::Waiting { .. });
    });
    let result = match report.failure {
        Some(failure) => Err(format!("{failure:?}")),
        None => Ok(report.summary.applied),
    };
    (waited, result)
}

/// The server goes on with a body's statement after its deployer has died.
fn waits_for_the_statement_of_a_dead_deployer(backend: Backend) {
    let scratch = Scratch::new(backend);
    let (waited, result) = succeed_a_zombie(&scratch, "zombie", "SLEEP(1.5");
    assert!(waited, "the next one ran beside the statement");
    assert_eq!(result, Ok(1));
    assert_eq!(scratch.effects(), ["body"]);
}

#[test]
fn postgres_waits_for_the_statement_of_a_dead_deployer() {
    // LIKE tells cases apart, and this is how PostgreSQL calls it.
    let scratch = Scratch::new(Backend::Postgres);
    let (waited, result) = succeed_a_zombie(&scratch, "zombie", "pg_sleep(1.5");
    assert!(waited, "the next one ran beside the statement");
    assert_eq!(result, Ok(1));
    assert_eq!(scratch.effects(), ["body"]);
}

#[test]
fn mysql_waits_for_the_statement_of_a_dead_deployer() {
    waits_for_the_statement_of_a_dead_deployer(Backend::Mysql);
}

/// Dead in the middle of the commit, which the server brings to its end: what it did counts.
#[test]
fn postgres_adopts_what_a_dead_deployer_committed() {
    let scratch = Scratch::new(Backend::Postgres);
    scratch.sql(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON effects DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION dawdle()",
    );
    let (waited, result) = succeed_a_zombie(&scratch, "zombie_commit", "COMMIT");
    assert!(waited, "the next one did not wait for the commit");
    assert_eq!(result, Ok(0), "applied by the one who died");
    assert_eq!(scratch.effects(), ["commit"]);
}

/// DDL goes on without its deployer and commits by itself: a person says that it was done.
#[test]
fn mysql_asks_about_ddl_that_outlived_its_deployer() {
    let scratch = Scratch::new(Backend::Mysql);
    let (waited, result) = succeed_a_zombie(&scratch, "zombie_ddl", "CREATE TABLE zombie");
    assert!(waited, "the next one ran beside the statement");
    let said = result.unwrap_err();
    assert!(said.contains("interrupted"), "{said}");
    assert!(scratch.has_table("zombie"));
    let mut deployment = program::open("zombie_ddl", scratch.url()).unwrap();
    let state = deployment.status().unwrap().migrations[0].state;
    assert_eq!(state, State::Interrupted);
    deployment
        .resolve("zombie_ddl", Resolution::Applied, None)
        .unwrap();
    let report = deployment.up(&UpRequest::default(), &mut |_| {});
    assert!(report.failure.is_none(), "{report:?}");
}

/// Kills a deployer that reverts, before and after what its `down` did, and reverts again.
fn killed_in_a_revert(backend: Backend) {
    for (name, effect) in [("revert_atomic", "atomic"), ("revert_outside", "outside")] {
        for point in ["begin", "end"] {
            let scratch = Scratch::new(backend);
            assert_eq!(program::up(name, scratch.url()).summary.applied, 1);
            assert_eq!(scratch.effects(), [effect]);
            let mut deployer = start(&scratch, name, point);
            assert!(deployer.is_paused(), "{name} {point}: never came there");
            deployer.kill();

            let mut deployment = program::open(name, scratch.url()).unwrap();
            if name == "revert_outside" {
                // The server notices the death in its own time; until then its lock says that it is alive.
                let mut state = State::Running;
                for _ in 0..200 {
                    state = deployment.status().unwrap().migrations[0].state;
                    if state != State::Running {
                        break;
                    }
                    thread::sleep(Duration::from_millis(50));
                }
                assert_eq!(state, State::Interrupted, "{point}");
                deployment.resolve(name, Resolution::Retry, None).unwrap();
            } else {
                // The server notices the death in its own time; `down` waits for that.
                assert_ne!(scratch.effects(), ["reverted"], "{point}");
            }
            let request = DownRequest {
                target: DownTarget::Steps(1),
                wait: None,
            };
            let report = deployment.down(&request, &mut |_| {});
            assert!(report.failure.is_none(), "{name} {point}: {report:?}");
            assert_eq!(report.summary.reverted, 1, "{name} {point}");
            assert_eq!(scratch.effects(), ["reverted"], "{name} {point}");
            assert_eq!(deployment.status().unwrap().unapplied(), 1);
        }
    }
}

#[test]
fn sqlite_killed_in_a_revert() {
    killed_in_a_revert(Backend::Sqlite);
}

#[test]
fn postgres_killed_in_a_revert() {
    killed_in_a_revert(Backend::Postgres);
}

#[test]
fn mysql_killed_in_a_revert() {
    killed_in_a_revert(Backend::Mysql);
}

/// BEAT flux 2: what `before` took away comes back, though there is nothing else left to do.
fn killed_between_phases(backend: Backend) {
    let scratch = Scratch::new(backend);
    assert_eq!(
        start(&scratch, "crash_phases", "").finish().status.code(),
        Some(0)
    );
    assert_eq!(scratch.effects(), ["a view"]);
    scratch.switch_on("phases_once");
    let mut deployer = start(&scratch, "crash_phases", "applied phases_once");
    assert!(deployer.is_paused());
    deployer.kill();
    assert_eq!(scratch.effects(), ["once"]);

    let mut deployment = program::open("crash_phases", scratch.url()).unwrap();
    let pending = deployment.check().unwrap().pending;
    assert_eq!(pending, ["migrate_tests:phases_bring_back"]);
    let problems = deployment.status().unwrap().problems;
    assert!(problems.is_empty(), "{problems:?}");
    assert!(
        start(&scratch, "crash_phases", "")
            .finish()
            .status
            .success()
    );
    assert_eq!(scratch.effects(), ["a view", "once"]);
    assert!(deployment.check().unwrap().pending.is_empty());
}

#[test]
fn sqlite_killed_between_phases() {
    killed_between_phases(Backend::Sqlite);
}

#[test]
fn postgres_killed_between_phases() {
    killed_between_phases(Backend::Postgres);
}

#[test]
fn mysql_killed_between_phases() {
    killed_between_phases(Backend::Mysql);
}
