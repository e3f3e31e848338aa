//! Changes of a run's state: by a person, by a worker, at its end.

use std::time::Duration;

use diesel::QueryResult;
use migrate_core::mass::{Live, MassRun, MassState, frontend::Setting};

use super::{Verdict, in_transaction, milliseconds};
use crate::{backend::Driver, history::Store};

/// What a run becomes, if it still is as it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Change<'c> {
    /// As it was seen.
    pub(crate) run: &'c MassRun,
    pub(crate) to: MassState,
    pub(crate) reason: Option<&'c str>,
    /// For so long, for a throttle signal.
    pub(crate) throttled_for: Option<Duration>,
    pub(crate) by: &'c str,
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ordered {
    /// It was made.
    Done,
    /// The run is not as it was seen any more.
    Changed,
}

/// The statements of a change; the first has to touch one row, or it was not made.
fn changing(store: &Store, change: &Change<'_>) -> (String, Vec<String>) {
    let Change { run, to, .. } = change;
    let ended = match to {
        MassState::Succeeded | MassState::Failed | MassState::Cancelled => store.dialect.now,
        _ => "NULL",
    };
    let live = match to {
        MassState::Succeeded => ", live = NULL",
        _ => "",
    };
    let throttled = change
        .throttled_for
        .map_or_else(|| "NULL".to_owned(), |it| store.dialect.in_future(it));
    let first = format!(
        "UPDATE {} SET state = '{to}', reason = {}, ended_at = {ended}, throttled_until = {throttled}, \
         revision = revision + 1{live} WHERE run = {} AND revision = {} AND state = '{}'",
        store.mass,
        store.dialect.optional_text(change.reason),
        run.run,
        run.revision,
        run.state,
    );
    let event = store.mass_event(&run.id, *to, change.by, change.reason);
    (first, vec![event])
}

/// Changes the state of a run, if it still is as it was seen, and logs who and why. `retry` tries again
/// what is in quarantine: see [`again`].
///
/// # Errors
/// The database's.
pub(crate) fn order(
    store: &Store,
    driver: &mut dyn Driver,
    change: &Change<'_>,
    again: Again,
) -> QueryResult<Ordered> {
    in_transaction(store, driver, |driver| {
        Ok(match make(store, driver, change)? {
            Ordered::Changed => Verdict::Undo(Ordered::Changed),
            Ordered::Done => {
                if again == Again::Yes {
                    driver.batch(&reopening(store, change.run.run))?;
                }
                Verdict::Keep(Ordered::Done)
            }
        })
    })
}

/// As [`order`], in a transaction that is open.
///
/// # Errors
/// The database's.
pub(crate) fn make(
    store: &Store,
    driver: &mut dyn Driver,
    change: &Change<'_>,
) -> QueryResult<Ordered> {
    let (first, rest) = changing(store, change);
    if driver.count(&first)? != 1 {
        return Ok(Ordered::Changed);
    }
    driver.batch(&rest.join(";\n"))?;
    Ok(Ordered::Done)
}

/// Holds back for longer what is held back, if it still is as it was seen. Logged only where the reason is
/// another one: a signal may hold for days.
///
/// # Errors
/// The database's.
pub(crate) fn hold_longer(
    store: &Store,
    driver: &mut dyn Driver,
    change: &Change<'_>,
) -> QueryResult<Ordered> {
    in_transaction(store, driver, |driver| {
        let (first, rest) = changing(store, change);
        if driver.count(&first)? != 1 {
            return Ok(Verdict::Undo(Ordered::Changed));
        }
        if change.run.reason.as_deref() != change.reason {
            driver.batch(&rest.join(";\n"))?;
        }
        Ok(Verdict::Keep(Ordered::Done))
    })
}

/// Whether what is in quarantine is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    Yes,
}

