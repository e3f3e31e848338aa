//! What a plan did when it was run and rolled back: `up --dry-run`.

use std::time::Duration;

use crate::error::Failure;

/// How a step of a plan went that was rolled back afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// Its body ran.
    Ran(Rehearsed),
    /// It was not run, or stopped before the database saw it. Why: one clause, lower case, no full stop.
    NotShown(String),
}

/// A step that was run and rolled back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsed {
    /// What reached the database, views included; not what migrate itself asks or records.
    pub statements: Vec<Statement>,
    /// Of all of it.
    pub duration: Duration,
    /// How many rows it inserted, updated and deleted in all, where the database tells: Diesel does
    /// not say it of each statement.
    pub rows: Option<u64>,
    /// Why it said `NotYet`, if so; nothing of it would stay.
    pub deferred: Option<String>,
}

/// A statement, or several that travelled as one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// As it was sent; where it has parameters, they follow as Diesel shows them: `-- binds: [1]`.
    pub sql: String,
    /// Until the answer was there; `None` where none came.
    pub duration: Option<Duration>,
}

/// What a rehearsal says beside its steps.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Rehearsals {
    /// Before the first step: views that are missing.
    pub before: Vec<Statement>,
    /// After the last step: views that changed.
    pub after: Vec<Statement>,
    /// Why nothing could be run, if so.
    pub not_shown: Option<String>,
    /// Why it stopped; the steps say how far it came.
    pub failure: Option<Failure>,
}
