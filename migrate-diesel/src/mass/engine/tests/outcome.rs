//! What comes out of work on a run.

use diesel::connection::SimpleConnection as _;
use migrate_core::mass::{QuarantineState, ShardState, frontend::SkipTarget};

use super::{
    super::{settle, work_on},
    *,
};

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
