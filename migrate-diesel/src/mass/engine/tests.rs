//! Workers on SQLite: several at a time on one file, with bodies that fail, and a run that changes under
//! them. The same on servers is in the suite of cases.

use std::{marker::PhantomData, sync::Mutex, time::Duration};

use diesel::{
    Connection as _, QueryResult, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
};
use migrate_core::{
    Interrupt, Ordering, Settings,
    mass::{
        Granularity, KeySource, MassKind, MassState, QuarantineState, ShardState,
        frontend::{MassEvent, Setting, SkipTarget, Stay},
    },
};
use tempfile::TempDir;

use super::{Connect, ShardEnd, Work, settle, work, work_on, work_shard};
use crate::{
    backend::Driver,
    carried::Carried,
    error::Error,
    history::{Sight, Store},
    mass::{
        Batch, Mass, RangeCode, desk,
        store::{self, Again, Change, Claimed, NewRun, Ordered, Seen, Which},
    },
    migration::Migration,
};

const OVER_ITEMS: MassKind = MassKind::Keys {
    source: KeySource::Table("items"),
    key: &[],
    granularity: Granularity::Range,
};

/// Fails for a row that may not be counted.
fn count(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "UPDATE items SET n = n + 1 WHERE id BETWEEN {} AND {}",
        batch.first(),
        batch.last()
    ))
    .execute(db)
}

fn commits(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let rows = count(db, batch)?;
    db.batch_execute("COMMIT")?;
    Ok(rows)
}

fn panics(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let rows = count(db, batch)?;
    assert!(!batch.range().contains(&7), "seven");
    Ok(rows)
}

fn leaves_a_table(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    db.batch_execute("CREATE TEMP TABLE left_behind (id INTEGER)")?;
    count(db, batch)
}

macro_rules! mass {
    ($migration:ident, $mass:ident, $body:ident, $name:literal) => {
        static $mass: Mass = Mass::new(OVER_ITEMS, &RangeCode($body, PhantomData))
            .batch(10)
            .shards(4)
            .max_failures(3);
        static $migration: Migration =
            Migration::new("engine", $name, "", 7, &[], (file!(), line!(), 1), 0).mass(&$mass);
    };
}
mass!(COUNT, COUNT_MASS, count, "count");
mass!(COMMITS, COMMITS_MASS, commits, "commits");
mass!(PANICS, PANICS_MASS, panics, "panics");
mass!(LEAVES, LEAVES_MASS, leaves_a_table, "leaves");

/// A database with a table of rows, and one mass migration.
struct Place {
    directory: TempDir,
    migration: &'static Migration,
    store: Store,
    lease: Duration,
    workers: usize,
}

