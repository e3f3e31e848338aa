//! [`mask_credentials`]: the last line of defence before text is shown.

use std::borrow::Cow;

/// What stands for a password.
const MASK: &str = "***";
/// Options of a connection whose value is one; `pass` is Redis's word.
const OPTIONS: [&str; 4] = ["password=", "passwd=", "pwd=", "pass="];

/// `text` without the passwords of URLs in it, also of those that are none because a person mistyped them:
/// between the `:` and the `@` of a word, and after `password=`.
///
/// For text of any origin: an argument in the wrong place, a line of a configuration, what a driver quotes.
/// Where the URL is known, [`DatabaseUrl::redact`](crate::DatabaseUrl::redact) comes first: it also finds the
/// password alone.
#[must_use]
pub fn mask_credentials(text: &str) -> Cow<'_, str> {
    if !text.contains('@') && !text.contains('=') {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find(ends_a_word) {
        let (word, after) = rest.split_at(end);
        masked.push_str(&mask_word(word));
        let delimiter = after.chars().next().map_or(0, char::len_utf8);
        let (delimiter, after) = after.split_at(delimiter);
        masked.push_str(delimiter);
        rest = after;
    }
    masked.push_str(&mask_word(rest));
    if masked == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(masked)
    }
}

fn ends_a_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\'' | '"' | '`')
}

fn mask_word(word: &str) -> Cow<'_, str> {
    let mut word = Cow::Borrowed(word);
    // First: their values may hold an `@`.
    for option in OPTIONS {
        if let Some(masked) = mask_option(&word, option) {
            word = Cow::Owned(masked);
        }
    }
    if let Some((before, host)) = word.rsplit_once('@') {
        let begin = before.find("://").map_or(0, |at| at + "://".len());
        let (scheme, user) = before.split_at(begin);
        if let Some((user, password)) = user.split_once(':')
            && !password.is_empty()
        {
            word = Cow::Owned(format!("{scheme}{user}:{MASK}@{host}"));
        }
    }
    word
}

/// The value of `option` up to the next `&`.
fn mask_option(word: &str, option: &str) -> Option<String> {
    // Of the same length: only ASCII changes.
    let at = word.to_ascii_lowercase().find(option)?;
    let (before, from) = word.split_at(at);
    let (option, value) = from.split_at(option.len());
    let (value, rest) = value.split_at(value.find('&').unwrap_or(value.len()));
    (!value.is_empty() && value != MASK).then(|| format!("{before}{option}{MASK}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_password_does_not_show() {
        for (text, shown) in [
            (
                "at postgres://me:a@b/c@db/x?y=1",
                "at postgres://me:***@db/x?y=1",
            ),
            (
                "`--url=mysql://me:pw@db`, no",
                "`--url=mysql://me:***@db`, no",
            ),
            ("postgres//me:pw@db/x", "postgres//me:***@db/x"),
            ("me:pw@db", "me:***@db"),
            ("x://db:1/y?password=a@b/c", "x://db:1/y?password=***"),
            ("redis://:pw@db", "redis://:***@db"),
            (
                "host=db Password=pw dbname=x",
                "host=db Password=*** dbname=x",
            ),
            (
                "x://db/y?user=me&sslpassword=pw&z=1",
                "x://db/y?user=me&sslpassword=***&z=1",
            ),
        ] {
            assert_eq!(mask_credentials(text), shown);
            assert_eq!(mask_credentials(shown), shown, "once is enough");
        }
    }

    #[test]
    fn what_is_none_stays() {
        for text in [
            "Access denied for user 'me'@'10.0.0.3' (using password: YES)",
            "shop:create_users at src/migrations.rs:5, by me@web-2 pid 4711",
            "postgres://me@db:5432/x",
            "lock_wait = \"60s\"",
        ] {
            assert_eq!(mask_credentials(text), text);
        }
    }
}
