//! [`Dialect`]: the words in which the databases differ.

use std::time::{Duration, SystemTime};

/// Whether a database ends transactions by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImplicitCommit {
    /// DDL is part of a transaction.
    Never,
    /// DDL commits what came before it.
    OnDdl,
}

/// The words in which the databases differ.
#[derive(Debug)]
pub struct Dialect {
    /// `sqlite`, `postgres`, `mysql`.
    pub name: &'static str,
    /// Whether DDL is part of a transaction.
    pub implicit_commit: ImplicitCommit,
    /// Whether several statements cost one round trip, so that it pays to send them together.
    pub pipelined: bool,
    /// Begins the transaction of a step.
    pub begin: &'static str,
    /// Ends it well.
    pub commit: &'static str,
    /// Ends it badly.
    pub rollback: &'static str,
    /// Marks the inside of a step's transaction, to notice that a body ended it; empty where that
    /// costs more than it is worth.
    pub mark: &'static str,
    /// Takes the mark away; fails when the transaction is not the one that was begun.
    pub unmark: &'static str,
    /// A key of up to 255 characters, compared byte by byte.
    pub key_type: &'static str,
    /// A column that counts rows in the order in which they came.
    pub sequence_column: &'static str,
    /// A point in time with microseconds: what ends in one millisecond has an order, too.
    pub timestamp_type: &'static str,
    /// A floating-point number of eight bytes.
    pub double_type: &'static str,
    /// What follows the closing parenthesis of a table.
    pub table_options: &'static str,
    /// Quotes an identifier's part.
    pub identifier_quote: char,
    /// A text literal of anything.
    pub text: fn(&str) -> String,
    /// `{}` is a column: it as text, for a number.
    pub number_as_text: &'static str,
    /// `{}` is a column: it as RFC 3339 text.
    pub timestamp_as_text: &'static str,
    /// Joins the texts `{line}` of all rows of `{table}` by line feeds: one long text is read several times faster than thousands of rows. Empty where the length of
    /// such a text is limited.
    pub all_lines: &'static str,
    /// Joins texts by tabs; `{}` are they, with commas between.
    pub tabbed: &'static str,
    /// Longest name of a table.
    pub longest_name: usize,
    /// The time of this moment, also within a transaction.
    pub now: &'static str,
    /// The time in `{}` seconds.
    pub later: &'static str,
    /// Seconds until the time in the column `{}`, as a number; negative where it has passed.
    pub seconds_until: &'static str,
    /// Whether `(a, b) > (x, y)` is answered by an index on `(a, b)`.
    pub row_values: RowValues,
    /// Readies the session of a worker of mass migrations: statements see what others committed.
    pub read_committed: &'static str,
}

/// Whether an index answers a comparison of row values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowValues {
    /// It does.
    Indexed,
    /// They have to be written out: `a >= x AND (a > x OR b > y)`.
    Spelled,
}

impl Dialect {
    /// `name` in quotes; of `schema.name` each part for itself.
    #[must_use]
    pub fn identifier(&self, name: &str) -> String {
        let quote = self.identifier_quote;
        let part = |part: &str| {
            format!(
                "{quote}{}{quote}",
                part.replace(quote, &format!("{quote}{quote}"))
            )
        };
        name.split('.').map(part).collect::<Vec<_>>().join(".")
    }

    /// A text literal, or NULL.
    #[must_use]
    pub fn optional_text(&self, text: Option<&str>) -> String {
        text.map_or_else(|| "NULL".to_owned(), self.text)
    }

    /// A literal of a point in time.
    #[must_use]
    pub fn timestamp(&self, time: SystemTime) -> String {
        format!("'{}'", self.timestamp_text(time))
    }

    /// The time at which `span` from now is over, by the database's clock.
    #[must_use]
    pub fn in_future(&self, span: Duration) -> String {
        self.later
            .replace("{}", &format!("{:.3}", span.as_secs_f64()))
    }

    /// A point in time as the column takes it.
    #[must_use]
    pub fn timestamp_text(&self, time: SystemTime) -> String {
        let text = humantime::format_rfc3339_micros(time).to_string();
        match self.implicit_commit {
            // MySQL's DATETIME has no zone; ours are UTC throughout.
            ImplicitCommit::OnDdl => text.trim_end_matches('Z').replace('T', " "),
            ImplicitCommit::Never => text,
        }
    }
}

/// A standard literal: quotes doubled. Zero bytes, which no text column holds, are left out.
#[cfg(any(feature = "sqlite", feature = "postgres", test))]
pub(crate) fn standard_text(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_close() {
        assert_eq!(standard_text("it's\0"), "'it''s'");
    }
}
