//! The heartbeat: a thread with a connection of its own extends the leases of what this process holds, and
//! tells how far it is.

use std::{
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
    let mut beaten = Instant::now();
    let mut told = Instant::now();
    // Three times within a lease: one may be late, and one may be lost.
    let every = shared.work.lease / 3;
    while !shared.over.load(std::sync::atomic::Ordering::Relaxed) {
        thread::sleep(NAP);
        let beats = beaten.elapsed() >= every;
        let tells = told.elapsed() >= TELL;
        let held = lock(&shared.held).clone();
        if held.is_empty() || !(beats || tells) {
            continue;
        }
        let result = once(shared, connect, &mut connection, &held, beats, tells);
        if beats {
            beaten = Instant::now();
        }
        if tells {
            told = Instant::now();
        }
        if let Err(error) = result {
            // The next beat is early enough, or the lease ends, and then somebody else goes on.
            tracing::warn!(%error, "leases could not be extended");
            connection = None;
        }
    }
}

fn once(
    shared: &Shared<'_>,
    connect: &Connect<'_>,
    connection: &mut Option<Box<dyn Driver + Send>>,
    held: &[Held],
    beats: bool,
    tells: bool,
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
    if beats {
        let store = shared.work.store;
        let script: Vec<String> = held
            .iter()
            .map(|&held| store::extend(store, held, shared.work.lease))
            .collect();
        // Where there is one writer, it is one of ours, and nobody can take a shard from it meanwhile.
        let _turn = shared.turn();
        driver
            .batch(&script.join(";\n"))
            .map_err(Error::database("extend leases"))?;
    }
    if tells {
        shared
            .tell_progress(&mut **driver)
            .map_err(Error::database("read how far a run is"))?;
    }
    Ok(())
}
