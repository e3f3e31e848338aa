//! What a text of SQL says: its fingerprint, its description, whether it says anything.

use crate::fingerprint::Fingerprint;

/// A hash of the text as [`normal`] has it. Stored in databases.
pub(super) fn fingerprint(sql: &str) -> u64 {
    let mut fingerprint = Fingerprint::new();
    fingerprint.word("sql");
    fingerprint.word(&normal(sql));
    fingerprint.value()
}

/// Whether there is no statement in it.
pub(super) fn is_empty(sql: &str) -> bool {
    let mut rest = sql.strip_prefix('\u{feff}').unwrap_or(sql);
    while let Some(first) = rest.chars().next() {
        let length = match (skipped(rest, '\n'), first) {
            (Some(0), ';') => 1,
            (Some(0) | None, _) => return false,
            (Some(length), _) => length,
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    true
}

/// The text without comments, with one blank for each run of blanks outside of quotes, and without semicolons
/// at its end.
///
/// A text is of any database, and these disagree on what is a comment and where a quote ends. Where that makes a
/// difference, the text counts as it stands, but for line ends: rather a comment is seen than a statement is not.
fn normal(sql: &str) -> String {
    let sql = sql.strip_prefix('\u{feff}').unwrap_or(sql);
    let sql = sql.replace("\r\n", "\n");
    stripped(&sql).unwrap_or_else(|| sql.trim().to_owned())
}

/// `None` where there is a doubt.
fn stripped(sql: &str) -> Option<String> {
    // The end of a quote, or MySQL's escape.
    if sql.contains("\\'") || sql.contains("\\\"") {
        return None;
    }
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    let mut before = '\n';
    let mut blank = false;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped(rest, before)?;
        let length = match skipped {
            0 => piece(rest, first)?,
            skipped => skipped,
        };
        let (taken, left) = rest.split_at_checked(length)?;
        if skipped > 0 {
            blank = true;
        } else {
            if std::mem::take(&mut blank) && !out.is_empty() {
                out.push(' ');
            }
            out.push_str(taken);
        }
        before = taken.chars().next_back().unwrap_or(before);
        rest = left;
    }
    while out.ends_with([';', ' ']) {
        out.pop();
    }
    Some(out)
}

/// Length of the blanks or the comment that `text` begins with; `None` where there is a doubt.
fn skipped(text: &str, before: char) -> Option<usize> {
    if let Some(comment) = text.strip_prefix("--") {
        // To MySQL, `5--3` is 8.
        let blank_follows = comment.chars().next().is_none_or(char::is_whitespace);
        let is_operator = is_of_word(before) || before == ')';
        if blank_follows || !is_operator {
            return Some(text.find('\n').unwrap_or(text.len()));
        }
    }
    if let Some(comment) = text.strip_prefix("/*")
        && !is_code(comment)
    {
        let inside = comment.split_once("*/")?.0;
        // Comments nest on PostgreSQL, elsewhere the first `*/` ends them.
        return (!inside.contains("/*")).then_some(inside.len() + 4);
    }
    Some(text.len() - text.trim_start().len())
}

/// What MySQL and MariaDB run, or planners read.
fn is_code(comment: &str) -> bool {
    ["!", "M!", "+"].iter().any(|it| comment.starts_with(it))
}

/// Length of what counts as it stands: something quoted, a comment that is code, one character.
fn piece(text: &str, first: char) -> Option<usize> {
    match first {
        // A doubled quote ends one piece and begins another, which comes to the same.
        '\'' | '"' | '`' => Some(text.get(1..)?.find(first)? + 2),
        '/' if text.starts_with("/*") => Some(text.find("*/")? + 2),
        '$' => match tag(text) {
            Some(tag) => {
                let length = tag.len();
                Some(text.get(length..)?.find(tag)? + 2 * length)
            }
            None => Some(1),
        },
        other if is_of_word(other) => Some(text.find(|it| !is_of_word(it)).unwrap_or(text.len())),
        other => Some(other.len_utf8()),
    }
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// PostgreSQL's `$tag$`.
fn tag(text: &str) -> Option<&str> {
    let end = text.get(1..)?.find('$')? + 2;
    let tag = text.get(..end)?;
    let name = tag.trim_matches('$');
    let is_name = name.chars().all(is_of_word);
    (is_name && !name.starts_with(|it: char| it.is_ascii_digit())).then_some(tag)
}

/// Whether its first line says so, as sqlx has it.
pub(super) fn says_no_transaction(sql: &str) -> bool {
    sql.starts_with("-- no-transaction")
}

/// What tools put into a new file.
const TEMPLATES: &[&str] = &[
    "your sql goes here",
    "add migration script here",
    "add up migration script here",
];

/// The first paragraph of the comment that it begins with.
pub(super) fn description(sql: &str) -> String {
    let mut lines = Vec::new();
    for line in sql.trim_start_matches('\u{feff}').lines() {
        let Some(comment) = line.trim().strip_prefix("--") else {
            break;
        };
        let comment = comment.trim_matches(|it: char| it.is_whitespace() || "-=*".contains(it));
        let says_nothing = TEMPLATES.contains(&comment.to_lowercase().as_str())
            || (lines.is_empty() && (comment.is_empty() || comment == "no-transaction"));
        if says_nothing {
            continue;
        }
        if comment.is_empty() {
            break;
        }
        lines.push(comment);
    }
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored in databases: a change of these values makes every applied file look edited.
    #[test]
    fn values_are_for_ever() {
        assert_eq!(fingerprint(""), 0x0e18_ec95_6507_e377);
        assert_eq!(
            fingerprint("CREATE TABLE t (id INT); -- the first\n"),
            0xa9d0_47a4_e831_03d8
        );
    }

    #[test]
    fn what_means_nothing_goes() {
        for (written, kept) in [
            ("SELECT  1\r\n FROM t -- all\n ;\n", "SELECT 1 FROM t"),
            ("\u{feff}--all of it\nSELECT 1;;", "SELECT 1"),
            ("SELECT a,--don't\n b", "SELECT a, b"),
            ("SELECT/* a */1 /* it's */", "SELECT 1"),
            (
                "SELECT 'a  -- b', \"x  /*y*/\"",
                "SELECT 'a  -- b', \"x  /*y*/\"",
            ),
            ("SELECT 'it''s  '", "SELECT 'it''s  '"),
            (
                "DO $x$ a  -- b\n $x$;  SELECT $1",
                "DO $x$ a  -- b\n $x$; SELECT $1",
            ),
            ("SELECT 'a\r\nb'", "SELECT 'a\nb'"),
        ] {
            assert_eq!(normal(written), kept, "{written}");
        }
    }

    #[test]
    fn where_databases_disagree_everything_is_seen() {
        for text in [
            "SELECT 5--3",
            "SELECT f()--3",
            "SELECT 'a\\' -- b'",
            "/* a /* b */ SELECT 1; /* c */ */",
            "/*!40101 SET NAMES utf8 */; SELECT 1",
            "/*M! SET x = 1 */",
            "SELECT 'open -- x",
            "/* open",
            "SELECT $a$ open",
        ] {
            assert_eq!(normal(text), text);
        }
        assert_ne!(fingerprint("SELECT 'a  b'"), fingerprint("SELECT 'a b'"));
    }

    #[test]
    fn only_comments_say_nothing() {
        assert!(is_empty("-- This file should undo anything in `up.sql`\n"));
        assert!(is_empty(" /* nothing */ ; \n"));
        for text in ["SELECT 1", "-- a\nSELECT 1", "/* open", "/*!1 SET x */"] {
            assert!(!is_empty(text), "{text}");
        }
    }

    #[test]
    fn what_it_is_about() {
        for (sql, about) in [
            (
                "-- Accounts and\n-- their addresses.\n--\n-- More.\nSELECT 1",
                "Accounts and their addresses.",
            ),
            ("-- no-transaction\n-- An index.\nSELECT 1", "An index."),
            ("-- Your SQL goes here\nSELECT 1", ""),
            ("-------\n-- Users --\n-------\nSELECT 1", "Users"),
            ("SELECT 1 -- no", ""),
        ] {
            assert_eq!(description(sql), about, "{sql}");
        }
    }
}
