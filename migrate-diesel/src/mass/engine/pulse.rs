//! The heartbeat: a thread with a connection of its own extends the leases of what this process holds, and
//! tells how far it is.

use std::{
    sync::atomic::Ordering::Relaxed,
    thread,
    time::{Duration, Instant},
};

use super::{Connect, Shared, lock};
use crate::{
    backend::Driver,
    error::Error,
    mass::store::{self, Held},
};

/// How often progress is told.
pub(super) const TELL: Duration = Duration::from_millis(500);

/// How often the thread looks whether it is to end.
const NAP: Duration = Duration::from_millis(20);

/// Beats until it is over.
pub(super) fn beat(shared: &Shared<'_>, connect: &Connect<'_>) {
    let mut connection: Option<Box<dyn Driver + Send>> = None;
    let (mut beaten, mut told) = (Instant::now(), Instant::now());
    // Three times within a lease: one may be late, and one may be lost.
    let every = shared.work.lease / 3;
    while !shared.over.load(Relaxed) {
        thread::park_timeout(NAP);
        let mut due = Vec::new();
        if beaten.elapsed() >= every {
            beaten = Instant::now();
            due.push(Due::Beat);
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            due.push(Due::Tell);
        }
        let held = lock(&shared.held).clone();
        if held.is_empty() || due.is_empty() {
            continue;
        }
        if let Err(error) = once(shared, connect, &mut connection, &held, &due) {
            // The next beat is early enough, or the lease ends, and then somebody else goes on.
            tracing::warn!(%error, "leases could not be extended");
            connection = None;
        }
    }
}

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Beat,
    Tell,
}

fn once(
    shared: &Shared<'_>,
    connect: &Connect<'_>,
    connection: &mut Option<Box<dyn Driver + Send>>,
    held: &[Held],
    due: &[Due],
) -> Result<(), Error> {
    let driver = match connection {
        Some(driver) => driver,
        None => {
            let mut driver = connect()?;
            driver
                .prepare()
                .map_err(Error::database("ready a connection for the heartbeat"))?;
            connection.insert(driver)
        }
    };
    for due in due {
        match due {
            Due::Beat => {
                let store = shared.work.store;
                let script: Vec<String> = held
                    .iter()
                    .map(|&held| store::extend(store, held, shared.work.lease))
                    .collect();
                // Where there is one writer, it is one of ours, and nobody can take a shard from it
                // meanwhile.
                let _turn = shared.turn();
                driver
                    .batch(&script.join(";\n"))
                    .map_err(Error::database("extend leases"))?;
            }
            Due::Tell => shared
                .tell_progress(&mut **driver)
                .map_err(Error::database("read how far a run is"))?,
        }
    }
    Ok(())
}
