//! Runs: read, and begun.

use diesel::{
    QueryResult,
    result::{DatabaseErrorKind, Error as DieselError},
};
use migrate_core::mass::{Live, MassRun, MassState, Shard};

use super::{Verdict, Words, in_transaction, milliseconds, select, shards};
use crate::{
    backend::{Driver, TextRow},
    history::Store,
};

/// Which runs to read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'w> {
    /// Those that are not at their end, of any migration.
    Live,
    /// The newest of each migration.
    Newest,
    /// These.
    Numbered(&'w [i64]),
}

/// A run with everything that decides about it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) run: MassRun,
    /// Not at its end: it succeeded, or was closed.
    pub(crate) is_live: bool,
    /// In order; the work on what is in quarantine (0) is among them once it was asked for.
    pub(crate) shards: Vec<Shard>,
    /// Units in quarantine that are to be settled.
    pub(crate) open_failures: u64,
}

/// Runs in order, each with its shards: two questions, however many there are.
///
/// # Errors
/// The database's; also where there are no tables yet.
pub(crate) fn runs(
    store: &Store,
    driver: &mut dyn Driver,
    which: Which<'_>,
) -> QueryResult<Vec<Seen>> {
    let Store { mass, .. } = store;
    let condition = match which {
        Which::Live => "live IS NOT NULL".to_owned(),
        Which::Newest => {
            format!("run IN (SELECT MAX(newest.run) FROM {mass} newest GROUP BY newest.id)")
        }
        Which::Numbered([]) => return Ok(Vec::new()),
        Which::Numbered(numbers) => {
            let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
            format!("run IN ({})", numbers.join(", "))
        }
    };
    let rows = driver.rows(&reading(store, &condition))?;
    let mut seen: Vec<Seen> = rows.iter().filter_map(parse).collect();
    let numbers: Vec<i64> = seen.iter().map(|it| it.run.run).collect();
    for (run, shard) in shards::read(store, driver, &numbers)? {
        if let Some(seen) = seen.iter_mut().find(|it| it.run.run == run) {
            seen.shards.push(shard);
        }
    }
    Ok(seen)
}

fn reading(store: &Store, condition: &str) -> String {
    let number = |column: &str| store.number(column);
    let words = store.together(&[
        number("run"),
        "state".to_owned(),
        number("revision"),
        number("batch"),
        number("target_ms"),
        number("pause_ms"),
        number("max_failures"),
        number("total"),
        "fingerprint".to_owned(),
        store.moment("created_at"),
        store.moment("started_at"),
        store.moment("ended_at"),
        store.seconds_until("throttled_until"),
        "CASE WHEN live IS NULL THEN 'closed' ELSE 'live' END".to_owned(),
    ]);
    let open = format!(
        "(SELECT COUNT(*) FROM {} q WHERE q.run = m.run AND q.state = 'open')",
        store.quarantine
    );
    select(
        &[
            words,
            "id".to_owned(),
            "reason".to_owned(),
            "parameters".to_owned(),
            "run_by".to_owned(),
            number(&open),
        ],
        &format!("FROM {} m WHERE {condition} ORDER BY run", store.mass),
    )
}

fn parse(row: &TextRow) -> Option<Seen> {
    let mut words = Words::of(row);
    let run = words.number()?;
    let state = words.next().parse().ok()?;
    let revision = words.number()?;
    let batch = words.number()?;
    let target = words.milliseconds();
    let pause = words.milliseconds().unwrap_or_default();
    let live = Live {
        batch,
        target,
        pause,
        max_failures: words.number()?,
    };
    let run = MassRun {
        run,
        id: row.c1.clone()?,
        state,
        reason: row.c2.clone(),
        revision,
        live,
        parameters: row.c3.clone(),
        total: words.number(),
        fingerprint: words.next().to_owned(),
        created_at: words.text()?,
        started_at: words.text(),
        ended_at: words.text(),
        throttled_for: words.ahead(),
        by: row.c4.clone().unwrap_or_default(),
    };
    Some(Seen {
        run,
        is_live: words.next() == "live",
        shards: Vec::new(),
        open_failures: row.c5.as_deref()?.parse().ok()?,
    })
}

