//! [`History`]: what a database says was done.

use std::{collections::HashMap, fmt, str::FromStr, sync::OnceLock};

use crate::fingerprint::Fingerprint;

/// The state of a migration in one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Not applied yet.
    Pending,
    /// Its body is being run outside a transaction, by a process that is alive.
    Running,
    /// Done, with its effect.
    Applied,
    /// The last attempt ended in an error; the next `up` tries again.
    Failed,
    /// Its body ran outside a transaction and the process died: what it did is unknown until
    /// `resolve` says.
    Interrupted,
    /// The body said `NotYet`; the next `up` tries again.
    Deferred,
}

impl State {
    /// Every state, in the order in which a migration can meet them.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Applied,
        Self::Failed,
        Self::Interrupted,
        Self::Deferred,
    ];

    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Deferred => "deferred",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no [`State`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state")]
pub struct ParseStateError(pub String);

impl FromStr for State {
    type Err = ParseStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| ParseStateError(text.to_owned()))
    }
}

/// One row of the history table.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedMigration {
    /// `package:name`, perhaps a former one (see [`Descriptor::was`](crate::Descriptor::was)).
    pub id: String,
    /// Never [`State::Pending`].
    pub state: State,
    /// Of the body that was run.
    pub fingerprint: Option<Fingerprint>,
    /// How often it was started, counted from 1.
    pub attempt: u32,
    /// The rest, where it was asked for: planning needs none of it.
    pub details: Option<Box<AttemptDetails>>,
}

/// What a row tells beside what planning needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttemptDetails {
    /// When the attempt ended (for a running one, began): RFC 3339, UTC.
    pub at: Option<String>,
    /// How long the body took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// Who ran it: `user@host pid 4711`.
    pub by: Option<String>,
    /// The error of a failed one, the reason of a deferred one.
    pub detail: Option<String>,
}

impl AppliedMigration {
    /// A row with nothing but what planning needs.
    #[must_use]
    pub fn new(id: impl Into<String>, state: State) -> Self {
        Self {
            id: id.into(),
            state,
            fingerprint: None,
            attempt: 1,
            details: None,
        }
    }
}

/// All rows of one database, by id.
#[derive(Clone, Debug, Default)]
pub struct History {
    rows: Vec<AppliedMigration>,
    /// Built when first asked: planning goes through the rows and never needs it.
    by_id: OnceLock<HashMap<String, usize>>,
}

impl History {
    /// From rows in the order in which they were applied. Of two rows with one id (the table's key
    /// forbids it) the later one counts.
    #[must_use]
    pub fn new(rows: Vec<AppliedMigration>) -> Self {
        Self {
            rows,
            by_id: OnceLock::new(),
        }
    }

    /// The row under exactly this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&AppliedMigration> {
        self.rows.get(self.position(id)?)
    }

    /// The rows, in the order in which they were applied.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &AppliedMigration> + ExactSizeIterator {
        self.rows.iter()
    }

    /// The row at a position of the order of application.
    #[must_use]
    pub fn row(&self, position: usize) -> Option<&AppliedMigration> {
        self.rows.get(position)
    }

    /// Position of the row under `id` in the order of application.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        let by_id = self.by_id.get_or_init(|| {
            let rows = self.rows.iter().enumerate();
            rows.map(|(at, row)| (row.id.clone(), at)).collect()
        });
        by_id.get(id).copied()
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing was ever applied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
