//! [`MassState`]: where a run stands, and which changes are legal.

use std::{fmt, str::FromStr};

/// Where a mass migration stands in one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MassState {
    /// There is no run.
    Pending,
    /// A run waits for a worker.
    Enqueued,
    /// Workers are at it.
    Running,
    /// To be paused as soon as every worker has ended its batch.
    Pausing,
    /// A person paused it.
    Paused,
    /// A throttle signal holds it back.
    Throttled,
    /// Its workers are gone; the next one goes on.
    Interrupted,
    /// To be cancelled as soon as every worker has ended its batch.
    Cancelling,
    /// A person cancelled it; what was done stays done.
    Cancelled,
    /// It cannot go on, or rows are left in quarantine.
    Failed,
    /// All shards are done, and nothing is left in quarantine: the migration is applied.
    Succeeded,
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Before.
    pub from: MassState,
    /// After.
    pub to: MassState,
}

use MassState::{
    Cancelled, Cancelling, Enqueued, Failed, Interrupted, Paused, Pausing, Pending, Running,
    Succeeded, Throttled,
};

/// From a state, those that may follow it. The one table: what is not in it is refused everywhere.
const LEGAL: [(MassState, &[MassState]); 11] = [
    (Pending, &[Enqueued]),
    (
        Enqueued,
        // Without rows there is nothing to do, and laying out the shards may fail.
        &[Running, Paused, Cancelled, Failed, Succeeded],
    ),
    (
        Running,
        &[
            Pausing,
            Paused,
            Throttled,
            Interrupted,
            Cancelling,
            Cancelled,
            Failed,
            Succeeded,
        ],
    ),
    // The last batch may have been the last one of all: what is done is done.
    (
        Pausing,
        &[Paused, Running, Cancelling, Cancelled, Failed, Succeeded],
    ),
    (Paused, &[Enqueued, Cancelled]),
    (
        Throttled,
        &[
            Running,
            Pausing,
            Paused,
            Interrupted,
            Cancelling,
            Cancelled,
            Failed,
            Succeeded,
        ],
    ),
    (
        Interrupted,
        &[Running, Enqueued, Paused, Cancelled, Failed, Succeeded],
    ),
    (Cancelling, &[Cancelled, Failed, Succeeded]),
    // `retry` goes on from where it stopped.
    (Cancelled, &[Enqueued]),
    // Also by skipping the last unit in quarantine.
    (Failed, &[Enqueued, Cancelled, Succeeded]),
    (Succeeded, &[]),
];

/// Whether a run may go from `from` to `to`. To stay is no change.
#[must_use]
pub fn legal(from: MassState, to: MassState) -> bool {
    LEGAL
        .iter()
        .any(|(it, next)| *it == from && next.contains(&to))
}

impl MassState {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Pending,
        Enqueued,
        Running,
        Pausing,
        Paused,
        Throttled,
        Interrupted,
        Cancelling,
        Cancelled,
        Failed,
        Succeeded,
    ];

    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Enqueued => "enqueued",
            Self::Running => "running",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Throttled => "throttled",
            Self::Interrupted => "interrupted",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
        }
    }

    /// Whether a worker may take a shard of a run in this state.
    #[must_use]
    pub const fn is_open_to_workers(self) -> bool {
        matches!(
            self,
            Self::Enqueued | Self::Running | Self::Throttled | Self::Interrupted
        )
    }

    /// Whether nothing happens any more before a person says so.
    #[must_use]
    pub const fn is_at_rest(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::Paused | Self::Cancelled | Self::Failed | Self::Succeeded
        )
    }
}

impl fmt::Display for MassState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no [`MassState`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of a mass migration")]
pub struct ParseMassStateError(pub String);

impl FromStr for MassState {
    type Err = ParseMassStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| ParseMassStateError(text.to_owned()))
    }
}
