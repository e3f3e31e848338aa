//! [`Batch`]: a range of keys in the hands of a body.

use std::{fmt, ops::RangeInclusive};

use super::key::Key;
use crate::backend::Dialect;

/// A range of keys, both ends included: what one call of the body is to work on, in one transaction.
///
/// Every row whose key lies in it belongs to this batch and to no other one. For a key of several
/// columns "between" is the order of the index, as with `(a, b) BETWEEN (1, 'x') AND (2, 'y')`;
/// [`filter`](Self::filter) writes it so that every database uses its index.
pub struct Batch<K> {
    pub(crate) first: K,
    pub(crate) last: K,
    pub(crate) size: u64,
    pub(crate) columns: Vec<String>,
    pub(crate) dialect: &'static Dialect,
}

impl<K: Key> Batch<K> {
    /// The lowest key in it.
    #[must_use]
    pub fn first(&self) -> &K {
        &self.first
    }

    /// The highest key in it.
    #[must_use]
    pub fn last(&self) -> &K {
        &self.last
    }

    /// How many rows it had when it was cut.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Both ends.
    #[must_use]
    pub fn range(&self) -> RangeInclusive<K> {
        self.first.clone()..=self.last.clone()
    }
}

impl<K: fmt::Debug> fmt::Debug for Batch<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("first", &self.first)
            .field("last", &self.last)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
