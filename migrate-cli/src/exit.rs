//! Exit codes: what a script may rely on.

use migrate_core::{Failure, FailureKind};

/// Done, or nothing to do.
pub const DONE: u8 = 0;
/// A migration failed, was blocked or is not yet done; or a person said no.
pub const NOT_DONE: u8 = 1;
/// The command line or the configuration is wrong.
pub const USAGE: u8 = 2;
/// Something is pending (`status --exit-code`, `check`).
pub const PENDING: u8 = 3;
/// Code and history disagree.
pub const DISAGREEMENT: u8 = 4;
/// The deploy lock was not obtained in time.
pub const LOCK: u8 = 5;
/// The database cannot be reached.
pub const UNREACHABLE: u8 = 6;

/// The code of a failure.
pub(crate) fn of(failure: &Failure) -> u8 {
    match failure.kind {
        FailureKind::Usage => USAGE,
        FailureKind::Disagreement => DISAGREEMENT,
        FailureKind::Lock => LOCK,
        FailureKind::Unreachable => UNREACHABLE,
        // `FailureKind` may grow; what is not known here was at least not done.
        _ => NOT_DONE,
    }
}
