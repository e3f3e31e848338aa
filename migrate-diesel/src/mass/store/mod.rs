//! The tables of mass migrations: runs, shards, quarantine. Functions that build and run statements;
//! what to do is decided elsewhere.
//!
//! Every write says what it relies on, and tells whether that still held: a run is changed only at the
//! revision that was seen, a shard only with the token that is its owner's. Times come from the
//! database's clock. A change of a run's state is an event of the history's log as well.

mod closing;
mod orders;
mod quarantine;
mod runs;
mod shards;

use std::time::Duration;

use diesel::QueryResult;
use migrate_core::mass::MassState;

use crate::{
    backend::{Driver, TextRow},
    history::Store,
};

pub(crate) use orders::{
    Again, Change, Ordered, applied, hold_longer, interrupted, make, order, set,
};
pub(crate) use quarantine::{
    Unsettled, failing_again, failures, next_unsettled, putting, resolving, skip,
};
pub(crate) use runs::{
    NewRun, Seen, Which, applied_row, glance, insert, runs, touching, unchanged,
};
pub(crate) use shards::{
    Bounds, Claimed, Held, Moved, begin_layout, claim, extend, finishing, give_back, lay_out,
    moving, one, or_fail, reclaim,
};

/// A statement that selects six texts, the last `6 - columns.len()` of them NULL.
fn select(columns: &[String], rest: &str) -> String {
    let mut list: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| format!("{column} AS c{at}"))
        .collect();
    list.extend((columns.len()..6).map(|at| format!("NULL AS c{at}")));
    format!("SELECT {} {rest}", list.join(", "))
}

impl Store {
    /// Numbers and words without tabs as one text: a row has six texts only.
    fn together(&self, columns: &[String]) -> String {
        let columns: Vec<String> = columns
            .iter()
            .map(|column| format!("COALESCE({column}, '')"))
            .collect();
        self.dialect.tabbed.replace("{}", &columns.join(", "))
    }

    fn number(&self, column: &str) -> String {
        self.dialect.number_as_text.replace("{}", column)
    }

    fn moment(&self, column: &str) -> String {
        self.dialect.timestamp_as_text.replace("{}", column)
    }

    fn seconds_until(&self, column: &str) -> String {
        self.number(&self.dialect.seconds_until.replace("{}", column))
    }

    fn literal(&self, text: &str) -> String {
        (self.dialect.text)(text)
    }

    /// The event that says that a run is in another state now.
    fn mass_event(&self, id: &str, state: MassState, by: &str, detail: Option<&str>) -> String {
        self.mass_note(id, state.as_str(), by, detail)
    }

    /// Any event of a run.
    fn mass_note(&self, id: &str, event: &str, by: &str, detail: Option<&str>) -> String {
        format!(
            "INSERT INTO {} (id, event, at, attempt, duration_ms, run_by, detail) VALUES ({}, '{event}', {}, 1, NULL, {}, {})",
            self.log,
            self.literal(id),
            self.dialect.now,
            self.literal(by),
            self.dialect.optional_text(detail),
        )
    }
}

/// Runs `work` in a transaction of its own; what it says decides whether it stays.
pub(crate) fn in_transaction<T>(
    store: &Store,
    driver: &mut dyn Driver,
    work: impl FnOnce(&mut dyn Driver) -> QueryResult<Verdict<T>>,
) -> QueryResult<T> {
    driver.batch(store.dialect.begin)?;
    driver.set_depth(1);
    let done = work(driver).and_then(|verdict| match verdict {
        Verdict::Keep(value) => driver.batch(store.dialect.commit).map(|()| (value, true)),
        Verdict::Undo(value) => Ok((value, false)),
    });
    match done {
        Ok((value, true)) => {
            driver.set_depth(0);
            Ok(value)
        }
        Ok((value, false)) => {
            driver.batch(store.dialect.rollback)?;
            driver.set_depth(0);
            Ok(value)
        }
        Err(error) => {
            roll_back(store, driver);
            Err(error)
        }
    }
}

/// What becomes of a transaction.
pub(crate) enum Verdict<T> {
    Keep(T),
    Undo(T),
}

/// Rolls back what may be open. A connection that is broken stays so.
pub(crate) fn roll_back(store: &Store, driver: &mut dyn Driver) {
    if driver.depth().is_err() {
        return;
    }
    // There may be nothing to roll back: the error that counts is the first.
    if let Err(error) = driver.batch(store.dialect.rollback) {
        tracing::debug!(%error, "nothing to roll back");
    }
    driver.set_depth(0);
}

/// Words that were put together.
struct Words<'w>(std::str::Split<'w, char>);

impl<'w> Words<'w> {
    fn of(row: &'w TextRow) -> Self {
        Self(row.c0.as_deref().unwrap_or_default().split('\t'))
    }

    fn next(&mut self) -> &'w str {
        self.0.next().unwrap_or_default()
    }

    fn text(&mut self) -> Option<String> {
        Some(self.next().to_owned()).filter(|text| !text.is_empty())
    }

    fn number<N: std::str::FromStr>(&mut self) -> Option<N> {
        self.next().parse().ok()
    }

    /// A point in time as the distance to it; `None` when it has passed, or is none.
    fn ahead(&mut self) -> Option<Duration> {
        let seconds: f64 = self.number()?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn milliseconds(&mut self) -> Option<Duration> {
        let milliseconds: f64 = self.number()?;
        Duration::try_from_secs_f64(milliseconds / 1_000.0).ok()
    }
}

/// Milliseconds as a number, or NULL.
fn milliseconds(duration: Option<Duration>) -> String {
    duration.map_or_else(
        || "NULL".to_owned(),
        |it| format!("{:.3}", it.as_secs_f64() * 1_000.0),
    )
}

fn optional(number: Option<impl std::fmt::Display>) -> String {
    number.map_or_else(|| "NULL".to_owned(), |it| it.to_string())
}
