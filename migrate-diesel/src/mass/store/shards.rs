//! Shards: laid out, claimed, held, given back.

use std::time::Duration;

use diesel::QueryResult;
use migrate_core::mass::{MassState, Shard, ShardState};

use super::{Seen, Verdict, Words, in_transaction, optional, select};
use crate::{
    backend::{Driver, TextRow},
    history::Store,
};

/// Where a shard begins and ends, as JSON: after the first, up to and including the second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) after: Option<String>,
    pub(crate) through: Option<String>,
}

/// A shard that is ours as long as nobody has taken another token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) run: i64,
    pub(crate) shard: u32,
    pub(crate) token: i64,
}

/// A batch that is done, as its shard is to say it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved<'m> {
    /// The new cursor; `None` for none.
    pub(crate) cursor: Option<&'m str>,
    pub(crate) state: ShardState,
    /// As the shard was: counters and the number of batches.
    pub(crate) before: &'m Shard,
    pub(crate) units: u64,
    pub(crate) rows: u64,
    /// Size of the next batch.
    pub(crate) batch: u32,
    pub(crate) rate: Option<f64>,
    pub(crate) lease: Duration,
}

/// The shards of some runs, in order.
pub(super) fn read(
    store: &Store,
    driver: &mut dyn Driver,
    runs: &[i64],
) -> QueryResult<Vec<(i64, Shard)>> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let runs: Vec<String> = runs.iter().map(i64::to_string).collect();
    let rows = driver.rows(&reading(store, &format!("run IN ({})", runs.join(", "))))?;
    Ok(rows.iter().filter_map(parse).collect())
}

/// One shard.
///
/// # Errors
/// The database's.
pub(crate) fn one(
    store: &Store,
    driver: &mut dyn Driver,
    run: i64,
    shard: u32,
) -> QueryResult<Option<Shard>> {
    let rows = driver.rows(&reading(store, &format!("run = {run} AND shard = {shard}")))?;
    Ok(rows.first().and_then(parse).map(|(_, shard)| shard))
}

fn reading(store: &Store, condition: &str) -> String {
    let number = |column: &str| store.number(column);
    let words = store.together(&[
        number("run"),
        number("shard"),
        "state".to_owned(),
        number("units"),
        number("changed"),
        number("batches"),
        number("token"),
        store.seconds_until("lease_until"),
        number("batch"),
        number("rate"),
    ]);
    select(
        &[
            words,
            "after_key".to_owned(),
            "through_key".to_owned(),
            "at_key".to_owned(),
            "owner".to_owned(),
        ],
        &format!(
            "FROM {} WHERE {condition} ORDER BY run, shard",
            store.shards
        ),
    )
}

fn parse(row: &TextRow) -> Option<(i64, Shard)> {
    let mut words = Words::of(row);
    let run = words.number()?;
    let shard = Shard {
        shard: words.number()?,
        after: row.c1.clone(),
        through: row.c2.clone(),
        cursor: row.c3.clone(),
        state: match words.next() {
            "done" => ShardState::Done,
            _ => ShardState::Open,
        },
        units: words.number()?,
        rows: words.number()?,
        batches: words.number()?,
        token: words.number()?,
        owner: row.c4.clone(),
        leased_for: words.ahead(),
        batch: words.number(),
        rate: words.number(),
    };
    Some((run, shard))
}

/// The first statement of the transaction that lays out the shards of a run: `false` when somebody else
/// has done so.
///
/// # Errors
/// The database's.
pub(crate) fn begin_layout(
    store: &Store,
    driver: &mut dyn Driver,
    seen: &Seen,
    by: &str,
) -> QueryResult<bool> {
    let run = &seen.run;
    let changed = driver.count(&format!(
        "UPDATE {} SET state = 'running', started_at = {}, ended_at = NULL, reason = NULL, revision = revision + 1 \
         WHERE run = {} AND revision = {} AND started_at IS NULL",
        store.mass, store.dialect.now, run.run, run.revision,
    ))?;
    if changed == 1 {
        driver.batch(&store.mass_event(&run.id, MassState::Running, by, None))?;
    }
    Ok(changed == 1)
}

/// The rest of it: the shards themselves.
///
/// # Errors
/// The database's.
pub(crate) fn lay_out(
    store: &Store,
    driver: &mut dyn Driver,
    run: i64,
    bounds: &[Bounds],
    total: Option<u64>,
) -> QueryResult<()> {
    let rows: Vec<String> = bounds
        .iter()
        .zip(1_u32..)
        .map(|(bounds, shard)| {
            format!(
                "({run}, {shard}, {}, {}, NULL, 'open', 0, 0, 0, 0)",
                store.dialect.optional_text(bounds.after.as_deref()),
                store.dialect.optional_text(bounds.through.as_deref()),
            )
        })
        .collect();
    if !rows.is_empty() {
        driver.batch(&format!(
            "INSERT INTO {} (run, shard, after_key, through_key, at_key, state, units, changed, batches, token) VALUES {}",
            store.shards,
            rows.join(", ")
        ))?;
    }
    driver.batch(&format!(
        "UPDATE {} SET total = {} WHERE run = {run}",
        store.mass,
        optional(total)
    ))
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// It is ours.
    Yes(Held),
    /// Somebody else was faster, or the run is not to be worked on any more.
    No,
}

