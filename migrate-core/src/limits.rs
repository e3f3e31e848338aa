//! [`Limits`] of what statements may take, and the durations that attributes give.

use std::time::Duration;

/// How long a statement may take, and how long it may wait for a lock. Absent: as the database has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `statement_timeout`
    pub statement: Option<Duration>,
    /// `lock_timeout`
    pub lock: Option<Duration>,
}

impl Limits {
    /// None.
    pub const NONE: Self = Self {
        statement: None,
        lock: None,
    };

    /// Whether nothing is limited.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.statement.is_none() && self.lock.is_none()
    }
}

/// The duration that an attribute gives: `500ms`, `2s`, `5m`, `1h`, or several of them: `1m30s`.
///
/// The macro calls it in const code on the literal's span, so that a bad one does not compile.
///
/// ```
/// use std::time::Duration;
///
/// const LIMIT: Duration = migrate_core::duration("1m 30s");
/// assert_eq!(LIMIT, Duration::from_secs(90));
/// ```
///
/// # Panics
/// With the rule that was broken.
#[must_use]
pub const fn duration(text: &str) -> Duration {
    const FORM: &str = "a duration is a number and its unit: \"500ms\", \"2s\", \"5m\", \"1h\"";
    let bytes = text.as_bytes();
    let mut milliseconds: u64 = 0;
    let mut at = 0;
    assert!(!bytes.is_empty(), "{}", FORM);
    while at < bytes.len() {
        let (number, after) = number(bytes, at);
        assert!(after > at, "{}", FORM);
        let (unit, end) = unit(bytes, after);
        assert!(unit > 0, "{}", FORM);
        // Saturated is more than what is allowed.
        milliseconds = milliseconds.saturating_add(number.saturating_mul(unit));
        at = end;
    }
    // Databases take nothing for no limit at all.
    assert!(milliseconds > 0, "a limit is at least \"1ms\"");
    // What they count it in.
    assert!(
        milliseconds <= i32::MAX as u64,
        "a limit is at most 24 days: leave it out to have none"
    );
    Duration::from_millis(milliseconds)
}

/// The digits at `at`, and where they end.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the loop"
)]
const fn number(bytes: &[u8], mut at: usize) -> (u64, usize) {
    let mut number: u64 = 0;
    while at < bytes.len() && bytes[at].is_ascii_digit() {
        number = number
            .saturating_mul(10)
            .saturating_add((bytes[at] - b'0') as u64);
        at += 1;
    }
    (number, at)
}

/// The milliseconds of the unit at `at`, and where the next number can be; 0 for what is no unit.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the condition"
)]
const fn unit(bytes: &[u8], mut at: usize) -> (u64, usize) {
    at = past_spaces(bytes, at);
    let rest = bytes.len() - at;
    let (unit, length) = if rest == 0 {
        (0, 0)
    } else {
        match bytes[at] {
            b'm' if rest > 1 && bytes[at + 1] == b's' => (1, 2),
            b's' => (1_000, 1),
            b'm' => (60_000, 1),
            b'h' => (3_600_000, 1),
            _ => (0, 0),
        }
    };
    (unit, past_spaces(bytes, at + length))
}

#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the loop"
)]
const fn past_spaces(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] == b' ' {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, milliseconds) in [
            ("1ms", 1),
            ("250ms", 250),
            ("2s", 2_000),
            ("5m", 300_000),
            ("5 m", 300_000),
            ("1h30m", 5_400_000),
            ("1m 30s 5ms ", 90_005),
        ] {
            assert_eq!(
                duration(text),
                Duration::from_millis(milliseconds),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for (text, rule) in [
            ("", "number and its unit"),
            ("5", "number and its unit"),
            ("s", "number and its unit"),
            ("-5s", "number and its unit"),
            ("5 minutes", "number and its unit"),
            ("1.5s", "number and its unit"),
            ("0s", "at least"),
            ("30h 0d", "number and its unit"),
            ("9999h", "at most"),
            ("99999999999999999999999h", "at most"),
        ] {
            let panic = std::panic::catch_unwind(|| duration(text)).unwrap_err();
            let said = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()))
                .unwrap();
            assert!(said.contains(rule), "{text}: {said}");
        }
    }
}
