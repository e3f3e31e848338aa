//! Mass migrations: the engine. What the words mean is in [`migrate_core::mass`].
//!
//! | file | |
//! |---|---|
//! | `code.rs` | [`MassCode`]: a body without its types; [`Feed`], what it goes over; [`Piece`], a batch |
//! | `key.rs`, `batch.rs` | [`Key`] and [`Batch`]: what a body over a key range gets |
//! | `range.rs`, `each.rs`, `items.rs`, `custom.rs`, `simple.rs` | the kinds of bodies |
//! | `store/` | the tables of runs, shards and quarantine |
//! | `engine/` | workers: claim, batch, heartbeat, split, quarantine, end |
//! | `operations.rs` | what the command line and programs call |

mod batch;
mod body;
mod code;
mod compare;
pub(crate) mod desk;
mod error;
mod key;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod operations;
mod parameters;
mod range;
mod source;
pub(crate) mod store;
mod words;

pub use batch::Batch;
pub use body::{ReturnedRows, Signature, Takes};
pub use code::{Feed, Masked, MassCode, Opening, Parameters, Piece, Rows, Unit};
pub use error::MassError;
pub use key::{Key, KeyPart, PartKind};
pub use parameters::{Field, FieldKind, MASK, MassParameters, ParametersError, Secrecy};
#[doc(hidden)]
pub use range::RangeCode;

use std::time::Duration;

use migrate_core::mass::{Added, DEFAULT_BATCH, DEFAULT_MAX_FAILURES, MassFacts, MassKind};

/// The part of a [`Migration`](crate::Migration) that only mass migrations have.
pub struct Mass {
    /// The facts.
    pub facts: MassFacts,
    /// The body.
    pub code: &'static dyn MassCode,
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
        }
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
