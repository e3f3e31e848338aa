//! Runs that are changed, lost or asked to end while they are worked on.

use std::sync::Mutex;

use migrate_core::mass::{ShardState, frontend::Setting};

use super::{
    super::{ShardEnd, work_shard},
    *,
};
use crate::mass::store::Claimed;

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
        let shared = super::super::Shared::new(work, Some(connect), &interrupt, Box::leak(Box::new(|_| {})));
        let own = super::super::Line::lent(&mut *line, None, work.store).unwrap();
        let mut worker = super::super::Worker::new(&shared, own, 1).unwrap();
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