impl Place {
    fn new(migration: &'static Migration, rows: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut db = connect(&directory);
        let store = Store::new(db.dialect(), "migrate_history").unwrap();
        store.ensure(&mut db).unwrap();
        db.batch_execute(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0, bad INTEGER NOT NULL DEFAULT 0, \
             CHECK (n = 0 OR bad = 0))",
        )
        .unwrap();
        db.batch_execute(&format!(
            "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < {rows}) \
             INSERT INTO items (id) SELECT i FROM k WHERE {rows} > 0"
        ))
        .unwrap();
        Self {
            directory,
            migration,
            store,
            lease: Duration::from_secs(15),
            workers: 3,
        }
    }

    fn db(&self) -> SqliteConnection {
        connect(&self.directory)
    }

    fn sql(&self, sql: &str) {
        self.db().batch_execute(sql).unwrap();
    }

    fn numbers(&self, sql: &str) -> Vec<i64> {
        let sql = format!(
            "SELECT CAST({sql} AS TEXT) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM items ORDER BY id"
        );
        let rows = self.db().rows(&sql).unwrap();
        rows.into_iter()
            .map(|row| row.into_columns()[0].as_deref().unwrap().parse().unwrap())
            .collect()
    }

    fn enqueue(&self) -> bool {
        let facts = &self.migration.mass.unwrap().facts;
        let id = self.migration.descriptor.id.to_string();
        store::insert(
            &self.store,
            &mut self.db(),
            &NewRun {
                id: &id,
                live: desk::live(facts),
                parameters: None,
                fingerprint: "0000000000000007",
                by: "somebody",
            },
        )
        .unwrap()
    }

    fn seen(&self) -> Seen {
        let mut runs = store::runs(&self.store, &mut self.db(), Which::Newest).unwrap();
        runs.pop().unwrap()
    }

    fn applied(&self) -> usize {
        let read = self.store.read(&mut self.db(), Sight::Live).unwrap();
        read.history.iter().count()
    }

    fn order(&self, to: MassState, again: Again) {
        let seen = self.seen();
        let change = Change {
            run: &seen.run,
            to,
            reason: Some("because"),
            throttled_for: None,
            by: "somebody",
        };
        let ordered = store::order(&self.store, &mut self.db(), &change, again).unwrap();
        assert_eq!(ordered, Ordered::Done);
    }

    /// Works it off, and hands out what was told.
    fn work(&self) -> Vec<MassEvent> {
        self.work_with(&Interrupt::new(), &mut |_| {})
    }

    fn work_with(
        &self,
        interrupt: &Interrupt,
        on_event: &mut (dyn FnMut(&MassEvent) + Send),
    ) -> Vec<MassEvent> {
        let mut events = Vec::new();
        self.with(|described, connect| {
            work(described, connect, interrupt, &mut |event| {
                on_event(&event);
                events.push(event);
            })
            .unwrap();
        });
        events
    }

    fn with<T>(&self, f: impl FnOnce(&Work<'_>, &Connect<'_>) -> T) -> T {
        let carried = Carried::of(vec![self.migration]);
        let resolved = carried.resolve(Ordering::default(), "default").unwrap();
        let settings = Settings::default();
        let migrations = [self.migration];
        let described = Work {
            store: &self.store,
            resolved: &resolved,
            migrations: &migrations,
            settings: &settings,
            runs: None,
            workers: self.workers,
            stay: Stay::UntilIdle,
            lease: self.lease,
        };
        f(&described, &|| -> Result<Box<dyn Driver + Send>, Error> {
            Ok(Box::new(self.db()))
        })
    }
}

fn connect(directory: &TempDir) -> SqliteConnection {
    let path = directory.path().join("mass.db");
    let mut db = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    db.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL")
        .unwrap();
    db
}

fn states(events: &[MassEvent]) -> Vec<MassState> {
    events
        .iter()
        .filter_map(|event| match event {
            MassEvent::State { state, .. } => Some(*state),
            _ => None,
        })
        .collect()
}

#[test]
fn every_row_once_and_then_it_is_applied() {
    let place = Place::new(&COUNT, 1_000);
    assert!(place.enqueue());
    assert!(!place.enqueue(), "one run is live");
    let events = place.work();
    assert_eq!(states(&events), [MassState::Running, MassState::Succeeded]);
    assert_eq!(place.numbers("n"), vec![1; 1_000]);
    let seen = place.seen();
    assert_eq!(seen.run.state, MassState::Succeeded);
    assert_eq!(seen.run.total, Some(1_000));
    assert_eq!(seen.shards.len(), 4);
    assert!(seen.shards.iter().all(|it| it.state == ShardState::Done));
    let progress = desk::progress(&seen);
    assert_eq!((progress.units, progress.rows), (1_000, 1_000));
    assert_eq!(place.applied(), 1);
    assert!(place.work().is_empty(), "there is nothing left");
    assert!(place.enqueue(), "the next one may begin");
}

#[test]
fn an_empty_table_is_done_at_once() {
    let place = Place::new(&COUNT, 0);
    place.enqueue();
    place.work();
    assert_eq!(place.seen().run.state, MassState::Succeeded);
}

