//! The history store: what was done, in eight tables of the database itself.
//!
//! `migrate_history` has a row per migration that was started. A row is also the event of its
//! application: when it goes (reverted, tried again), it is copied to `migrate_history_log` first,
//! so that the log is complete without a second write per migration. `migrate_history_steps` has
//! the finished steps of bodies that are no single transaction, `migrate_history_views` the views that
//! are in the database, `migrate_history_meta` the version of all eight. One module; the dialects differ in values.
//! `migrate_history_mass`, `_shards` and `_quarantine` belong to [mass migrations](crate::mass).

mod claim;
mod notes;
mod record;
mod schema;
mod views;

use std::str::FromStr as _;

use diesel::QueryResult;
use migrate_core::{AppliedMigration, AttemptDetails, History, State, report::LogEntry};

use crate::{
    backend::{Dialect, Driver, ImplicitCommit, TextRow},
    error::Error,
};

pub(crate) use claim::{Again, Claim, Ending, REVERT_ANNOUNCED, REVERT_BEGUN};
pub(crate) use record::Recorded;
pub(crate) use schema::{WITH_MASS, WITH_VIEWS};
pub(crate) use views::{RecordedView, RecordedViews};

/// The history tables of one configured name, in one dialect's words.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) dialect: &'static Dialect,
    /// As configured.
    pub(crate) table: String,
    pub(crate) history: String,
    pub(crate) log: String,
    steps: String,
    meta: String,
    views: String,
    pub(crate) mass: String,
    pub(crate) shards: String,
    pub(crate) quarantine: String,
}

/// What a `running` row means to who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// We hold the lock (or nobody does), so that the process that wrote it is dead.
    Settled,
    /// Somebody holds the lock: it may be alive.
    Live,
}

impl Store {
    pub(crate) fn new(dialect: &'static Dialect, table: &str) -> Result<Self, Error> {
        check_table_name(dialect, table)?;
        let name = |suffix: &str| dialect.identifier(&format!("{table}{suffix}"));
        Ok(Self {
            dialect,
            table: table.to_owned(),
            history: name(""),
            log: name("_log"),
            steps: name("_steps"),
            meta: name("_meta"),
            views: name("_views"),
            mass: name("_mass"),
            shards: name("_shards"),
            quarantine: name("_quarantine"),
        })
    }

    /// The history, with what planning needs; empty where the tables do not exist yet.
    pub(crate) fn read(&self, driver: &mut dyn Driver, sight: Sight) -> Result<Read, Error> {
        let rows = match self.lines(driver)? {
            Some(rows) => rows,
            None => {
                return Ok(Read {
                    history: History::default(),
                    tables: Tables::Absent,
                    version: 0,
                    running: false,
                });
            }
        };
        if rows.first().is_some_and(|row| row.c2.is_some()) {
            return Err(self.half_restored());
        }
        let version = self.check_version(rows.first().and_then(|row| row.c0.as_deref()))?;
        let mut running = false;
        let mut read: Vec<(u64, AppliedMigration)> = Vec::new();
        for line in rows
            .iter()
            .filter_map(|row| row.c1.as_deref())
            .flat_map(str::lines)
        {
            let Some((sequence, row, is_running)) = parse_line(line, sight) else {
                continue;
            };
            running |= is_running;
            read.push((sequence, row));
        }
        // They come in order as a rule, but no database promises it.
        read.sort_by_key(|(sequence, _)| *sequence);
        let read = read.into_iter().map(|(_, row)| row).collect();
        Ok(Read {
            history: History::new(read),
            tables: Tables::Present,
            version,
            running,
        })
    }