/// What a worker asks about its run before each batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glance {
    pub(crate) revision: i64,
}

/// The run's revision; `None` when it is gone.
///
/// # Errors
/// The database's.
pub(crate) fn glance(
    store: &Store,
    driver: &mut dyn Driver,
    run: i64,
) -> QueryResult<Option<Glance>> {
    let rows = driver.rows(&select(
        &[store.number("revision")],
        &format!("FROM {} WHERE run = {run}", store.mass),
    ))?;
    Ok(rows.first().and_then(|row| {
        Some(Glance {
            revision: row.c0.as_deref()?.parse().ok()?,
        })
    }))
}

/// A run to be begun.
#[derive(Clone, Debug)]
pub(crate) struct NewRun<'n> {
    pub(crate) id: &'n str,
    /// The newest run there was when it was decided to begin this one; 0 for none. A later one may have
    /// come to its end since: then nothing is left to do.
    pub(crate) since: i64,
    pub(crate) live: Live,
    /// JSON.
    pub(crate) parameters: Option<&'n str>,
    pub(crate) fingerprint: &'n str,
    pub(crate) by: &'n str,
}

/// Begins a run, enqueued. `false` when somebody else has: that one is live, or was meanwhile.
///
/// # Errors
/// The database's.
pub(crate) fn insert(
    store: &Store,
    driver: &mut dyn Driver,
    new: &NewRun<'_>,
) -> QueryResult<bool> {
    let NewRun { id, live, .. } = new;
    let inserted = in_transaction(store, driver, |driver| {
        let begun = driver.count(&format!(
            "INSERT INTO {mass} (id, live, state, reason, revision, batch, target_ms, pause_ms, max_failures, parameters, \
             fingerprint, created_at, run_by) SELECT {id}, {id}, 'enqueued', NULL, 1, {}, {}, {}, {}, {}, {}, {}, {} \
             FROM (SELECT 1 AS n) one \
             WHERE NOT EXISTS (SELECT 1 FROM {mass} later WHERE later.id = {id} AND later.run > {})",
            live.batch,
            milliseconds(live.target),
            milliseconds(Some(live.pause)),
            live.max_failures,
            store.dialect.optional_text(new.parameters),
            store.literal(new.fingerprint),
            store.dialect.now,
            store.literal(new.by),
            new.since,
            id = store.literal(id),
            mass = store.mass,
        ))?;
        if begun != 1 {
            return Ok(Verdict::Undo(false));
        }
        driver.batch(&store.mass_event(id, MassState::Enqueued, new.by, None))?;
        Ok(Verdict::Keep(true))
    });
    match inserted {
        Ok(begun) => Ok(begun),
        Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A statement that fails when the run is not as it was seen any more, to travel before a batch.
pub(crate) fn unchanged(store: &Store, run: &MassRun) -> String {
    format!(
        "SELECT 1 / COUNT(*) FROM {} WHERE run = {} AND revision = {}",
        store.mass, run.run, run.revision
    )
}

/// The statement that makes the workers of a run look at it again.
pub(crate) fn touching(store: &Store, run: i64) -> String {
    format!(
        "UPDATE {} SET revision = revision + 1 WHERE run = {run}",
        store.mass
    )
}

/// The statement that says in the history that the migration of a run is applied: what guards and
/// requirements read. Where a person has marked it meanwhile, it stays as it is.
pub(crate) fn applied_row(store: &Store, run: &MassRun, id: &str, by: &str) -> String {
    let id = store.literal(id);
    format!(
        "INSERT INTO {history} (id, state, fingerprint, attempt, started_at, ended_at, duration_ms, run_by) \
         SELECT {id}, 'applied', m.fingerprint, 1, COALESCE(m.started_at, m.created_at), {}, 0 - {} * 1000, {} \
         FROM {} m WHERE m.run = {} AND NOT EXISTS (SELECT 1 FROM {history} h WHERE h.id = {id})",
        store.dialect.now,
        store
            .dialect
            .seconds_until
            .replace("{}", "COALESCE(m.started_at, m.created_at)"),
        store.literal(by),
        store.mass,
        run.run,
        history = store.history,
    )
}