#[test]
fn one_row_fails_alone_and_is_tried_again() {
    let place = Place::new(&COUNT, 300);
    place.sql("UPDATE items SET bad = 1 WHERE id IN (13, 250)");
    place.enqueue();
    let events = place.work();
    assert_eq!(states(&events), [MassState::Running, MassState::Failed]);
    let seen = place.seen();
    assert_eq!(
        seen.run.reason.as_deref(),
        Some("2 units are in quarantine")
    );
    assert_eq!(place.applied(), 0);
    let counted: i64 = place.numbers("n").iter().sum();
    assert_eq!(counted, 298);
    let failures = store::failures(&place.store, &mut place.db(), seen.run.run, 10).unwrap();
    let mut keys: Vec<_> = failures.iter().map(|it| it.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["[\"13\"]", "[\"250\"]"]);
    assert!(failures[0].error.contains("CHECK"), "{}", failures[0].error);

    // One is mended, the other is not.
    place.sql("UPDATE items SET bad = 0 WHERE id = 13");
    place.order(MassState::Enqueued, Again::Yes);
    let events = place.work();
    assert_eq!(states(&events), [MassState::Running, MassState::Failed]);
    assert_eq!(place.numbers("n").iter().sum::<i64>(), 299);
    let failures = store::failures(&place.store, &mut place.db(), seen.run.run, 10).unwrap();
    let of = |key: &str| failures.iter().find(|it| it.key.contains(key)).unwrap();
    assert_eq!(of("13").state, QuarantineState::Resolved);
    assert_eq!(
        (of("250").state, of("250").attempts),
        (QuarantineState::Open, 2)
    );

    // The last one needs nothing.
    let run = place.seen().run;
    let target = SkipTarget::Key("250".to_owned());
    let skipped = store::skip(
        &place.store,
        &mut place.db(),
        (run.run, &run.id),
        &target,
        ("somebody", "test data"),
    );
    assert_eq!(skipped.unwrap(), 1);
    place.with(|work, _| {
        settle(
            work,
            &mut place.db(),
            run.run,
            &Interrupt::new(),
            &mut |_| {},
        )
        .unwrap();
    });
    assert_eq!(place.seen().run.state, MassState::Succeeded);
    assert_eq!(place.applied(), 1);
}

#[test]
fn a_row_that_is_gone_when_it_is_tried_again_is_settled() {
    let place = Place::new(&COUNT, 30);
    place.sql("UPDATE items SET bad = 1 WHERE id = 13");
    place.enqueue();
    place.work();
    place.sql("DELETE FROM items WHERE id = 13");
    place.order(MassState::Enqueued, Again::Yes);
    place.work();
    assert_eq!(place.seen().run.state, MassState::Succeeded);
}

#[test]
fn too_many_failures_stop_it() {
    let place = Place::new(&COUNT, 2_000);
    place.sql("UPDATE items SET bad = 1");
    place.enqueue();
    place.work();
    let seen = place.seen();
    assert_eq!(seen.run.state, MassState::Failed);
    // The limit is 3, and each of three workers may have met one more.
    assert!(
        (4..=6).contains(&seen.open_failures),
        "{}",
        seen.open_failures
    );
    let reason = seen.run.reason.unwrap();
    assert!(
        reason.ends_with("are in quarantine, and the limit is 3"),
        "{reason}"
    );
}

#[test]
fn a_panic_is_an_error_like_another() {
    let place = Place::new(&PANICS, 50);
    place.enqueue();
    place.work();
    let seen = place.seen();
    assert_eq!(seen.open_failures, 1);
    let failures = store::failures(&place.store, &mut place.db(), seen.run.run, 10).unwrap();
    assert!(
        failures[0].error.starts_with("panicked: seven"),
        "{}",
        failures[0].error
    );
    assert_eq!(place.numbers("n").iter().sum::<i64>(), 49);
}

#[test]
fn a_body_that_ends_its_transaction_fails_the_run_before_it_does_harm() {
    let place = Place::new(&COMMITS, 50);
    place.enqueue();
    place.work();
    let seen = place.seen();
    assert_eq!(seen.run.state, MassState::Failed);
    assert!(
        seen.run
            .reason
            .unwrap()
            .contains("ended its own transaction")
    );
    assert_eq!(place.numbers("n"), vec![0; 50]);
}

