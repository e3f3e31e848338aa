//! Orders to a run at work: they take effect within one batch.

use std::{thread, time::Duration};

use migrate_diesel::core::mass::{
    MassState,
    frontend::{Order, Setting},
};

use super::{Mass, counted, items, succeeded};
use crate::database::Scratch;

const SLOW: Setting = Setting::Pause(Duration::from_millis(20));
const FAST: Setting = Setting::Pause(Duration::ZERO);

/// While a run is at work, `order` is given; it ends in `state`, and does nothing more.
fn given<'s>(scratch: &'s Scratch, order: &Order, state: MassState) -> Mass<'s> {
    items(scratch, 2_000);
    let mass = Mass::new(scratch, "mass_items", "mass_count");
    mass.enqueue(&[SLOW]);
    thread::scope(|scope| {
        scope.spawn(|| {
            mass.wait_for(|status| status.progress.batches > 2);
            let at_once = mass.control(order);
            // No worker began more than the one batch that it may have been at.
            let ended = mass.wait_for(|status| status.state == state);
            let more = ended.progress.batches - at_once.progress.batches;
            assert!(more <= 2, "{more} batches after the order");
        });
        let status = mass.run(2);
        assert_eq!(status.state, state, "{status:?}");
        assert_eq!(status.reason.as_deref(), Some("because"));
    });
    assert_ne!(counted(scratch), ["1 times: 2000"]);
    mass
}

/// Paused within a batch, left alone, and gone on with.
pub fn pause_and_resume(scratch: &Scratch) {
    let mass = given(scratch, &Order::Pause, MassState::Paused);
    let before = counted(scratch);
    mass.control(&Order::Set(vec![FAST]));
    // A worker that serves what is enqueued leaves it alone.
    let mut program = crate::program::open("mass_items", scratch.url()).unwrap();
    let serves = migrate_diesel::core::mass::frontend::WorkRequest::default();
    let report = program.mass().work(
        &serves,
        &migrate_diesel::core::Interrupt::new(),
        &mut |_| {},
    );
    assert!(report.failure.is_none(), "{report:?}");
    assert_eq!(counted(scratch), before);
    mass.control(&Order::Resume);
    succeeded(&mass.run(2));
    assert_eq!(counted(scratch), ["1 times: 2000"]);
}

/// Cancelled within a batch; tried again, it goes on from there.
pub fn cancel_and_retry(scratch: &Scratch) {
    let mass = given(scratch, &Order::Cancel, MassState::Cancelled);
    mass.control(&Order::Set(vec![FAST]));
    mass.control(&Order::Retry);
    succeeded(&mass.run(2));
    assert_eq!(counted(scratch), ["1 times: 2000"]);
}

/// Another batch size, while it runs.
pub fn another_batch_size(scratch: &Scratch) {
    items(scratch, 2_000);
    let mass = Mass::new(scratch, "mass_items", "mass_count");
    mass.enqueue(&[SLOW]);
    thread::scope(|scope| {
        scope.spawn(|| {
            mass.wait_for(|status| status.progress.batches > 2);
            mass.control(&Order::Set(vec![FAST, Setting::Batch(500)]));
        });
        let status = mass.run(1);
        succeeded(&status);
        // 100 with the size that was declared.
        assert!(status.progress.batches < 30, "{status:?}");
    });
    assert_eq!(counted(scratch), ["1 times: 2000"]);
    let logged = scratch.texts(
        "SELECT detail AS value FROM migrate_history_log WHERE event = 'set' ORDER BY sequence",
    );
    assert_eq!(logged, ["pause = 0s, batch = 500, because"]);
}

/// A pause slows a run down, and what is said about its speed tells so from the first batch of a shard on.
pub fn a_pause_counts_in_the_rate(scratch: &Scratch) {
    items(scratch, 120);
    let mass = Mass::new(scratch, "mass_items", "mass_count");
    mass.enqueue(&[SLOW]);
    succeeded(&mass.run(1));
    let rates = |which: &str| {
        scratch.texts(&format!(
            "SELECT CONCAT(count(*), '') AS value FROM migrate_history_shards WHERE {which}"
        ))
    };
    // 20 units in a batch, and 50 batches in a second at most.
    assert_eq!(rates("rate > 1000"), ["0"]);
    assert_ne!(rates("rate > 0"), ["0"]);
}
