//! Signals and orders to processes at work.

use migrate_diesel::core::mass::MassState;
use migrate_tests::database::{Backend, Scratch};

use crate::{crew::Place, on_each_backend};

on_each_backend! {
    a_signal_ends_it_within_a_batch, paused_and_resumed, cancelled_and_tried_again, another_pace,
    marked_while_workers_work, reverted_while_workers_work,
}

const ROWS: u32 = 3_000;

fn with_rows(backend: Backend, test: impl FnOnce(&Place<'_>)) {
    let scratch = Scratch::new(backend);
    scratch.fill_proof(ROWS);
    test(&Place {
        scratch: &scratch,
        database: "proof",
        id: "proof_count",
    });
    let once = "SELECT count(*) AS value FROM proof WHERE n = 1";
    assert_eq!(scratch.number(once), i64::from(ROWS));
}

/// SIGTERM and SIGINT: exit 1, and what is left is done by the next one.
fn a_signal_ends_it_within_a_batch(backend: Backend) {
    with_rows(backend, |place| {
        for signal in ["TERM", "INT"] {
            // A worker takes a nap between two batches, and is not to finish that either.
            let run = place.types("run proof_count --batch 50 --pause 1s");
            let before = place.status().progress.batches;
            let seen = place.wait_for(|status| status.progress.batches > before + 1);
            run.signal(signal);
            let ended = run.ends();
            assert_eq!(ended.code, Some(1), "{ended:?}");
            assert!(ended.err.contains("interrupted"), "{ended:?}");
            assert!(ended.err.contains("mass run"), "what to do next: {ended:?}");
            let status = place.status();
            assert_eq!(status.state, MassState::Interrupted, "{status:?}");
            assert_eq!(status.progress.workers, 0, "given back: {status:?}");
            let more = status.progress.batches - seen.progress.batches;
            // A loaded machine may take longer than a nap for the signal itself.
            assert!(more < 5, "{more} batches");
        }
        place.order("run --pause 0s --batch 500");
        assert_eq!(place.status().state, MassState::Succeeded);
    });
}

/// Another process pauses; the one at work says so, and exits with 1.
fn paused_and_resumed(backend: Backend) {
    with_rows(backend, |place| {
        let run = place.types("run proof_count --batch 50 --pause 200ms");
        place.wait_for(|status| status.progress.batches > 1);
        place.order("pause --reason lunch");
        let ended = run.ends();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let status = place.status();
        assert_eq!(status.state, MassState::Paused);
        assert_eq!(status.reason.as_deref(), Some("lunch"));
        // Nobody overrules who paused it.
        let ended = place.types("run proof_count").ends();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains("`mass resume"), "{ended:?}");
        let ended = place.types("work --once").ends();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(place.status().progress.batches, status.progress.batches);
        place.order("set --pause 0s");
        place.order("resume");
        place.order("run");
        let log = place.log();
        for event in ["pausing", "paused", "set", "succeeded"] {
            assert!(log.iter().any(|it| it == event), "{event}: {log:?}");
        }
    });
}

fn cancelled_and_tried_again(backend: Backend) {
    with_rows(backend, |place| {
        let run = place.types("run proof_count --batch 50 --pause 200ms");
        place.wait_for(|status| status.progress.batches > 1);
        place.order("cancel");
        let ended = run.ends();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(place.status().state, MassState::Cancelled);
        let ended = place.types("resume proof_count").ends();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains("`retry`"), "{ended:?}");
        place.order("set --pause 0s");
        place.order("retry");
        place.order("run");
    });
}

/// It changes while it is at work.
fn another_pace(backend: Backend) {
    with_rows(backend, |place| {
        let run = place.types("run proof_count --batch 10 --pause 1s");
        place.wait_for(|status| status.progress.batches > 1);
        place.order("set --pause 0s --batch 1000 --max-failures 3");
        let ended = run.ends();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let status = place.status();
        assert_eq!(status.state, MassState::Succeeded);
        // 300 with the size that was said first.
        assert!(status.progress.batches < 60, "{status:?}");
        assert_eq!(status.run.unwrap().live.max_failures, 3);
    });
}

/// What is applied is nobody's work any more.
fn marked_while_workers_work(backend: Backend) {
    let scratch = Scratch::new(backend);
    scratch.fill_proof(ROWS);
    let place = Place {
        scratch: &scratch,
        database: "proof",
        id: "proof_count",
    };
    let run = place.types("run proof_count --batch 50 --pause 200ms");
    place.wait_for(|status| status.progress.batches > 1);
    place.does("mark proof_count --applied --yes");
    // It is applied, and so nothing is left to do.
    let ended = run.ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(place.status().state, MassState::Succeeded);
    let counted = place.number("proof WHERE n = 1");
    assert!(counted < ROWS.into(), "{counted}");
    place.order("run");
    place.does("mass work --once");
    assert_eq!(place.number("proof WHERE n = 1"), counted);
    assert_eq!(place.number("migrate_history WHERE state = 'applied'"), 1);
    assert_eq!(
        place.number("migrate_history_mass WHERE live IS NOT NULL"),
        0
    );
}

/// What it builds on is reverted: what its cursor says is done is not any more.
fn reverted_while_workers_work(backend: Backend) {
    let scratch = Scratch::new(backend);
    scratch.fill_proof(ROWS);
    let place = Place {
        scratch: &scratch,
        database: "proof_upon",
        id: "proof_upon_count",
    };
    place.does("up proof_upon_base");
    let run = place.types("run proof_upon_count --batch 50 --pause 200ms");
    place.wait_for(|status| status.progress.batches > 1);
    place.does("down proof_upon_base --yes");
    let ended = run.ends();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(place.status().state, MassState::Pending);
    assert_eq!(place.number("proof WHERE n > 0"), 0, "undone");
    let ended = place.types("run proof_upon_count").ends();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("proof_upon_base"), "{ended:?}");
    place.does("up --mass inline");
    assert_eq!(place.status().state, MassState::Succeeded);
    assert_eq!(place.number("proof WHERE n = 1"), i64::from(ROWS));
}
