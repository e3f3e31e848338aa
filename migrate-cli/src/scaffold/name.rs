//! The name of a migration: what it may be, and the stamp that it gets where the others have one.

use super::{
    Error,
    tree::{Found, Tree},
};

/// Words that Rust keeps for itself, in any edition.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "main",
];

/// With `undo_` before it, it is still short enough to be an id.
const LONGEST: usize = migrate_core::MAX_NAME_BYTES - 5;

pub(super) fn check(name: &str) -> Result<(), Error> {
    let why = if name.is_empty() {
        "it is empty"
    } else if KEYWORDS.contains(&name) {
        "Rust keeps that word for itself"
    } else if name.len() > LONGEST {
        "it is too long"
    } else if name.starts_with(|c: char| c.is_ascii_digit()) {
        "it begins with a digit"
    } else if name.chars().all(|c| c == '_') {
        "it says nothing"
    } else if name.contains(|c: char| c.is_ascii_uppercase()) {
        "functions are written in lower case"
    } else if name.contains(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_') {
        "only letters, digits and `_` can be in it"
    } else {
        return Ok(());
    };
    Err(Error::Name {
        name: name.to_owned(),
        why,
        better: better(name),
    })
}

/// A name like it that could be.
fn better(name: &str) -> Option<String> {
    // A URL in the wrong place is meant for something else, and may hold a password.
    if name.contains(['@', '=']) || name.contains("://") {
        return None;
    }
    let mut better = String::new();
    let mut before = '_';
    for c in name.chars() {
        let is_hump = c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
        if (is_hump || !c.is_ascii_alphanumeric()) && !better.ends_with('_') {
            better.push('_');
        }
        if c.is_ascii_alphanumeric() {
            better.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    let better = better.trim_matches('_');
    let better = match better.chars().next() {
        Some(c) if c.is_ascii_digit() => format!("v{better}"),
        Some(_) if KEYWORDS.contains(&better) => format!("{better}_rows"),
        Some(_) => better.to_owned(),
        None => return None,
    };
    (better.len() <= LONGEST).then_some(better)
}

/// `name` with a stamp like that of the latest: `m20260330_120000_name`, or `name_20260330_001`.
pub(super) fn stamped(name: &str, latest: Option<&Found>, tree: &Tree, now: &str) -> String {
    let digits: String = now.chars().filter(char::is_ascii_digit).collect();
    let (Some(date), Some(time)) = (digits.get(..8), digits.get(8..14)) else {
        return name.to_owned();
    };
    let is_stamped = |name: &str| begins_with_stamp(name) || ends_with_stamp(name).is_some();
    let Some(latest) = latest.filter(|_| !is_stamped(name)) else {
        return name.to_owned();
    };
    if begins_with_stamp(&latest.name) {
        return format!("m{date}_{time}_{name}");
    }
    if ends_with_stamp(&latest.name).is_none() {
        return name.to_owned();
    }
    let of_today = tree
        .migrations
        .iter()
        .filter_map(|it| ends_with_stamp(&it.name))
        .filter(|(day, _)| *day == date)
        .map(|(_, number)| number)
        .max();
    format!("{name}_{date}_{:03}", of_today.unwrap_or(0) + 1)
}

/// `m20260330_120000_name`
fn begins_with_stamp(name: &str) -> bool {
    let mut parts = name.strip_prefix('m').unwrap_or_default().split('_');
    let mut is_number = |length| {
        let part = parts.next().unwrap_or_default();
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit())
    };
    is_number(8) && is_number(6)
}

/// The day and the number of `name_20260330_001`.
fn ends_with_stamp(name: &str) -> Option<(&str, u32)> {
    let (rest, number) = name.rsplit_once('_')?;
    let (_, day) = rest.rsplit_once('_')?;
    let is_day = day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit());
    let number = number.parse().ok().filter(|_| number.len() == 3)?;
    is_day.then_some((day, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_come_with_one_that_can() {
        for (name, better) in [
            ("add-email", Some("add_email")),
            ("AddEmail2Users", Some("add_email2_users")),
            ("2fa", Some("v2fa")),
            ("type", Some("type_rows")),
            ("über alles", Some("ber_alles")),
            ("a::b", Some("a_b")),
            ("___", None),
            ("", None),
        ] {
            match check(name) {
                Err(Error::Name { better: said, .. }) => {
                    assert_eq!(said.as_deref(), better, "{name}");
                    assert!(said.is_none_or(|it| check(&it).is_ok()), "{name}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(check(&"x".repeat(LONGEST)).is_ok());
        assert!(check(&"x".repeat(LONGEST + 1)).is_err());
        assert!(check("add_2fa").is_ok() && check("_x").is_ok());
    }

    #[test]
    fn stamps_are_recognized() {
        assert!(begins_with_stamp("m20260330_120000_users"));
        assert!(!begins_with_stamp("m2026_users") && !begins_with_stamp("x20260330_120000_u"));
        assert_eq!(ends_with_stamp("users_20260330_007"), Some(("20260330", 7)));
        assert_eq!(ends_with_stamp("users_2026_007"), None);
    }
}