    /// The rows of [`reading`](Self::reading); `None` where the tables do not exist yet.
    fn lines(&self, driver: &mut dyn Driver) -> Result<Option<Vec<TextRow>>, Error> {
        let error = match driver.rows(&self.reading()) {
            Ok(rows) if !rows.is_empty() => return Ok(Some(rows)),
            Ok(_) => None,
            Err(error) => Some(error),
        };
        if self.inspect(driver, error.as_ref())? == Tables::Absent {
            return Ok(None);
        }
        // They are there now: somebody made them meanwhile, or (without a version yet) is about to.
        let doing = format!("read the history table `{}`", self.table);
        let rows = driver
            .rows(&self.reading())
            .map_err(Error::database(doing))?;
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    /// The statement that reads the history: the version, and a line per row.
    fn reading(&self) -> String {
        let Self { history, meta, .. } = self;
        // What MySQL would roll back leaves no mark in `detail`: see the table in `claim`.
        let state = format!(
            "CASE WHEN state <> 'running' THEN state WHEN detail IS NULL THEN 'begun' \
             WHEN detail = '{REVERT_ANNOUNCED}' THEN 'announced' ELSE state END"
        );
        let number = |column: &str| self.dialect.number_as_text.replace("{}", column);
        let (sequence, attempt) = (number("sequence"), number("attempt"));
        let line = self.dialect.tabbed.replace(
            "{}",
            &format!("{sequence}, id, {state}, {attempt}, COALESCE(fingerprint, '')"),
        );
        let nothing = "NULL AS c3, NULL AS c4, NULL AS c5";
        // Where a restore that was broken off could not be rolled back.
        let half = match self.dialect.implicit_commit {
            ImplicitCommit::OnDdl => self.half_restored_sql(),
            ImplicitCommit::Never => "NULL".to_owned(),
        };
        let nothing = format!("{half} AS c2, {nothing}");
        let version = "m.name = 'schema_version'";
        if self.dialect.all_lines.is_empty() {
            return format!(
                "SELECT m.value AS c0, {line} AS c1, {nothing} FROM {meta} m LEFT JOIN {history} h ON 1 = 1 \
                 WHERE {version}"
            );
        }
        let lines = self
            .dialect
            .all_lines
            .replace("{line}", &line)
            .replace("{table}", history);
        format!("SELECT m.value AS c0, {lines} AS c1, {nothing} FROM {meta} m WHERE {version}")
    }

    /// The history with every detail.
    pub(crate) fn details(&self, driver: &mut dyn Driver, sight: Sight) -> Result<History, Error> {
        let read = self.read(driver, sight)?;
        if read.tables == Tables::Absent {
            return Ok(read.history);
        }
        let dialect = self.dialect;
        let rows = driver
            .rows(&format!(
                "SELECT id AS c0, {} AS c1, {} AS c2, run_by AS c3, detail AS c4, NULL AS c5 FROM {} ORDER BY sequence",
                dialect.timestamp_as_text.replace("{}", "COALESCE(ended_at, started_at)"),
                dialect.number_as_text.replace("{}", "duration_ms"),
                self.history,
            ))
            .map_err(Error::database(format!("read the history table `{}`", self.table)))?;
        let mut details: std::collections::HashMap<String, TextRow> = rows
            .into_iter()
            .filter_map(|row| Some((row.c0.clone()?, row)))
            .collect();
        let rows = read.history.iter().cloned().map(|mut row| {
            if let Some(detail) = details.remove(&row.id) {
                row.details = Some(Box::new(AttemptDetails {
                    at: detail.c1.map(to_milliseconds),
                    duration_ms: detail.c2.and_then(|text| text.parse().ok()),
                    by: detail.c3,
                    detail: detail.c4,
                }));
            }
            row
        });
        Ok(History::new(rows.collect()))
    }

    /// The newest `limit` events, oldest first: the log and, of what was not copied there, the history.
    pub(crate) fn log(
        &self,
        driver: &mut dyn Driver,
        limit: usize,
    ) -> Result<Vec<LogEntry>, Error> {
        if self.read(driver, Sight::Live)?.tables == Tables::Absent {
            return Ok(Vec::new());
        }
        let dialect = self.dialect;
        let at = |column: &str| dialect.timestamp_as_text.replace("{}", column);
        let number = |column: &str| dialect.number_as_text.replace("{}", column);
        let rows = driver
            .rows(&format!(
                "SELECT c0, c1, c2, c3, c4, c5 FROM (\
                 SELECT {} AS c0, id AS c1, event AS c2, run_by AS c3, {} AS c4, detail AS c5, sequence AS c6, 1 AS c7 FROM {} \
                 UNION ALL \
                 SELECT {} AS c0, id AS c1, state AS c2, run_by AS c3, {} AS c4, detail AS c5, sequence AS c6, 2 AS c7 FROM {} \
                 WHERE state = 'applied') events ORDER BY c0 DESC, c7 DESC, c6 DESC LIMIT {limit}",
                at("at"),
                number("duration_ms"),
                self.log,
                at("COALESCE(ended_at, started_at)"),
                number("duration_ms"),
                self.history,
            ))
            .map_err(Error::database(format!("read the log table `{}_log`", self.table)))?;
        let mut entries: Vec<LogEntry> = rows.into_iter().map(log_entry).collect();
        entries.reverse();
        Ok(entries)
    }

    /// Steps that earlier attempts of a migration finished.
    pub(crate) fn finished_steps(
        &self,
        driver: &mut dyn Driver,
        id: &str,
    ) -> QueryResult<Vec<String>> {
        let rows = driver.rows(&format!(
            "SELECT step AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM {} WHERE id = {}",
            self.steps,
            (self.dialect.text)(id)
        ))?;
        Ok(rows.into_iter().filter_map(|row| row.c0).collect())
    }

    /// The row of one migration, with its detail: state, detail, who.
    pub(crate) fn row(&self, driver: &mut dyn Driver, id: &str) -> QueryResult<Option<Row>> {
        let rows = driver.rows(&format!(
            "SELECT state AS c0, detail AS c1, run_by AS c2, {} AS c3, NULL AS c4, NULL AS c5 FROM {} WHERE id = {}",
            self.dialect.number_as_text.replace("{}", "attempt"),
            self.history,
            (self.dialect.text)(id)
        ))?;
        Ok(rows.into_iter().next().and_then(|row| {
            Some(Row {
                state: row.c0?,
                detail: row.c1,
                by: row.c2.unwrap_or_default(),
                attempt: row.c3?.parse().ok()?,
            })
        }))
    }
}

/// One row, as stored.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) state: String,
    pub(crate) detail: Option<String>,
    pub(crate) by: String,
    pub(crate) attempt: u32,
}

