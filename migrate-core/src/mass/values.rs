//! Rules on what is written at a mass migration, checked while compiling, on the value's span.

use crate::sql::{NameFault, QueryFault, Schema, name_fault, query_fault, refuse};

/// More shards than anybody has processors for; each costs a row and a claim.
const MOST_SHARDS: u32 = 10_000;

/// Checks `table = ".."`.
///
/// # Panics
/// With the rule that was broken: as for the name of a view.
#[track_caller]
pub const fn check_table(name: &str) {
    refuse(match name_fault(name, Schema::Allowed) {
        None => None,
        Some(NameFault::Empty) => Some("the name of a table cannot be empty"),
        Some(NameFault::Quotes) => Some(
            "the name of a table is written without quotes; they are added where it needs them",
        ),
        Some(NameFault::Control) => Some("the name of a table has no control characters"),
        Some(NameFault::Blank) => Some("the name of a table neither begins nor ends with a blank"),
        Some(NameFault::EmptyPart) => {
            Some("the name of a table is `name` or `schema.name`, and neither part is empty")
        }
        Some(NameFault::Long) => {
            Some("the name of a table can have at most 63 bytes, and its schema as many")
        }
        Some(NameFault::Parts) => {
            Some("the name of a table is `name` or `schema.name`: one dot at most")
        }
    });
}

/// Checks `key = ".."`, or one of `key = [..]`.
///
/// # Panics
/// With the rule that was broken.
#[track_caller]
pub const fn check_column(name: &str) {
    refuse(match name_fault(name, Schema::No) {
        None => None,
        Some(NameFault::Quotes) => Some(
            "the name of a column is written without quotes; they are added where it needs them",
        ),
        Some(NameFault::Control) => Some("the name of a column has no control characters"),
        Some(NameFault::Blank) => Some("the name of a column neither begins nor ends with a blank"),
        Some(NameFault::Long) => Some("the name of a column can have at most 63 bytes"),
        Some(NameFault::Empty) | Some(NameFault::EmptyPart) | Some(NameFault::Parts) => {
            Some("the name of a column cannot be empty")
        }
    });
}

/// Checks `query = ".."`.
///
/// # Panics
/// Unless it begins, after comments, as a query does.
#[track_caller]
pub const fn check_source(sql: &str) {
    refuse(match query_fault(sql) {
        None => None,
        Some(QueryFault::Empty) => {
            Some("the query that a mass migration goes over is empty: write `SELECT ..`")
        }
        Some(QueryFault::ByteOrderMark) | Some(QueryFault::Create) | Some(QueryFault::Other) => {
            Some(
                "the query that a mass migration goes over begins with `SELECT`, `WITH`, `VALUES`, `TABLE` or `(`",
            )
        }
    });
}

/// Checks `batch = ..`.
///
/// # Panics
/// Unless it is at least 1.
#[must_use]
#[track_caller]
pub const fn check_batch(units: u32) -> u32 {
    assert!(units > 0, "a batch has at least 1 unit");
    units
}

/// Checks `shards = ..`.
///
/// # Panics
/// Unless it is between 1 and 10,000.
#[must_use]
#[track_caller]
pub const fn check_shards(shards: u32) -> u32 {
    assert!(
        shards > 0 && shards <= MOST_SHARDS,
        "there can be 1 to 10,000 shards; without the key there are as many as fit"
    );
    shards
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    /// The message with which it refuses, if it does.
    fn refusal(check: fn(&str), text: &'static str) -> Option<String> {
        let payload = catch_unwind(|| check(text)).err()?;
        let literal = payload.downcast_ref::<&str>().map(|it| (*it).to_owned());
        literal.or_else(|| payload.downcast_ref::<String>().cloned())
    }

    #[test]
    fn names() {
        for good in ["users", "shop.users", "with blank"] {
            assert_eq!(refusal(check_table, good), None, "{good}");
        }
        for bad in ["", "a.b.c", "\"users\"", " users", "shop."] {
            assert!(refusal(check_table, bad).is_some(), "{bad}");
        }
        for good in ["id", "odd.name", "with blank"] {
            assert_eq!(refusal(check_column, good), None, "{good}");
        }
        for bad in ["", "`id`", "id "] {
            assert!(refusal(check_column, bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn queries() {
        assert_eq!(refusal(check_source, "SELECT id FROM users"), None);
        for (bad, why) in [
            ("", "is empty"),
            ("-- users", "is empty"),
            ("users", "begins with"),
            ("CREATE VIEW v AS SELECT 1", "begins with"),
            ("UPDATE users SET a = 1", "begins with"),
        ] {
            let refusal = refusal(check_source, bad).unwrap_or_default();
            assert!(refusal.contains(why), "{bad}: {refusal}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(check_batch(1), 1);
        assert_eq!(check_shards(10_000), 10_000);
        assert!(catch_unwind(|| check_batch(0)).is_err());
        assert!(catch_unwind(|| check_shards(0)).is_err());
        assert!(catch_unwind(|| check_shards(10_001)).is_err());
    }
}
