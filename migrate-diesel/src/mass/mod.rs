#![doc = include_str!("../docs/mass.md")]

// | file | |
// |---|---|
// | `code.rs` | `MassCode`: a body without its types; `Feed`, what it goes over; `Piece`, a batch |
// | `body.rs`, `typed.rs` | `Takes`: functions that can be a body; as the attribute writes them |
// | `key.rs`, `batch.rs` | `Key` and `Batch`: what a body over a key range gets |
// | `words.rs`, `compare.rs`, `source.rs` | keys in SQL: as text, as literals, compared; batches cut from them |
// | `catalog.rs`, `layout.rs` | the columns of a key; shards |
// | `range.rs`, `each.rs`, `items.rs`, `csv.rs`, `custom.rs`, `simple.rs` | the kinds of bodies |
// | `parameters.rs`, `hooks.rs`, `throttle.rs` | what stands around them |
// | `store/` | the tables of runs, shards and quarantine |
// | `engine/` | workers: claim, batch, heartbeat, split, quarantine, end |
// | `operations.rs` | what the command line and programs call |

mod ahead;
mod batch;
mod body;
mod catalog;
mod code;
mod compare;
#[cfg(feature = "csv")]
mod csv;
mod custom;
pub(crate) mod desk;
pub(crate) mod engine;

mod each;
mod error;
mod hooks;
mod items;
mod key;
mod layout;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod operations;
mod parameters;
mod probe;
mod range;
mod simple;
mod source;
pub(crate) mod store;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
mod throttle;
#[doc(hidden)]
pub mod typed;
mod words;

pub use batch::Batch;
pub use body::{ReturnedRows, Signature, Takes};
pub use catalog::KeyError;
pub use code::{Feed, Masked, MassCode, Opening, Parameters, Piece, Rows, Unit};
#[cfg(feature = "csv")]
#[doc(hidden)]
pub use csv::CsvCode;
#[doc(hidden)]
pub use custom::CustomCode;
pub use custom::{Cursor, Next, ReturnedNext};
#[doc(hidden)]
pub use each::{EachCode, LoadedRow};
pub use engine::ShardEnd;
pub use error::MassError;
pub use hooks::Hook;
#[doc(hidden)]
pub use hooks::{Mourns, OnError, Surrounds};
#[doc(hidden)]
pub use items::{Items, ItemsCode, Source};
pub use key::{Key, KeyPart, PartKind};
pub use migrate_core::mass::{
    MassRun, MassState, QuarantineState, Quarantined, Shard, ShardState, frontend::*,
};
pub use migrate_macros::MassParameters;
pub use parameters::{Field, FieldKind, MASK, MassParameters, ParametersError, Secrecy};
#[doc(hidden)]
pub use range::RangeCode;
#[doc(hidden)]
pub use simple::SimpleCode;
pub use throttle::{Load, LockWaits, Paced, Query, ReplicaLag, Sessions, Throttle};

use std::time::Duration;

use crate::migration::{ConnectionKind, Down};
use migrate_core::mass::{Added, DEFAULT_BATCH, DEFAULT_MAX_FAILURES, MassFacts, MassKind};

/// The part of a [`Migration`](crate::Migration) that only mass migrations have.
pub struct Mass {
    /// The facts.
    pub facts: MassFacts,
    /// The body.
    pub code: &'static dyn MassCode,
    /// Runs in the transaction that lays out the shards.
    pub before: Option<&'static dyn Hook>,
    /// Runs in the transaction that ends the run.
    pub after: Option<&'static dyn Hook>,
    /// Runs after the run has failed, in a transaction of its own.
    pub on_error: Option<&'static dyn Hook>,
    /// What holds it back.
    pub throttle: &'static [&'static dyn Throttle],
}

impl std::fmt::Debug for Mass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mass")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl Mass {
    /// What `#[mass_migration]` writes without any key but those of its kind.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(kind: MassKind, code: &'static dyn MassCode) -> Self {
        Self {
            facts: MassFacts {
                kind,
                batch: DEFAULT_BATCH,
                target: None,
                pause: Duration::ZERO,
                shards: None,
                max_failures: DEFAULT_MAX_FAILURES,
                added: Added::Follow,
            },
            code,
            before: None,
            after: None,
            on_error: None,
            throttle: &[],
        }
    }

    /// The connections that its body and its hooks take.
    pub(crate) fn connections(&self) -> impl Iterator<Item = ConnectionKind> + use<> {
        let hooks = [self.before, self.after, self.on_error];
        std::iter::once(self.code.connection())
            .chain(hooks.into_iter().flatten().map(Hook::connection))
    }

    /// `before = path`
    #[doc(hidden)]
    #[must_use]
    pub const fn before<F: Surrounds<M>, M>(mut self, hook: &'static Down<F, M>) -> Self {
        self.before = Some(hook);
        self
    }

    /// `after = path`
    #[doc(hidden)]
    #[must_use]
    pub const fn after<F: Surrounds<M>, M>(mut self, hook: &'static Down<F, M>) -> Self {
        self.after = Some(hook);
        self
    }

    /// `on_error = path`
    #[doc(hidden)]
    #[must_use]
    pub const fn on_error<F: Mourns<M>, M>(mut self, hook: &'static OnError<F, M>) -> Self {
        self.on_error = Some(hook);
        self
    }

    /// `throttle = [..]`
    #[doc(hidden)]
    #[must_use]
    pub const fn throttle(mut self, signals: &'static [&'static dyn Throttle]) -> Self {
        self.throttle = signals;
        self
    }

    /// `batch = 500`
    #[doc(hidden)]
    #[must_use]
    pub const fn batch(mut self, units: u32) -> Self {
        self.facts.batch = units;
        self
    }

    /// `target = "500ms"`
    #[doc(hidden)]
    #[must_use]
    pub const fn target(mut self, target: Duration) -> Self {
        self.facts.target = Some(target);
        self
    }

    /// `pause = "100ms"`
    #[doc(hidden)]
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.facts.pause = pause;
        self
    }

    /// `shards = 8`
    #[doc(hidden)]
    #[must_use]
    pub const fn shards(mut self, shards: u32) -> Self {
        self.facts.shards = Some(shards);
        self
    }

    /// `max_failures = 10`
    #[doc(hidden)]
    #[must_use]
    pub const fn max_failures(mut self, units: u32) -> Self {
        self.facts.max_failures = units;
        self
    }

    /// `added = ignore`
    #[doc(hidden)]
    #[must_use]
    pub const fn ignore_added(mut self) -> Self {
        self.facts.added = Added::Ignore;
        self
    }
}
