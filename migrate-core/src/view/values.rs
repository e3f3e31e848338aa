//! Rules on what is written at a view, checked while compiling, on the literal's span.

/// Longest part of a name, in bytes: PostgreSQL cuts longer ones off without a word,
/// <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>.
const MAX_PART_BYTES: usize = 63;

/// Checks `name = ".."`.
///
/// # Panics
/// With the rule that was broken: a name is `name` or `schema.name`, no part is empty or longer than
/// 63 bytes, and none has quotes, blanks at its ends or control characters.
#[track_caller]
pub const fn check_view_name(name: &str) {
    let bytes = name.as_bytes();
    assert!(!bytes.is_empty(), "the name of a view cannot be empty");
    let (mut at, mut begin, mut parts) = (0, 0, 1);
    #[expect(
        clippy::indexing_slicing,
        reason = "const code cannot use `get`; bounded by the loop"
    )]
    while at < bytes.len() {
        let byte = bytes[at];
        assert!(
            !matches!(byte, b'"' | b'`' | b'\'' | b'[' | b']'),
            "the name of a view is written without quotes; they are added where it needs them"
        );
        assert!(
            byte >= b' ' && byte != 0x7f,
            "the name of a view has no control characters"
        );
        if byte == b'.' {
            check_part(begin, at);
            parts += 1;
            begin = at + 1;
        }
        let at_an_end = at == begin || at + 1 == bytes.len() || bytes[at + 1] == b'.';
        assert!(
            !(byte == b' ' && at_an_end),
            "the name of a view neither begins nor ends with a blank"
        );
        at += 1;
    }
    check_part(begin, at);
    assert!(
        parts <= 2,
        "the name of a view is `name` or `schema.name`: one dot at most"
    );
}

#[track_caller]
const fn check_part(begin: usize, end: usize) {
    assert!(
        begin < end,
        "the name of a view is `name` or `schema.name`, and neither part is empty"
    );
    assert!(
        end - begin <= MAX_PART_BYTES,
        "the name of a view can have at most 63 bytes, and its schema as many"
    );
}

/// Checks `sql = ".."` and the content of `file = ".."`.
///
/// # Panics
/// Unless it begins, after comments, as a query does.
#[track_caller]
pub const fn check_query(sql: &str) {
    let bytes = sql.as_bytes();
    assert!(
        !begins(bytes, 0, b"\xef\xbb\xbf"),
        "the file begins with a byte order mark, which databases do not understand; save it as UTF-8 without one"
    );
    let at = after_blanks(bytes, 0);
    assert!(
        at < bytes.len() && !begins(bytes, at, b";"),
        "a view needs a query, and this is empty"
    );
    assert!(
        !begins_word(bytes, at, b"create"),
        "write the query alone, `SELECT ..`; the `CREATE VIEW` around it is made for the backend, from `name` and `options`"
    );
    assert!(
        begins(bytes, at, b"(")
            || begins_word(bytes, at, b"select")
            || begins_word(bytes, at, b"with")
            || begins_word(bytes, at, b"values")
            || begins_word(bytes, at, b"table"),
        "the query of a view begins with `SELECT`, `WITH`, `VALUES`, `TABLE` or `(`"
    );
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

/// Position of the first byte from `at` on that is in no blank and no comment.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the conditions"
)]
const fn after_blanks(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        if text[at].is_ascii_whitespace() {
            at += 1;
        } else if begins(text, at, b"--") {
            while at < text.len() && text[at] != b'\n' {
                at += 1;
            }
        } else if begins(text, at, b"/*") {
            let mut depth = 0;
            while at < text.len() {
                if begins(text, at, b"/*") {
                    depth += 1;
                    at += 2;
                } else if begins(text, at, b"*/") {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        break;
                    }
                } else {
                    at += 1;
                }
            }
        } else {
            break;
        }
    }
    at
}

/// Whether `word`, which is in small letters, is at `at` and ends there.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the conditions"
)]
const fn begins_word(text: &[u8], at: usize, word: &[u8]) -> bool {
    let end = at + word.len();
    begins(text, at, word)
        && (end == text.len() || !(text[end].is_ascii_alphanumeric() || text[end] == b'_'))
}

/// Whether `start`, which is in small letters, is at `at`.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the conditions"
)]
const fn begins(text: &[u8], at: usize, start: &[u8]) -> bool {
    let mut matched = 0;
    while matched < start.len() {
        if at + matched >= text.len() || text[at + matched].to_ascii_lowercase() != start[matched] {
            return false;
        }
        matched += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    /// The message with which it refuses, if it does.
    fn refusal(check: fn(&str), text: &'static str) -> Option<String> {
        let payload = catch_unwind(|| check(text)).err()?;
        payload.downcast_ref::<&str>().map(|it| (*it).to_owned())
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
