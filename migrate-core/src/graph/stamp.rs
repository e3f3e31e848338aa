//! [`Stamp`]: the number in a migration's name, for [`Ordering::Stamped`](crate::Ordering).

use std::cmp::Ordering;

/// The number in a name, by which [`Ordering::Stamped`](crate::Ordering::Stamped) sorts.
///
/// A stamp is a row of groups of digits that `_`, `-` or `.` set apart, at the end of the name
/// (`rename_item_002`, `add_index_20260330_001`) or at its beginning (`20260330_001_add_index`;
/// also after an `m`, then with three digits at least: `m20260330_001_add_index`). Digits that
/// touch a letter belong to a word: `users2` and `add_2fa` have no stamp, that of `v2_003` is 3. Of
/// two stamps in one name the one with more digits counts: that of `m20260330_address_line_2` is
/// the date.
///
/// Stamps compare group by group as whole numbers, however long. What is absent counts as 0: a
/// name without a stamp comes before every other, and `x_20260330` equals `y_20260330_000`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp<'a> {
    text: &'a str,
    /// The groups as numbers where there are two at most and they fit, as nearly always: sorting
    /// compares a stamp some seventeen times.
    short: Option<(u64, u64)>,
}

/// The fewest digits that make `m` a mark rather than a word's beginning.
const DIGITS_AFTER_M: usize = 3;

impl<'a> Stamp<'a> {
    /// The stamp of a migration that is called `name`.
    pub(super) fn of(name: &'a str) -> Self {
        let (first, last) = (leading(name), trailing(name));
        let text = if digits(last) > digits(first) {
            last
        } else {
            first
        };
        let mut stamp = Self { text, short: None };
        stamp.short = stamp.numbers();
        stamp
    }

    fn numbers(self) -> Option<(u64, u64)> {
        let number = |group: &str| {
            if group.is_empty() {
                Some(0)
            } else {
                group.parse().ok()
            }
        };
        let mut groups = self.groups();
        let first = number(groups.next().unwrap_or_default())?;
        let second = number(groups.next().unwrap_or_default())?;
        groups.next().is_none().then_some((first, second))
    }

    /// The groups without leading zeros, so that the longer number is the greater one.
    fn groups(self) -> impl Iterator<Item = &'a str> {
        self.text
            .split(is_separator)
            .filter(|group| !group.is_empty())
            .map(|group| group.trim_start_matches('0'))
    }
}

impl Ord for Stamp<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Some(left), Some(right)) = (self.short, other.short) {
            return left.cmp(&right);
        }
        let (mut left, mut right) = (self.groups(), other.groups());
        loop {
            let (a, b) = (left.next(), right.next());
            if a.is_none() && b.is_none() {
                return Ordering::Equal;
            }
            let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
            let order = a.len().cmp(&b.len()).then_with(|| a.cmp(b));
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl PartialOrd for Stamp<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Stamp<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Stamp<'_> {}

fn is_separator(c: char) -> bool {
    matches!(c, '_' | '-' | '.')
}

fn is_part(c: char) -> bool {
    c.is_ascii_digit() || is_separator(c)
}

fn digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// The groups at the end; empty where there are none.
fn trailing(name: &str) -> &str {
    let word = name.trim_end_matches(is_part);
    let parts = name.get(word.len()..).unwrap_or_default();
    if word.is_empty() {
        parts
    } else {
        // Digits that the word ends with are the word's.
        parts.trim_start_matches(|c: char| c.is_ascii_digit())
    }
}

/// The groups at the beginning; empty where there are none.
fn leading(name: &str) -> &str {
    let unmarked = name.strip_prefix('m').unwrap_or(name);
    let word = unmarked.trim_start_matches(is_part);
    let parts = unmarked
        .get(..unmarked.len() - word.len())
        .unwrap_or_default();
    let parts = if word.is_empty() {
        parts
    } else {
        // Digits that the word begins with are the word's.
        parts.trim_end_matches(|c: char| c.is_ascii_digit())
    };
    let first = parts.split(is_separator).next().unwrap_or_default();
    if unmarked.len() < name.len() && first.len() < DIGITS_AFTER_M {
        return "";
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(name: &str) -> Vec<&str> {
        Stamp::of(name).groups().collect()
    }

    #[test]
    fn at_the_end() {
        assert_eq!(groups("a_20260330_001"), ["20260330", "1"]);
        assert_eq!(groups("a_20260330"), ["20260330"]);
        assert_eq!(groups("x_1_2_3"), ["1", "2", "3"]);
        assert_eq!(groups("a_001_20260330"), ["1", "20260330"]);
        assert_eq!(groups("execute_me_early_004"), ["4"]);
        assert_eq!(groups("define_item_000"), [""]);
        assert_eq!(groups("split__002"), ["2"]);
    }

    #[test]
    fn at_the_beginning() {
        assert_eq!(groups("20260101_001_prefix"), ["20260101", "1"]);
        assert_eq!(groups("m20260330_001_create"), ["20260330", "1"]);
        assert_eq!(groups("m20220101_000001_create_table"), ["20220101", "1"]);
        assert_eq!(
            groups("2026-03-30-120000_create"),
            ["2026", "3", "30", "120000"]
        );
        assert_eq!(groups("1_init"), ["1"]);
        assert_eq!(groups("20260330_001"), ["20260330", "1"]);
        assert_eq!(groups("m001"), ["1"]);
    }

    #[test]
    fn digits_of_a_word_are_none() {
        for name in [
            "users2",
            "add_2fa",
            "v2",
            "x",
            "m3_per_hour",
            "v2_users",
            "_",
            "m",
            "",
        ] {
            assert_eq!(
                Stamp::of(name).text.trim_matches(is_separator),
                "",
                "{name}"
            );
        }
        assert_eq!(groups("v2_003"), ["3"]);
        assert_eq!(groups("20260330_2fa"), ["20260330"]);
        assert_eq!(groups("m20260330_001_2fa"), ["20260330", "1"]);
        assert_eq!(groups("größe_007"), ["7"]);
    }

    #[test]
    fn of_two_the_longer_counts() {
        assert_eq!(groups("m20260330_address_line_2"), ["20260330"]);
        assert_eq!(groups("m100_rows_20260330_001"), ["20260330", "1"]);
    }

    #[test]
    fn compares_as_numbers_of_any_length() {
        for (first, second) in [
            ("plain", "x_001"),
            ("x_9", "a_10"),
            ("b_1_1500000", "a_2_000"),
            ("z_20260330_001", "a_20260330_002"),
            ("z_20260330", "a_20260330_001"),
            ("z_99999999999999999999998", "a_99999999999999999999999"),
            ("z_18446744073709551615", "a_18446744073709551616"),
            ("z_99999999999999999999", "a_100000000000000000000"),
            ("z_1_2", "a_1_2_3"),
            ("z_1_2_3", "a_1_3"),
            ("z_1_99999999999999999999999", "a_2_1"),
        ] {
            assert!(Stamp::of(first) < Stamp::of(second), "{first} {second}");
            assert!(Stamp::of(second) > Stamp::of(first), "{first} {second}");
        }
        for (one, other) in [
            ("x_20260330", "y_20260330_000"),
            ("plain", "x_000"),
            ("x_7", "y_007"),
            ("x_7", "y_7_0_0_0"),
        ] {
            assert_eq!(Stamp::of(one), Stamp::of(other), "{one} {other}");
        }
    }
}
