//! Several workers, some of which die; rows that fail, come and go.

use std::{thread, time::Duration};

use migrate_diesel::core::{
    Interrupt,
    mass::{
        MassState, QuarantineState,
        frontend::{MassEvent, Order, SkipTarget},
    },
};

use super::{Mass, counted, items, succeeded};
use crate::database::Scratch;

fn mass(scratch: &Scratch) -> Mass<'_> {
    Mass::new(scratch, "mass_items", "mass_count")
}

/// Every row once, by several workers; then it is applied, and what the history says is what counts.
pub fn every_row_once(scratch: &Scratch) {
    items(scratch, 2_000);
    let mass = mass(scratch);
    let status = mass.run(4);
    succeeded(&status);
    assert_eq!(counted(scratch), ["1 times: 2000"]);
    assert_eq!(status.progress.units, 2_000);
    assert_eq!(status.progress.rows, 2_000);
    assert_eq!(status.progress.total, Some(2_000));
    assert_eq!(status.progress.shards, (6, 6));
    let applied = "SELECT count(*) AS value FROM migrate_history WHERE state = 'applied'";
    assert_eq!(scratch.number(applied), 1);
    let live = "SELECT count(*) AS value FROM migrate_history_mass WHERE live IS NOT NULL";
    assert_eq!(scratch.number(live), 0);
}

/// Two programs that start it at once work on one run.
pub fn two_starters_one_run(scratch: &Scratch) {
    items(scratch, 1_000);
    thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| mass(scratch).run(1)));
        for one in both {
            succeeded(&one.join().unwrap());
        }
    });
    assert_eq!(counted(scratch), ["1 times: 1000"]);
    let runs = "SELECT count(*) AS value FROM migrate_history_mass";
    assert_eq!(scratch.number(runs), 1);
}

/// Without rows there is nothing to do, and that is done.
pub fn an_empty_table(scratch: &Scratch) {
    items(scratch, 0);
    succeeded(&mass(scratch).run(2));
}

/// A row that fails is alone in quarantine; mended, it is tried again; another one is skipped.
pub fn a_poison_row_alone(scratch: &Scratch) {
    items(scratch, 500);
    scratch.sql("UPDATE mass_items SET bad = 1 WHERE id IN (77, 401)");
    let mass = mass(scratch);
    let mut told = Vec::new();
    let status = mass.work(
        3,
        Duration::from_secs(15),
        &Interrupt::new(),
        &mut |event| {
            if let MassEvent::Quarantined { key, .. } = event {
                told.push(key);
            }
        },
    );
    told.sort_unstable();
    assert_eq!(told, ["[\"401\"]", "[\"77\"]"]);
    assert_eq!(status.state, MassState::Failed);
    assert_eq!(status.reason.as_deref(), Some("2 units are in quarantine"));
    assert_eq!(counted(scratch), ["0 times: 2", "1 times: 498"]);
    let applied = "SELECT count(*) AS value FROM migrate_history";
    assert_eq!(
        scratch.number(applied),
        0,
        "nothing that requires it may begin"
    );

    scratch.sql("UPDATE mass_items SET bad = 0 WHERE id = 77");
    mass.control(&Order::Retry);
    assert_eq!(mass.run(2).state, MassState::Failed);
    assert_eq!(counted(scratch), ["0 times: 1", "1 times: 499"]);
    let failures = mass.program().mass().failures(mass.id, 10);
    let failures = failures.unwrap();
    let of = |key: &str| failures.iter().find(|it| it.key.contains(key)).unwrap();
    assert_eq!(of("77").state, QuarantineState::Resolved);
    assert_eq!(of("401").state, QuarantineState::Open);
    assert_eq!(of("401").attempts, 2);
    let said = of("401").error.to_lowercase();
    assert!(
        said.contains("check") || said.contains("constraint"),
        "{said}"
    );

    let status = mass.control(&Order::Skip(SkipTarget::Key("401".to_owned())));
    succeeded(&status);
    assert_eq!(scratch.number(applied), 1);
}

/// More rows fail than may: it stops, and goes on from there once they are mended.
pub fn too_many_failures(scratch: &Scratch) {
    items(scratch, 2_000);
    scratch.sql("UPDATE mass_items SET bad = 1");
    let mass = mass(scratch);
    let status = mass.run(2);
    assert_eq!(status.state, MassState::Failed);
    assert!(
        (6..=7).contains(&status.progress.failures),
        "the limit is 5, and each of two workers may meet one more: {status:?}"
    );
    scratch.sql("UPDATE mass_items SET bad = 0");
    mass.control(&Order::Retry);
    succeeded(&mass.run(2));
    assert_eq!(counted(scratch), ["1 times: 2000"]);
}

/// A worker that is gone without a word: its shard is taken over from the cursor, and what it still sends
/// is refused.
pub fn a_dead_worker_is_replaced(scratch: &Scratch) {
    items(scratch, 600);
    let mass = mass(scratch);
    mass.enqueue(&[]);
    // Lays the run out, does something, and ends.
    let interrupt = Interrupt::new();
    let asks = interrupt.clone();
    thread::scope(|scope| {
        scope.spawn(|| {
            mass.wait_for(|status| status.progress.batches > 3);
            asks.request();
        });
        let slow = [migrate_diesel::core::mass::frontend::Setting::Pause(
            Duration::from_millis(10),
        )];
        mass.control(&Order::Set(slow.to_vec()));
        let status = mass.work(1, Duration::from_secs(15), &interrupt, &mut |_| {});
        assert_eq!(status.state, MassState::Interrupted, "{status:?}");
    });
    // It holds every shard that is open, for a moment still.
    let later = match scratch.backend {
        crate::database::Backend::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 seconds')",
        crate::database::Backend::Postgres => "clock_timestamp() + interval '1 second'",
        _ => "UTC_TIMESTAMP(6) + INTERVAL 1 SECOND",
    };
    scratch.sql(&format!(
        "UPDATE migrate_history_shards SET token = token + 1, owner = 'a dead one', lease_until = {later} WHERE state = 'open'"
    ));
    scratch.sql("UPDATE migrate_history_mass SET state = 'running', revision = revision + 1");
    let before: i64 = scratch.number("SELECT max(units) AS value FROM migrate_history_shards");
    let mut taken = 0;
    let status = mass.work(2, Duration::from_secs(2), &Interrupt::new(), &mut |event| {
        if let MassEvent::TakenOver { from, .. } = event {
            assert_eq!(from, "a dead one");
            taken += 1;
        }
    });
    succeeded(&status);
    assert!(taken > 0 && before > 0);
    assert_eq!(counted(scratch), ["1 times: 600"]);
}

/// Rows are inserted and deleted meanwhile: none that is there from beginning to end is skipped, none is
/// done twice.
pub fn rows_come_and_go(scratch: &Scratch) {
    items(scratch, 2_000);
    let mass = mass(scratch);
    thread::scope(|scope| {
        scope.spawn(|| {
            for id in 2_001..2_200 {
                scratch.sql(&format!("INSERT INTO mass_items (id) VALUES ({id})"));
                scratch.sql(&format!("DELETE FROM mass_items WHERE id = {}", id - 1_500));
            }
        });
        succeeded(&mass.run(2));
    });
    let twice = "SELECT count(*) AS value FROM mass_items WHERE n > 1";
    assert_eq!(scratch.number(twice), 0);
    let skipped = "SELECT count(*) AS value FROM mass_items WHERE n = 0 AND id <= 2000";
    assert_eq!(scratch.number(skipped), 0);
}