#[test]
fn what_a_body_leaves_in_the_session_does_not_reach_the_next_batch() {
    let place = Place::new(&LEAVES, 100);
    place.enqueue();
    place.work();
    assert_eq!(place.seen().run.reason, None);
    assert_eq!(place.numbers("n"), vec![1; 100]);
}

#[test]
fn a_lent_connection_does_it_too_and_is_left_as_it_was() {
    let place = Place::new(&LEAVES, 100);
    place.enqueue();
    let mut db = place.db();
    place.with(|described, _| {
        work_on(described, &mut db, None, &Interrupt::new(), &mut |_| {}).unwrap();
    });
    assert_eq!(place.numbers("n"), vec![1; 100]);
    assert_eq!(place.applied(), 1);
    assert!(db.batch_execute("SELECT * FROM left_behind").is_err());
}

#[test]
fn who_lost_a_shard_cannot_commit_and_the_successor_goes_on_from_the_cursor() {
    let mut place = Place::new(&COUNT, 400);
    place.lease = Duration::from_millis(300);
    place.enqueue();
    // A worker that stops in the middle of its shard without a word.
    let interrupt = Interrupt::new();
    place.workers = 1;
    let mut batches = 0;
    place.with(|work, connect| {
        let mut line = connect().unwrap();
        let shared = super::Shared::new(work, Some(connect), &interrupt, Box::leak(Box::new(|_| {})));
        let own = super::Line::lent(&mut *line, None, work.store).unwrap();
        let mut worker = super::Worker::new(&shared, own, 1).unwrap();
        let seen = place.seen();
        worker.lay_out(shared.carried[0], &seen).unwrap();
        let seen = place.seen();
        let claimed =
            store::claim(work.store, &mut place.db(), &seen, &seen.shards[0], "a dead one", work.lease).unwrap();
        let Claimed::Yes(held) = claimed else {
            panic!("free")
        };
        assert_eq!(
            store::claim(work.store, &mut place.db(), &seen, &seen.shards[0], "late", work.lease).unwrap(),
            Claimed::No
        );
        let before = store::one(work.store, &mut place.db(), held.run, 1).unwrap().unwrap();
        let moving = store::moving(
            work.store,
            held,
            &store::Moved {
                cursor: Some("[\"40\"]"),
                state: ShardState::Open,
                before: &before,
                units: 40,
                rows: 40,
                batch: 10,
                rate: None,
                lease: work.lease,
            },
        );
        place.sql("UPDATE items SET n = 1 WHERE id <= 40");
        assert_eq!(place.db().count(&moving).unwrap(), 1);
        assert_eq!(place.db().count(&moving).unwrap(), 0, "a batch counts once");
        std::thread::sleep(Duration::from_millis(350));
        let events = place.work();
        assert!(events.iter().any(
            |event| matches!(event, MassEvent::TakenOver { shard: 1, from, .. } if from == "a dead one")
        ));
        let after = store::Moved {
            before: &store::one(work.store, &mut place.db(), held.run, 1).unwrap().unwrap(),
            cursor: Some("[\"90\"]"),
            state: ShardState::Open,
            units: 10,
            rows: 10,
            batch: 10,
            rate: None,
            lease: work.lease,
        };
        let late = store::moving(work.store, held, &after);
        assert_eq!(place.db().count(&late).unwrap(), 0, "fenced");
        batches += 1;
    });
    assert_eq!(batches, 1);
    assert_eq!(place.numbers("n"), vec![1; 400]);
    assert_eq!(desk::progress(&place.seen()).units, 400);
}