/// Opens shard 0, the work on what is in quarantine, where something is open there.
fn reopening(store: &Store, run: i64) -> String {
    let (shards, quarantine, mass) = (&store.shards, &store.quarantine, &store.mass);
    let open =
        format!("EXISTS (SELECT 1 FROM {quarantine} q WHERE q.run = {run} AND q.state = 'open')");
    format!(
        "INSERT INTO {shards} (run, shard, state, units, changed, batches, token) \
         SELECT m.run, 0, 'done', 0, 0, 0, 0 FROM {mass} m WHERE m.run = {run} AND m.started_at IS NOT NULL AND {open} \
         AND NOT EXISTS (SELECT 1 FROM {shards} s WHERE s.run = {run} AND s.shard = 0);\n\
         UPDATE {shards} SET state = 'open', at_key = NULL, lease_until = NULL, token = token + 1 \
         WHERE run = {run} AND shard = 0 AND {open}"
    )
}

/// Other values of what may be changed while a run goes on.
///
/// # Errors
/// The database's.
pub(crate) fn set(
    store: &Store,
    driver: &mut dyn Driver,
    run: &MassRun,
    settings: &[Setting],
    (by, reason): (&str, Option<&str>),
) -> QueryResult<Ordered> {
    let live = applied(&run.live, settings);
    in_transaction(store, driver, |driver| {
        let changed = driver.count(&format!(
            "UPDATE {} SET batch = {}, target_ms = {}, pause_ms = {}, max_failures = {}, revision = revision + 1 \
             WHERE run = {} AND revision = {}",
            store.mass,
            live.batch,
            milliseconds(live.target),
            milliseconds(Some(live.pause)),
            live.max_failures,
            run.run,
            run.revision,
        ))?;
        if changed != 1 {
            return Ok(Verdict::Undo(Ordered::Changed));
        }
        let mut words: Vec<String> = settings.iter().map(said).collect();
        words.extend(reason.map(str::to_owned));
        driver.batch(&store.mass_note(&run.id, "set", by, Some(&words.join(", "))))?;
        Ok(Verdict::Keep(Ordered::Done))
    })
}

/// What holds once these are set.
#[must_use]
pub(crate) fn applied(live: &Live, settings: &[Setting]) -> Live {
    let mut live = live.clone();
    for setting in settings {
        match *setting {
            Setting::Batch(units) => live.batch = units.max(1),
            Setting::Target(target) => live.target = target,
            Setting::Pause(pause) => live.pause = pause,
            Setting::MaxFailures(units) => live.max_failures = units,
        }
    }
    live
}

fn said(setting: &Setting) -> String {
    match *setting {
        Setting::Batch(units) => format!("batch = {units}"),
        Setting::Target(None) => "target = none".to_owned(),
        Setting::Target(Some(target)) => {
            format!("target = {}", humantime::format_duration(target))
        }
        Setting::Pause(pause) => format!("pause = {}", humantime::format_duration(pause)),
        Setting::MaxFailures(units) => format!("max_failures = {units}"),
    }
}

/// Says that a run has no worker any more, where that is so. `false` where it is not.
///
/// # Errors
/// The database's.
pub(crate) fn interrupted(
    store: &Store,
    driver: &mut dyn Driver,
    (run, id): (i64, &str),
    (by, reason): (&str, Option<&str>),
) -> QueryResult<bool> {
    in_transaction(store, driver, |driver| {
        let changed = driver.count(&format!(
            "UPDATE {} SET state = 'interrupted', reason = {}, revision = revision + 1 WHERE run = {run} AND state = 'running' \
             AND NOT EXISTS (SELECT 1 FROM {} s WHERE s.run = {run} AND s.lease_until > {})",
            store.mass,
            store.dialect.optional_text(reason),
            store.shards,
            store.dialect.now,
        ))?;
        if changed != 1 {
            return Ok(Verdict::Undo(false));
        }
        driver.batch(&store.mass_event(id, MassState::Interrupted, by, reason))?;
        Ok(Verdict::Keep(true))
    })
}
