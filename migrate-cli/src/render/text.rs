//! Small texts: durations, counts, one line of many.

use std::{fmt::Write as _, time::Duration};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A duration at the precision at which one compares.
pub(crate) fn duration(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    let seconds = duration.as_secs();
    if ms < 0.05 {
        // Not nothing; how much less does not matter to anybody.
        "<0.1 ms".to_owned()
    } else if ms < 9.95 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else if ms < 59_950.0 {
        format!("{:.1} s", ms / 1000.0)
    } else if seconds < 3600 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else {
        format!("{} h {} min", seconds / 3600, seconds % 3600 / 60)
    }
}

/// As [`duration`], of milliseconds as reports have them.
pub(crate) fn milliseconds(ms: f64) -> String {
    // A report may hold anything; a duration takes only what is finite and not negative.
    duration(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default())
}

/// `1 migration`, `2 migrations`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// `text` without control characters: what a database or a body says must not steer a terminal.
/// Line breaks stay.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => clean.push('\n'),
            '\t' => clean.push(' '),
            '\r' => {}
            c if c.is_control() => {
                let _ = write!(clean, "\\u{{{:x}}}", u32::from(c));
            }
            c => clean.push(c),
        }
    }
    clean
}

/// `text` as one line.
pub(crate) fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of `text` that say something, without the indentation that they have in common (the
/// first line of a literal in Rust source has none).
pub(crate) fn dedented(text: &str) -> Vec<String> {
    let text = clean(text);
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let indent = |line: &str| line.chars().take_while(|c| *c == ' ').count();
    let common = lines().skip(1).map(indent).min().unwrap_or(0);
    lines()
        .map(|line| {
            line.chars()
                .skip(common.min(indent(line)))
                .collect::<String>()
                .trim_end()
                .to_owned()
        })
        .collect()
}

/// `text` under a label: the lines after the first are indented by `indent`.
pub(crate) fn hanging(text: &str, indent: usize) -> String {
    let mut lines = Vec::new();
    for line in clean(text).trim_end().lines() {
        if lines.is_empty() || line.is_empty() {
            lines.push(line.to_owned());
        } else {
            lines.push(format!("{:indent$}{line}", ""));
        }
    }
    lines.join("\n")
}

/// `text` in at most `columns` columns.
pub(crate) fn truncated(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut taken = 0;
    let mut short = String::new();
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken + 1 > columns {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

/// `text`, filled with spaces up to `columns`.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{:missing$}", "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn statements_lose_the_indentation_of_the_source() {
        let lines =
            dedented("CREATE TABLE t (\n        id INTEGER,\n\n          name TEXT\n      )");
        assert_eq!(
            lines,
            ["CREATE TABLE t (", "  id INTEGER,", "    name TEXT", ")"]
        );
    }

    #[test]
    fn durations() {
        for (ms, expected) in [
            (0, "<0.1 ms"),
            (40, "<0.1 ms"),
            (97, "0.1 ms"),
            (1_300, "1.3 ms"),
            (9_960, "10 ms"),
            (34_200, "34 ms"),
            (999_600, "1.0 s"),
            (2_340_000, "2.3 s"),
            (59_990_000, "0 min 59 s"),
            (192_000_000, "3 min 12 s"),
            (7_500_000_000, "2 h 5 min"),
        ] {
            assert_eq!(duration(Duration::from_micros(ms)), expected);
        }
        assert_eq!(milliseconds(f64::NAN), "<0.1 ms");
        assert_eq!(milliseconds(-1.0), "<0.1 ms");
    }

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(clean("a\u{1b}[31mb\r\nc\td"), "a\\u{1b}[31mb\nc d");
    }

    #[test]
    fn later_lines_hang() {
        assert_eq!(hanging("one\n two\n\nthree\n", 2), "one\n   two\n\n  three");
    }

    proptest! {
        #[test]
        fn truncation_fits(text in "\\PC*", columns in 1_usize..40) {
            prop_assert!(width(&truncated(&text, columns)) <= columns.max(1));
        }

        #[test]
        fn one_line_is_one_line(text in any::<String>()) {
            prop_assert!(!one_line(&text).chars().any(char::is_control));
        }
    }
}
