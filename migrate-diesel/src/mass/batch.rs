//! [`Batch`]: a range of keys in the hands of a body.

use std::{fmt, ops::RangeInclusive};

use super::{compare::between, key::Key, words::column};
use crate::{backend::Dialect, migration::BoxError};

/// A range of keys, both ends included: what one call of the body is to work on, in one transaction.
///
/// Every row whose key lies in it belongs to this batch and to no other one. For a key of several
/// columns "between" is the order of the index, as with `(a, b) BETWEEN (1, 'x') AND (2, 'y')`;
/// [`filter`](Self::filter) writes it so that every database uses its index.
pub struct Batch<K> {
    first: K,
    last: K,
    first_texts: Vec<String>,
    last_texts: Vec<String>,
    size: u64,
    columns: Vec<String>,
    dialect: &'static Dialect,
}

impl<K: Key> Batch<K> {
    /// From the texts of its ends.
    pub(crate) fn new(
        first: Vec<String>,
        last: Vec<String>,
        size: u64,
        columns: &[String],
        dialect: &'static Dialect,
    ) -> Result<Self, BoxError> {
        Ok(Self {
            first: K::parse(&first)?,
            last: K::parse(&last)?,
            first_texts: first,
            last_texts: last,
            size,
            columns: columns.to_vec(),
            dialect,
        })
    }

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

    /// The columns of the key, in order.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// SQL that is true for the rows of this batch, to stand after `WHERE` or `AND`: with the columns of
    /// the key as they are called in the table, and compared as this database's index compares.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] mod example {
    /// # use migrate_diesel::{mass::Batch, prelude::*};
    /// fn close_lines(db: &mut SqliteConnection, batch: &Batch<(i64, i32)>) -> QueryResult<usize> {
    ///     diesel::sql_query(format!("UPDATE lines SET open = 0 WHERE {}", batch.filter())).execute(db)
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn filter(&self) -> String {
        self.filtered(|name| column(self.dialect, name))
    }

    /// As [`filter`](Self::filter), where the table has another name in the statement:
    /// `FROM orders AS o JOIN .. WHERE {batch.filter_of("o")}`.
    #[must_use]
    pub fn filter_of(&self, alias: &str) -> String {
        let alias = column(self.dialect, alias);
        self.filtered(|name| format!("{alias}.{}", column(self.dialect, name)))
    }

    fn filtered(&self, column: impl Fn(&String) -> String) -> String {
        let columns: Vec<_> = self.columns.iter().map(column).collect();
        let condition = between(
            self.dialect,
            &columns,
            K::PARTS,
            &self.first_texts,
            &self.last_texts,
        );
        format!("({condition})")
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