/// Takes a shard that still is as it was seen and that nobody holds. Where the run is not running yet
/// (again), it is from now on.
///
/// # Errors
/// The database's.
pub(crate) fn claim(
    store: &Store,
    driver: &mut dyn Driver,
    seen: &Seen,
    shard: &Shard,
    owner: &str,
    lease: Duration,
) -> QueryResult<Claimed> {
    let run = &seen.run;
    let Store { mass, shards, .. } = store;
    let take = format!(
        "UPDATE {shards} SET token = token + 1, owner = {}, lease_until = {} \
         WHERE run = {run} AND shard = {} AND token = {} AND batches = {} AND state = 'open' \
         AND (lease_until IS NULL OR lease_until < {}) \
         AND EXISTS (SELECT 1 FROM {mass} m WHERE m.run = {run} AND m.state = 'running')",
        store.literal(owner),
        store.dialect.in_future(lease),
        shard.shard,
        shard.token,
        shard.batches,
        store.dialect.now,
        run = run.run,
    );
    let taken = if run.state == MassState::Running {
        driver.count(&take)?
    } else {
        in_transaction(store, driver, |driver| {
            let changed = driver.count(&format!(
                "UPDATE {mass} SET state = 'running', reason = NULL, throttled_until = NULL, ended_at = NULL, \
                 revision = revision + 1 WHERE run = {} AND revision = {} AND state = '{}'",
                run.run, run.revision, run.state
            ))?;
            if changed != 1 || driver.count(&take)? != 1 {
                return Ok(Verdict::Undo(0));
            }
            driver.batch(&store.mass_event(&run.id, MassState::Running, owner, None))?;
            Ok(Verdict::Keep(1))
        })?
    };
    Ok(match taken {
        1 => Claimed::Yes(Held {
            run: run.run,
            shard: shard.shard,
            token: shard.token + 1,
        }),
        _ => Claimed::No,
    })
}

/// Takes a new token for a shard that is ours: what an earlier session of ours may still be at cannot
/// commit any more. `None` when it is not ours any more.
///
/// # Errors
/// The database's.
pub(crate) fn reclaim(
    store: &Store,
    driver: &mut dyn Driver,
    held: Held,
    lease: Duration,
) -> QueryResult<Option<(Held, Shard)>> {
    // Waits for that session, where it has come as far as its last statement.
    let changed = driver.count(&format!(
        "UPDATE {} SET token = token + 1, lease_until = {} WHERE {}",
        store.shards,
        store.dialect.in_future(lease),
        owned(held),
    ))?;
    let held = Held {
        token: held.token + 1,
        ..held
    };
    let shard = match changed {
        1 => one(store, driver, held.run, held.shard)?,
        _ => None,
    };
    Ok(shard
        .filter(|shard| shard.token == held.token)
        .map(|shard| (held, shard)))
}

/// What holds while a shard is ours.
fn owned(held: Held) -> String {
    let Held { run, shard, token } = held;
    format!("run = {run} AND shard = {shard} AND token = {token} AND state = 'open'")
}

/// The statement that extends a lease; a shard that is not ours any more it leaves alone.
pub(crate) fn extend(store: &Store, held: Held, lease: Duration) -> String {
    format!(
        "UPDATE {} SET lease_until = {} WHERE {}",
        store.shards,
        store.dialect.in_future(lease),
        owned(held)
    )
}

/// The statement that moves the cursor of a shard that is ours, in the transaction of its batch. It
/// touches one row, or the batch has to be rolled back.
pub(crate) fn moving(store: &Store, held: Held, moved: &Moved<'_>) -> String {
    let Moved { before, .. } = moved;
    let (state, lease) = match moved.state {
        ShardState::Open => ("open", store.dialect.in_future(moved.lease)),
        ShardState::Done => ("done", "NULL".to_owned()),
    };
    format!(
        "UPDATE {} SET at_key = {}, state = '{state}', units = {}, changed = {}, batches = {}, \
         lease_until = {lease}, batch = {}, rate = {} WHERE {} AND batches = {}",
        store.shards,
        store.dialect.optional_text(moved.cursor),
        before.units + moved.units,
        before.rows + moved.rows,
        before.batches + 1,
        moved.batch,
        optional(moved.rate.filter(|rate| rate.is_finite())),
        owned(held),
        before.batches,
    )
}

/// As [`moving`], for a database to which several statements go in one message: fails where it touches no
/// row, so that the message ends there. `None` where there is no such way, or nothing to win by it.
pub(crate) fn or_fail(store: &Store, moving: &str) -> Option<String> {
    if store.dialect.pipelined {
        return Some(format!(
            "WITH moved AS ({moving} RETURNING 1) SELECT 1 / COUNT(*) FROM moved"
        ));
    }
    // Of the statement before it in the same message; a subquery with two rows is an error.
    // <https://mariadb.com/kb/en/row_count/>
    (store.dialect.name == "mysql").then(|| {
        format!(
            "{moving};\nSELECT (SELECT 1 UNION ALL SELECT 2 FROM DUAL WHERE ROW_COUNT() <> 1) AS moved"
        )
    })
}

/// The statement that says that a shard is done, where it is ours.
pub(crate) fn finishing(store: &Store, held: Held) -> String {
    format!(
        "UPDATE {} SET state = 'done', lease_until = NULL WHERE {}",
        store.shards,
        owned(held)
    )
}

/// Gives a shard back, where it is ours: open to anybody at once.
///
/// # Errors
/// The database's.
pub(crate) fn give_back(store: &Store, driver: &mut dyn Driver, held: Held) -> QueryResult<()> {
    driver.batch(&format!(
        "UPDATE {} SET lease_until = NULL, owner = NULL, rate = NULL WHERE {}",
        store.shards,
        owned(held)
    ))
}
