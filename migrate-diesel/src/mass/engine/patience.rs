//! What passes by itself: a lost connection, a deadlock, a lock that somebody else holds for too long, a disk that is full.
//! It is tried again, and says nothing about the unit that it met.

use std::{
    error::Error as StdError,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use migrate_core::mass::frontend::Stay;

use crate::error::is_connection_loss;

/// After so many attempts in a row a worker gives up, unless it is there to stay; nothing is lost by that.
const ATTEMPTS: u32 = 12;

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(10);

/// Counts attempts, and says how long to wait before the next.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failed: u32,
    stay: Stay,
}

impl Patience {
    /// Of a worker that stays: a server that is away for long does not end it.
    pub(super) fn of(stay: Stay) -> Self {
        Self { failed: 0, stay }
    }

    /// Something went well.
    pub(super) fn restore(&mut self) {
        self.failed = 0;
    }

    /// How long to wait before the next attempt; `None` when there were enough.
    pub(super) fn next(&mut self) -> Option<Duration> {
        if self.failed >= ATTEMPTS && self.stay == Stay::UntilIdle {
            return None;
        }
        self.failed = self.failed.saturating_add(1);
        let longest = FIRST
            .saturating_mul(1 << (self.failed - 1).min(16))
            .min(LONGEST);
        // Between half and all of it, so that those who met do not meet again.
        #[expect(clippy::cast_precision_loss, reason = "a fraction of a wait")]
        let fraction =
            (RandomState::new().hash_one(self.failed) >> 11) as f64 / (1_u64 << 53) as f64;
        Some(longest.mul_f64(0.5 + fraction / 2.0))
    }
}

/// Whether an error passes by itself. Only what the database itself said counts: a text of the same words
/// in an error of the body's own does not.
pub(super) fn passes(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<DieselError>() {
            return database(found);
        }
        next = error.source();
    }
    false
}

/// As [`passes`], of an error of the database.
pub(super) fn database(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(_, said) => {
            let said = said.message().to_lowercase();
            is_connection_loss(error)
                || [
                    "deadlock",
                    "lock wait timeout exceeded",
                    "record has changed since last read",
                    "due to lock timeout",
                    "could not obtain lock",
                    "could not serialize access",
                    "database is locked",
                    "database table is locked",
                    "connection reset",
                    "connection has been closed",
                    "could not send data to server",
                    "could not receive data from server",
                    "broken pipe",
                    // No row's fault, either: a full disk, a primary that has become a standby.
                    "database or disk is full",
                    "no space left on device",
                    "attempt to write a readonly database",
                    "in a read-only transaction",
                    "running with the --read-only",
                ]
                .iter()
                .any(|needle| said.contains(needle))
        }
        DieselError::QueryBuilderError(held) => {
            held.downcast_ref::<DieselError>().is_some_and(database)
        }
        _ => is_connection_loss(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> DieselError {
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text.to_owned()))
    }

    #[test]
    fn what_passes() {
        for text in [
            "deadlock detected",
            "Lock wait timeout exceeded; try restarting transaction",
            "database is locked",
            "terminating connection due to administrator command",
            "database or disk is full",
            "could not extend file \"base/5/16384\": No space left on device",
            "attempt to write a readonly database",
            "cannot execute UPDATE in a read-only transaction",
            "The MariaDB server is running with the --read-only option so it cannot execute this statement",
        ] {
            assert!(database(&said(text)), "{text}");
        }
        assert!(!database(&said("division by zero")));
        assert!(!database(&DieselError::NotFound));
        let own: Box<dyn StdError + Send + Sync> = "deadlock detected".into();
        assert!(!passes(&*own));
    }

    #[test]
    fn waits_grow_and_end() {
        let mut patience = Patience::default();
        let waits: Vec<Duration> = std::iter::from_fn(|| patience.next()).collect();
        assert_eq!(waits.len(), 12);
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
        assert!(waits[11] > waits[0]);
        patience.restore();
        assert!(patience.next().is_some());
    }

    #[test]
    fn who_stays_never_gives_up() {
        let mut patience = Patience::of(Stay::Forever);
        for _ in 0..1_000 {
            assert!(patience.next().is_some_and(|wait| wait <= LONGEST));
        }
    }
}
