//! Random views on tables whose columns change, and deployers that are killed (SIGKILL) meanwhile:
//! in the end the catalog is what it is without any accident.
//!
//! `MIGRATE_TEST_VIEW_SEEDS=13..200` takes these seeds instead of the usual ones.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests, from one end to the other"
)]

use std::{
    env,
    ops::RangeInclusive,
    process::Output,
    thread,
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection as _;
use migrate_diesel::core::{
    State,
    frontend::{Resolution, UpRequest},
    report::Event,
};
use migrate_tests::{
    child::Deployer,
    database::{Backend, Scratch},
    program,
    run::chain,
    views::{
        dice::Dice,
        dress::{Options, dress, roles},
        dump::{assert_same, dump, dump_but_types},
        random::Case,
    },
};

const DEPLOYER: &str = env!("CARGO_BIN_EXE_views_deployer");
/// Runs the program's migrations, and stops where one says so.
const DEPLOYER_OF_CASES: &str = env!("CARGO_BIN_EXE_deployer");
/// Deaths per seed.
const DEATHS: usize = 3;

fn seeds() -> RangeInclusive<u64> {
    let Ok(range) = env::var("MIGRATE_TEST_VIEW_SEEDS") else {
        return 1..=12;
    };
    let (first, last) = range.split_once("..").unwrap();
    first.parse().unwrap()..=last.parse().unwrap()
}

/// A database with the views of a case, and what somebody made by hand.
fn ready(case: &Case, backend: Backend) -> Scratch {
    let scratch = Scratch::new(backend);
    let mut db = scratch.connect();
    if let Err(error) = case.before().up(&mut db) {
        panic!("{}", chain(&error));
    }
    roles(&scratch);
    for statement in &case.by_hand {
        let done = db.batch_execute(statement);
        done.unwrap_or_else(|error| panic!("{case:#?}\n{statement}: {error}"));
    }
    scratch
}

fn start(scratch: &Scratch, seed: u64, point: &str) -> Deployer {
    let mut deployer = Deployer::start(DEPLOYER, &seed.to_string(), &scratch.url(), point);
    deployer.go();
    deployer
}

fn run(scratch: &Scratch, seed: u64) -> Output {
    start(scratch, seed, "").finish()
}

/// What a run without any accident leaves, how many points it has, and how long it takes.
fn undisturbed(case: &Case, backend: Backend, seed: u64) -> (Vec<String>, usize, Duration) {
    let scratch = ready(case, backend);
    let before = dump(&scratch);
    let began = Instant::now();
    let output = run(&scratch, seed);
    let took = began.elapsed();
    assert!(
        output.status.success(),
        "seed {seed}, undisturbed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let points = String::from_utf8(output.stdout).unwrap().lines().count();
    let after = dump(&scratch);
    // Types and the view that is handed over differ; nothing else may.
    let kept = |lines: &[String]| {
        let is_kept = |line: &&String| {
            [
                "granted",
                "comment",
                "trigger",
                "index",
                "statistics",
                "function",
            ]
            .iter()
            .any(|word| line.starts_with(word))
        };
        lines.iter().filter(is_kept).cloned().collect::<Vec<_>>()
    };
    assert_same(
        &kept(&before),
        &kept(&after),
        &format!("seed {seed}, undisturbed"),
    );
    (after, points, took)
}

/// Runs to the end; a person says `retry` where one is asked. Tells how often.
fn settle(case: &Case, scratch: &Scratch, seed: u64, when: &str) -> usize {
    for decisions in 0..4 {
        let output = run(scratch, seed);
        if output.status.success() {
            return decisions;
        }
        let migrator = case.whole();
        let mut db = scratch.connect();
        let status = migrator.status(&mut db).unwrap();
        let interrupted = status
            .migrations
            .iter()
            .find(|it| it.state == State::Interrupted);
        let Some(one) = interrupted else {
            panic!("{when}: {}", String::from_utf8_lossy(&output.stderr));
        };
        migrator
            .resolve(&mut db, &one.id, Resolution::Retry)
            .unwrap();
    }
    panic!("{when}: it never ends");
}

/// Kills at a random statement, or at a random moment, once or twice in a row.
fn killed(backend: Backend) {
    let mut decided = 0;
    for seed in seeds() {
        let case = Case::new(seed, backend);
        let (expected, points, took) = undisturbed(&case, backend, seed);
        let mut dice = Dice::new(seed + 1_000_000);
        for death in 0..DEATHS {
            let scratch = ready(&case, backend);
            let mut when = format!("seed {seed}");
            for _ in 0..=dice.below(2) {
                if death == 0 {
                    let micros = dice.below(usize::try_from(took.as_micros()).unwrap());
                    let pause = Duration::from_micros(u64::try_from(micros).unwrap());
                    when.push_str(&format!(", killed after {pause:?}"));
                    let mut deployer = start(&scratch, seed, "");
                    thread::sleep(pause);
                    deployer.kill();
                } else {
                    let point = 1 + dice.below(points);
                    when.push_str(&format!(", killed at {point} of {points}"));
                    let mut deployer = start(&scratch, seed, &point.to_string());
                    // A second one may have less to do.
                    if deployer.is_paused() {
                        deployer.kill();
                    }
                }
            }
            let decisions = settle(&case, &scratch, seed, &when);
            assert!(
                decisions == 0 || case.may_need_a_decision(backend),
                "{when}: {decisions} decisions"
            );
            decided += decisions;
            assert_same(&expected, &dump(&scratch), &when);
            assert_eq!(
                scratch.number(
                    "SELECT count(*) AS value FROM migrate_history_views WHERE saved IS NOT NULL"
                ),
                0,
                "{when}"
            );
        }
    }
    // Some died where it hurts, or this would show little.
    assert!(decided > 0, "no death came in between");
}

#[test]
fn sqlite_killed() {
    killed(Backend::Sqlite);
}

#[test]
fn postgres_killed() {
    killed(Backend::Postgres);
}

#[test]
fn mysql_killed() {
    killed(Backend::Mysql);
}

const KILLED: &str = "views_killed";

/// `up`: a line for each event before it was refused, or all of them.
fn up(scratch: &Scratch) -> (Vec<String>, Option<String>) {
    let mut deployment = program::open(KILLED, scratch.url()).unwrap();
    let mut lines = Vec::new();
    let report = deployment.up(&UpRequest::default(), &mut |event| match event {
        Event::ViewDown { name, .. } => lines.push(format!("down {name}")),
        Event::ViewUp { name, .. } => lines.push(format!("up {name}")),
        Event::Started { id, .. } => lines.push(format!("started {id}")),
        _ => {}
    });
    (lines, report.failure.map(|it| format!("{it:?}")))
}

/// Dead while its views are down: the next `up` brings them back before anything else, even if it
/// then does nothing but ask for a decision.
fn killed_while_they_are_down(backend: Backend) {
    for name in ["views_killed_atomic", "views_killed_outside"] {
        let scratch = Scratch::new(backend);
        let point = format!("down {name}");
        // The views, and what hangs on them.
        let mut deployer = Deployer::start(
            DEPLOYER_OF_CASES,
            KILLED,
            &scratch.url(),
            "started views_killed_atomic",
        );
        deployer.go();
        assert!(deployer.is_paused());
        deployer.kill();
        dress(
            &scratch,
            "killed",
            "killed_base",
            "killed_top",
            Options::ByHand,
        );
        let before = dump_but_types(&scratch);

        let mut deployer = Deployer::start(DEPLOYER_OF_CASES, KILLED, &scratch.url(), &point);
        deployer.go();
        assert!(deployer.is_paused(), "{point}");
        deployer.kill();
        let rolled_back = name == "views_killed_atomic" && backend.has_transactional_ddl();
        let (lines, failure) = up(&scratch);
        if rolled_back {
            assert_eq!(failure, None, "{point}");
        } else {
            assert_eq!(lines, ["up killed_base", "up killed_top"], "{point}");
            let failure = failure.unwrap();
            assert!(failure.contains("interrupted"), "{failure}");
            assert_same(&before, &dump_but_types(&scratch), &point);
            let mut deployment = program::open(KILLED, scratch.url()).unwrap();
            deployment.resolve(name, Resolution::Retry, None).unwrap();
            drop(deployment);
            let (_, failure) = up(&scratch);
            assert_eq!(failure, None, "{point}");
        }
        assert_same(&before, &dump_but_types(&scratch), &point);
    }
}

#[test]
fn sqlite_killed_while_they_are_down() {
    killed_while_they_are_down(Backend::Sqlite);
}

#[test]
fn postgres_killed_while_they_are_down() {
    killed_while_they_are_down(Backend::Postgres);
}

#[test]
fn mysql_killed_while_they_are_down() {
    killed_while_they_are_down(Backend::Mysql);
}
