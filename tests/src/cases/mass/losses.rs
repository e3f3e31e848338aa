//! What a server can take away from a worker: its shard in the middle of a batch, its session at any moment.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use diesel::connection::SimpleConnection;
use migrate_diesel::{
    core::{
        Interrupt,
        mass::{
            MassState,
            frontend::{MassEvent, Setting},
        },
    },
    prelude::*,
};

use super::{Mass, counted, items, succeeded};
use crate::database::{Backend, Scratch};

/// The database of the case that takes a shard away, for its body.
static ELSEWHERE: Mutex<Option<AnyConnection>> = Mutex::new(None);

/// Loses its shard once, between its effects and its end.
#[mass_migration(database = "mass_fenced", table = "mass_items", batch = 50, shards = 1)]
pub(crate) fn mass_fenced(db: &mut AnyConnection, batch: &Batch<i32>) -> QueryResult<usize> {
    let rows = diesel::sql_query(format!(
        "UPDATE mass_items SET n = n + 1 WHERE {}",
        batch.filter()
    ))
    .execute(db)?;
    let elsewhere = ELSEWHERE.lock().unwrap().take();
    if let Some(mut elsewhere) = elsewhere {
        // What a successor does whose lease has ended.
        elsewhere.batch_execute(
            "UPDATE migrate_history_shards SET token = token + 1, lease_until = NULL, owner = 'a successor'",
        )?;
    }
    Ok(rows)
}

/// A worker whose shard was taken over cannot commit what it was at, however late it notices.
pub fn who_lost_its_shard_cannot_commit(scratch: &Scratch) {
    items(scratch, 300);
    let mass = Mass::new(scratch, "mass_fenced", "mass_fenced");
    *ELSEWHERE.lock().unwrap() = Some(scratch.connect());
    let mut taken = 0;
    let status = mass.work(
        1,
        Duration::from_secs(15),
        &Interrupt::new(),
        &mut |event| taken += u32::from(matches!(event, MassEvent::TakenOver { .. })),
    );
    succeeded(&status);
    assert_eq!(taken, 1, "from the one that was there for a moment");
    assert!(ELSEWHERE.lock().unwrap().is_none(), "it did lose it");
    assert_eq!(counted(scratch), ["1 times: 300"]);
    assert_eq!(status.progress.units, 300);
    assert_eq!(status.progress.batches, 6, "the lost one does not count");
}

/// Every session but this one ends.
fn cut(scratch: &Scratch) {
    match scratch.backend {
        Backend::Postgres => scratch.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        ),
        _ => {
            let sessions = scratch.texts(
                "SELECT CAST(id AS CHAR) AS value FROM information_schema.processlist \
                 WHERE db = DATABASE() AND id <> CONNECTION_ID()",
            );
            let mut connection = scratch.connect();
            for session in sessions {
                // It may have ended by itself.
                let _ = connection.batch_execute(&format!("KILL {session}"));
            }
        }
    }
}

/// Sessions are cut again and again: workers make new ones, and every row counts once.
pub fn sessions_are_cut(scratch: &Scratch) {
    items(scratch, 3_000);
    let mass = Mass::new(scratch, "mass_items", "mass_count");
    mass.enqueue(&[Setting::Pause(Duration::from_millis(5))]);
    let (over, reconnected) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(SeqCst) {
                thread::sleep(Duration::from_millis(60));
                cut(scratch);
            }
        });
        let mut state = MassState::Enqueued;
        // A worker gives up after some attempts: the next one goes on.
        for _ in 0..20 {
            let mut program = crate::program::open("mass_items", scratch.url());
            let Ok(program) = &mut program else { continue };
            let request = migrate_diesel::core::mass::frontend::WorkRequest {
                workers: 2,
                lease: Duration::from_secs(2),
                ..Default::default()
            };
            let report = program
                .mass()
                .work(&request, &Interrupt::new(), &mut |event| {
                    if matches!(event, MassEvent::Reconnecting { .. }) {
                        reconnected.fetch_add(1, SeqCst);
                    }
                    if let MassEvent::State { state: now, .. } = event {
                        state = now;
                    }
                });
            drop(report);
            if state == MassState::Succeeded {
                break;
            }
        }
        over.store(true, SeqCst);
    });
    succeeded(&mass.status());
    assert!(reconnected.load(SeqCst) > 1);
    assert_eq!(counted(scratch), ["1 times: 3000"]);
}

/// The session that only asks at the end is lost with the others: the run is none the worse for that.
pub fn the_session_that_lay_idle_is_cut(scratch: &Scratch) {
    items(scratch, 400);
    let mass = Mass::new(scratch, "mass_items", "mass_count");
    mass.enqueue(&[Setting::Pause(Duration::from_millis(30))]);
    let (mut is_cut, mut reconnected) = (false, 0);
    // Fails where the report does.
    let status = mass.work(1, Duration::from_secs(2), &Interrupt::new(), &mut |event| {
        reconnected += u32::from(matches!(event, MassEvent::Reconnecting { .. }));
        if !std::mem::replace(&mut is_cut, true) {
            cut(scratch);
        }
    });
    succeeded(&status);
    assert!(reconnected > 0);
    assert_eq!(counted(scratch), ["1 times: 400"]);
}
