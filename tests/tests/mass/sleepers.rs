//! Workers that sleep for longer than their lease, are killed in a step, or begin at the same moment.

use std::{thread, time::Duration};

use migrate_diesel::core::mass::MassState;
use migrate_tests::database::{Backend, Scratch};

use crate::{
    crew::{Crew, Place},
    on_each_backend,
};

/// Than a lease.
const LONGER: Duration = Duration::from_millis(2_500);

on_each_backend! {
    an_attempt_that_slept_changes_nothing_of_the_next,
    paused_it_stays_when_a_lost_worker_wakes,
    a_step_that_was_killed_is_done_by_the_next,
    many_starters_one_run,
}

fn with_rows(backend: Backend, rows: u32, test: impl FnOnce(&Place<'_>)) {
    let scratch = Scratch::new(backend);
    scratch.fill_proof(rows);
    let place = Place {
        scratch: &scratch,
        database: "proof",
        id: "proof_count",
    };
    test(&place);
    assert_eq!(
        place.number("proof WHERE n = 1"),
        i64::from(rows),
        "{backend:?}"
    );
    assert_eq!(place.number("migrate_history WHERE state = 'applied'"), 1);
}

/// Defect 5 of django-mass-migration: an old attempt, when it ends, marks the new one applied or failed.
fn an_attempt_that_slept_changes_nothing_of_the_next(backend: Backend) {
    with_rows(backend, 20_000, |place| {
        place.order("run --detach --batch 100 --pause 20ms");
        let crew = Crew::new(place, 2);
        place.wait_for(|status| status.progress.workers == 2 && status.progress.batches > 3);
        crew.signal_one("-STOP");
        if backend == Backend::Sqlite {
            // Asleep in a transaction, it keeps everybody from writing: then it is taken over only after that.
            thread::sleep(LONGER);
        } else {
            crew.wait_for("\"taken_over\"");
        }
        crew.signal_one("-CONT");
        place.order("set --pause 0s --batch 2000");
        place.wait_until(MassState::Succeeded);
        crew.go_home();
    });
}

/// Defect 3 of maintenance_tasks: a pause that did not wait for a worker leaves it at work, and a resume doubles it.
fn paused_it_stays_when_a_lost_worker_wakes(backend: Backend) {
    with_rows(backend, 20_000, |place| {
        place.order("run --detach --batch 100 --pause 50ms");
        let crew = Crew::new(place, 1);
        place.wait_for(|status| status.progress.batches > 3);
        crew.signal_one("-STOP");
        // SQLite lets nobody write while it sleeps in a transaction: then it is the one after that.
        let pause = place.types("pause proof_count");
        if backend == Backend::Sqlite {
            thread::sleep(LONGER);
            crew.signal_one("-CONT");
        }
        let ended = pause.ends();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let paused = place.wait_until(MassState::Paused);
        crew.signal_one("-CONT");
        thread::sleep(Duration::from_millis(500));
        // It may be in the middle of a batch, which is still its own.
        let status = place.wait_until(MassState::Paused);
        let more = status.progress.batches - paused.progress.batches;
        assert!(more <= 1, "{more}: the one that it was at");
        place.order("set --pause 0s --batch 2000");
        place.order("resume");
        place.wait_until(MassState::Succeeded);
        crew.go_home();
    });
}

/// Defect 7 of django-mass-migration: a step that is delivered again fails for ever, and stays "running".
fn a_step_that_was_killed_is_done_by_the_next(backend: Backend) {
    let scratch = Scratch::new(backend);
    scratch.switch_on("hang");
    let place = Place {
        scratch: &scratch,
        database: "proof_step",
        id: "proof_step",
    };
    let run = place.types("run proof_step --lease 1s");
    place.wait_for(|status| status.progress.workers == 1);
    thread::sleep(Duration::from_millis(300));
    run.signal("KILL");
    assert_eq!(run.ends().code, None);
    // A server notices that it is gone; its statement is rolled back.
    place.wait_until(MassState::Interrupted);
    assert_eq!(scratch.effects(), [""; 0]);
    scratch.sql("DELETE FROM switches");
    place.order("run");
    place.order("run");
    assert_eq!(scratch.effects(), ["step"]);
    assert_eq!(place.status().state, MassState::Succeeded);
}

/// Defect 8 of django-mass-migration: who loses the race to start it gets the database's error, or starts a second.
fn many_starters_one_run(backend: Backend) {
    with_rows(backend, 2_000, |place| {
        let starters = [(); 5].map(|()| place.types("run proof_count --detach"));
        for starter in starters {
            let ended = starter.ends();
            assert_eq!(ended.code, Some(0), "{ended:?}");
        }
        assert_eq!(place.number("migrate_history_mass"), 1);
        assert_eq!(place.log(), ["enqueued"]);
        place.order("run");
    });
}
