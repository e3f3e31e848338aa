//! Rules on what is written at a view, checked while compiling, on the literal's span.

use crate::sql::{
    NameFault, QueryFault, Schema, after_blanks, begins_word, name_fault, query_fault, refuse,
};

/// Checks `name = ".."`.
///
/// # Panics
/// With the rule that was broken: a name is `name` or `schema.name`, no part is empty or longer than
/// 63 bytes, and none has quotes, blanks at its ends or control characters.
#[track_caller]
pub const fn check_view_name(name: &str) {
    refuse(match name_fault(name, Schema::Allowed) {
        None => None,
        Some(NameFault::Empty) => Some("the name of a view cannot be empty"),
        Some(NameFault::Quotes) => {
            Some("the name of a view is written without quotes; they are added where it needs them")
        }
        Some(NameFault::Control) => Some("the name of a view has no control characters"),
        Some(NameFault::Blank) => Some("the name of a view neither begins nor ends with a blank"),
        Some(NameFault::EmptyPart) => {
            Some("the name of a view is `name` or `schema.name`, and neither part is empty")
        }
        Some(NameFault::Long) => {
            Some("the name of a view can have at most 63 bytes, and its schema as many")
        }
        Some(NameFault::Parts) => {
            Some("the name of a view is `name` or `schema.name`: one dot at most")
        }
    });
}

/// Checks `sql = ".."` and the content of `file = ".."`.
///
/// # Panics
/// Unless it begins, after comments, as a query does.
#[track_caller]
pub const fn check_query(sql: &str) {
    refuse(match query_fault(sql) {
        None => None,
        Some(QueryFault::ByteOrderMark) => Some(
            "the file begins with a byte order mark, which databases do not understand; save it as UTF-8 without one",
        ),
        Some(QueryFault::Empty) => Some("a view needs a query, and this is empty"),
        Some(QueryFault::Create) => Some(
            "write the query alone, `SELECT ..`; the `CREATE VIEW` around it is made for the backend, from `name` and `options`",
        ),
        Some(QueryFault::Other) => {
            Some("the query of a view begins with `SELECT`, `WITH`, `VALUES`, `TABLE` or `(`")
        }
    });
}

/// Checks one of `indexes = [..]`.
///
/// # Panics
/// Unless it begins with `CREATE INDEX` or `CREATE UNIQUE INDEX`.
#[track_caller]
pub const fn check_index(sql: &str) {
    let bytes = sql.as_bytes();
    let mut at = after_blanks(bytes, 0);
    let mut is_index = begins_word(bytes, at, b"create");
    if is_index {
        at = after_blanks(bytes, at + b"create".len());
        if begins_word(bytes, at, b"unique") {
            at = after_blanks(bytes, at + b"unique".len());
        }
        is_index = begins_word(bytes, at, b"index");
    }
    assert!(
        is_index,
        "an index of a view is a whole statement: `CREATE INDEX name ON view (column)`, or `CREATE UNIQUE INDEX ..`"
    );
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
        for good in [
            "active_users",
            "reporting.totals",
            "Übersicht",
            "with blank",
            "a-b",
            "a23456789012345678901234567890123456789012345678901234567890123",
        ] {
            assert_eq!(refusal(check_view_name, good), None, "{good}");
        }
        for (bad, why) in [
            ("", "empty"),
            (".", "neither part is empty"),
            ("a.", "neither part is empty"),
            (".a", "neither part is empty"),
            ("a.b.c", "one dot"),
            ("\"a\"", "without quotes"),
            ("[a]", "without quotes"),
            ("a\n", "control"),
            (" a", "blank"),
            ("a .b", "blank"),
            ("a. b", "blank"),
            (
                "a23456789012345678901234567890123456789012345678901234567890123x",
                "63 bytes",
            ),
        ] {
            let refusal = refusal(check_view_name, bad).unwrap_or_default();
            assert!(refusal.contains(why), "{bad:?}: {refusal:?}");
        }
    }

    #[test]
    fn queries() {
        for good in [
            "SELECT 1",
            "  select\n1",
            "WITH a AS (SELECT 1) TABLE a",
            "VALUES (1)",
            "values(1)",
            "(SELECT 1) UNION (SELECT 2)",
            "-- of\n/* all /* of */ them */ TABLE users",
            "select*from users",
        ] {
            assert_eq!(refusal(check_query, good), None, "{good}");
        }
        for (bad, why) in [
            ("", "empty"),
            (" -- nothing", "empty"),
            ("/* open", "empty"),
            (";", "empty"),
            ("CREATE VIEW v AS SELECT 1", "query alone"),
            ("create or replace view v AS SELECT 1", "query alone"),
            ("SELECTED", "begins with `SELECT`"),
            ("users", "begins with `SELECT`"),
            ("DELETE FROM users", "begins with `SELECT`"),
            ("\u{feff}SELECT 1", "byte order mark"),
        ] {
            let refusal = refusal(check_query, bad).unwrap_or_default();
            assert!(refusal.contains(why), "{bad:?}: {refusal:?}");
        }
    }

    #[test]
    fn indexes() {
        for good in [
            "CREATE INDEX i ON v (a)",
            "create  unique\nindex i ON v (a)",
            "/* by mail */ CREATE UNIQUE INDEX ON v (a)",
        ] {
            assert_eq!(refusal(check_index, good), None, "{good}");
        }
        for bad in [
            "",
            "id",
            "INDEX i ON v (a)",
            "CREATE",
            "CREATE TABLE t (a)",
            "CREATE UNIQUE",
        ] {
            assert!(refusal(check_index, bad).is_some(), "{bad}");
        }
    }
}