#[test]
fn pause_and_resume_within_a_batch() {
    let mut place = Place::new(&COUNT, 1_000);
    place.workers = 1;
    place.enqueue();
    let seen = place.seen();
    let paced = [Setting::Pause(Duration::from_millis(5))];
    store::set(
        &place.store,
        &mut place.db(),
        &seen.run,
        &paced,
        ("somebody", None),
    )
    .unwrap();
    let paused = Mutex::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while place.seen().run.state != MassState::Running {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(50));
            place.order(MassState::Pausing, Again::No);
            *paused.lock().unwrap() = true;
        });
        let events = place.work();
        assert_eq!(states(&events), [MassState::Running, MassState::Paused]);
    });
    assert!(*paused.lock().unwrap());
    let done = place.numbers("n").iter().sum::<i64>();
    assert!((1..1_000).contains(&done), "{done}");
    assert!(place.work().is_empty(), "it is paused");
    let seen = place.seen();
    let at_once = [Setting::Pause(Duration::ZERO), Setting::Batch(100)];
    store::set(
        &place.store,
        &mut place.db(),
        &seen.run,
        &at_once,
        ("somebody", None),
    )
    .unwrap();
    place.order(MassState::Enqueued, Again::No);
    place.work();
    assert_eq!(place.numbers("n"), vec![1; 1_000]);
    assert_eq!(place.seen().run.state, MassState::Succeeded);
}

#[test]
fn an_interrupted_run_is_gone_on_with() {
    let place = Place::new(&COUNT, 2_000);
    place.enqueue();
    let seen = place.seen();
    let paced = [Setting::Pause(Duration::from_millis(20))];
    store::set(
        &place.store,
        &mut place.db(),
        &seen.run,
        &paced,
        ("somebody", None),
    )
    .unwrap();
    let interrupt = Interrupt::new();
    let asks = interrupt.clone();
    let events = place.work_with(&interrupt, &mut |event| {
        if matches!(event, MassEvent::Progress { .. }) {
            asks.request();
        }
    });
    assert_eq!(
        states(&events),
        [MassState::Running, MassState::Interrupted]
    );
    let seen = place.seen();
    assert!(
        seen.shards.iter().all(|it| it.leased_for.is_none()),
        "all were given back"
    );
    let at_once = [Setting::Pause(Duration::ZERO)];
    store::set(
        &place.store,
        &mut place.db(),
        &seen.run,
        &at_once,
        ("somebody", None),
    )
    .unwrap();
    place.work();
    assert_eq!(place.numbers("n"), vec![1; 2_000]);
}

#[test]
fn one_shard_by_its_number() {
    let place = Place::new(&COUNT, 400);
    place.enqueue();
    let run = place.seen().run.run;
    let interrupt = Interrupt::new();
    let only = |shard| {
        place.with(|work, connect| {
            work_shard(work, connect, (run, shard), &interrupt, &mut |_| {}).unwrap()
        })
    };
    assert_eq!(only(3), ShardEnd::Done);
    assert_eq!(only(3), ShardEnd::Done, "again does nothing");
    assert_eq!(place.numbers("n").iter().sum::<i64>(), 100);
    assert_eq!(only(9), ShardEnd::Unknown);
    for shard in [1, 2, 4] {
        assert_eq!(only(shard), ShardEnd::Done);
    }
    assert_eq!(place.seen().run.state, MassState::Succeeded);
    assert_eq!(place.numbers("n"), vec![1; 400]);
}

#[test]
fn rows_that_come_and_go() {
    let mut place = Place::new(&COUNT, 1_000);
    place.workers = 2;
    place.enqueue();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for id in 1_001..1_100 {
                place.sql(&format!(
                    "INSERT INTO items (id) VALUES ({id}); DELETE FROM items WHERE id = {}",
                    id - 500
                ));
            }
        });
        place.work();
    });
    assert_eq!(place.seen().run.state, MassState::Succeeded);
    assert!(place.numbers("n").iter().all(|n| *n <= 1));
    let left: Vec<i64> = place.numbers("CASE WHEN id <= 1000 THEN n ELSE 1 END");
    assert!(
        left.iter().all(|n| *n == 1),
        "none that was there was skipped"
    );
}