/// What reading gave.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) history: History,
    pub(crate) tables: Tables,
    /// Of the tables.
    pub(crate) version: u32,
    /// Whether a row says `running`.
    pub(crate) running: bool,
}

/// Whether the history tables are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tables {
    /// They are.
    Present,
    /// Not, or not all of them.
    Absent,
}

/// A line of [`Store::reading`]: place, id, state, attempt, fingerprint.
fn parse_line(line: &str, sight: Sight) -> Option<(u64, AppliedMigration, bool)> {
    let mut words = line.split('\t');
    let sequence = words.next()?.parse().ok()?;
    let (id, state) = (words.next()?, words.next()?);
    let (state, running) = state_of(state, sight);
    let row = AppliedMigration {
        attempt: words.next()?.parse().unwrap_or(1),
        fingerprint: words.next().and_then(|text| text.parse().ok()),
        ..AppliedMigration::new(id, state)
    };
    Some((sequence, row, running))
}

/// The state that a stored word means, and whether it said `running`.
fn state_of(word: &str, sight: Sight) -> (State, bool) {
    match (word, sight) {
        ("running" | "begun" | "announced", Sight::Live) => (State::Running, true),
        ("running", Sight::Settled) => (State::Interrupted, true),
        // Its process died before anything became permanent.
        ("begun", Sight::Settled) => (State::Failed, true),
        ("announced", Sight::Settled) => (State::Applied, true),
        (word, _) => (State::from_str(word).unwrap_or(State::Interrupted), false),
    }
}

fn log_entry(row: TextRow) -> LogEntry {
    LogEntry {
        at: row.c0.map(to_milliseconds).unwrap_or_default(),
        id: row.c1.unwrap_or_default(),
        event: row.c2.unwrap_or_default(),
        by: row.c3.unwrap_or_default(),
        duration_ms: row.c4.and_then(|text| text.parse().ok()),
        detail: row.c5,
    }
}

/// `2026-11-20T09:30:00.123456Z` with three digits: the others are for the order alone.
fn to_milliseconds(mut at: String) -> String {
    if at.len() > 24 && at.is_ascii() {
        at.truncate(23);
        at.push('Z');
    }
    at
}

fn check_table_name(dialect: &Dialect, table: &str) -> Result<(), Error> {
    let parts: Vec<&str> = table.split('.').collect();
    let well_formed = parts.len() <= 2
        && parts.iter().all(|part| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|char| char.is_alphanumeric() || char == '_' || char == '$')
        });
    if !well_formed {
        return Err(Error::Setting(format!(
            "`{table}` cannot name the history table: letters, digits and `_`, perhaps after a schema and a dot"
        )));
    }
    // The longest of the names derived from it.
    let longest = parts.last().map_or(0, |name| name.len()) + "_quarantine".len();
    if longest > dialect.longest_name {
        return Err(Error::Setting(format!(
            "`{table}` is too long for the history table: {} allows {} bytes, and `_quarantine` is put after it",
            dialect.name, dialect.longest_name
        )));
    }
    Ok(())
}
