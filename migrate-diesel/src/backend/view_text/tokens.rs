//! SQL text in pieces.

use std::borrow::Cow;

/// In what the dialects' texts differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flavor {
    /// `[x]` is a name.
    brackets: bool,
    /// `"x"` is a name.
    double_quoted_names: bool,
    /// `\'` does not end a literal.
    backslash: bool,
    /// `# ..` is a comment, and `--` begins one only before a blank.
    hash_comments: bool,
    /// `FROM 'x'` names a table.
    pub(super) text_is_name: bool,
    /// `*` in a stored definition means all columns.
    pub(super) stars: bool,
}

/// <https://www.sqlite.org/lang_keywords.html>, <https://www.sqlite.org/quirks.html>
#[cfg(any(feature = "sqlite", test))]
pub(crate) const SQLITE: Flavor = Flavor {
    brackets: true,
    double_quoted_names: true,
    backslash: false,
    hash_comments: false,
    text_is_name: true,
    stars: true,
};

/// As the server writes definitions: names in backquotes, `*` expanded. And as people write them
/// without `ANSI_QUOTES`.
#[cfg(any(feature = "mysql", test))]
pub(crate) const MYSQL: Flavor = Flavor {
    brackets: false,
    double_quoted_names: false,
    backslash: true,
    hash_comments: true,
    text_is_name: false,
    stars: false,
};

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    Quoted,
    /// A literal.
    Text,
    /// A number.
    Number,
    /// One character of anything else.
    Sign(char),
}

/// A piece of SQL text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    /// Without its quotes.
    pub(crate) text: Cow<'a, str>,
    /// Where it begins.
    pub(crate) start: usize,
    /// Where what follows it begins.
    pub(crate) end: usize,
}

impl Token<'_> {
    /// Whether it is this keyword; never in quotes.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(word))
    }

    pub(crate) fn is_sign(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// Whether it can name something.
    pub(super) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }
}

/// The pieces of `sql`, without blanks and comments. What is not closed reaches to the end.
pub(crate) fn tokens(sql: &str, flavor: Flavor) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(rest) = sql.get(start..).filter(|rest| !rest.is_empty()) {
        if let Some(length) = skipped(rest, flavor) {
            start += length;
            continue;
        }
        let (kind, text, length) = token(rest, flavor);
        let end = start + length;
        tokens.push(Token {
            kind,
            text,
            start,
            end,
        });
        start = end;
    }
    tokens
}

/// Length of the blanks or the comment that `rest` begins with.
fn skipped(rest: &str, flavor: Flavor) -> Option<usize> {
    let blanks = rest.len() - rest.trim_start().len();
    if blanks > 0 {
        return Some(blanks);
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        // Not nested, in either of them.
        return Some(comment.find("*/").map_or(rest.len(), |end| end + 4));
    }
    let dashes = rest.strip_prefix("--").is_some_and(|after| {
        !flavor.hash_comments
            || after
                .chars()
                .next()
                .is_none_or(|char| char.is_whitespace() || char.is_control())
    });
    (dashes || (flavor.hash_comments && rest.starts_with('#')))
        .then(|| rest.find('\n').unwrap_or(rest.len()))
}

/// The piece that `rest` begins with, and its length.
fn token(rest: &str, flavor: Flavor) -> (Kind, Cow<'_, str>, usize) {
    let first = rest.chars().next().unwrap_or_default();
    let quoted = |kind, backslash| {
        let (text, length) = quoted(rest, first, backslash);
        (kind, text, length)
    };
    match first {
        '\'' => quoted(Kind::Text, flavor.backslash),
        '"' if flavor.double_quoted_names => quoted(Kind::Quoted, false),
        '"' => quoted(Kind::Text, flavor.backslash),
        '`' => quoted(Kind::Quoted, false),
        '[' if flavor.brackets => {
            let inside = rest.get(1..).unwrap_or_default();
            let (text, length) = match inside.find(']') {
                Some(end) => (inside.get(..end).unwrap_or_default(), end + 2),
                None => (inside, rest.len()),
            };
            (Kind::Quoted, text.into(), length)
        }
        _ => {
            let number = first.is_ascii_digit();
            let mut length = rest
                .find(|char: char| !is_word_char(char))
                .unwrap_or(rest.len());
            let kind = match (length, number) {
                (0, _) => {
                    length = first.len_utf8();
                    Kind::Sign(first)
                }
                (_, true) => Kind::Number,
                (_, false) => Kind::Word,
            };
            let text = rest.get(..length).unwrap_or_default();
            (kind, text.into(), length)
        }
    }
}

/// All that is not ASCII may be part of a name without quotes.
fn is_word_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || char == '$' || !char.is_ascii()
}

/// What is between the quotes that `rest` begins with, and the length with them.
fn quoted(rest: &str, quote: char, backslash: bool) -> (Cow<'_, str>, usize) {
    let inside = rest.get(1..).unwrap_or_default();
    let mut text = String::new();
    let mut chars = inside.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        if char == quote {
            if chars.next_if(|(_, next)| *next == quote).is_some() {
                text.push(quote);
                continue;
            }
            return (text.into(), at + 2);
        }
        if char == '\\' && backslash {
            text.extend(chars.next().map(|(_, escaped)| escaped));
            continue;
        }
        text.push(char);
    }
    (text.into(), rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(sql: &str, flavor: Flavor) -> Vec<(Kind, String)> {
        tokens(sql, flavor)
            .into_iter()
            .map(|token| (token.kind, token.text.into_owned()))
            .collect()
    }

    fn one(sql: &str, flavor: Flavor) -> (Kind, String) {
        let mut all = said(sql, flavor);
        assert_eq!(all.len(), 1, "{sql}: {all:?}");
        all.pop().unwrap()
    }

    #[test]
    fn every_quoting() {
        for (sql, text) in [
            (r#""a ""b"" c""#, r#"a "b" c"#),
            ("`a ``b`` c`", "a `b` c"),
            ("[a \"b' c]", "a \"b' c"),
            ("\"--\"", "--"),
            ("[/*]", "/*"),
            ("\"ünï\"", "ünï"),
        ] {
            assert_eq!(one(sql, SQLITE), (Kind::Quoted, text.to_owned()), "{sql}");
        }
        for (sql, text) in [
            ("'it''s'", "it's"),
            (r"'it\'s'", "it's"),
            (r"'\\'", r"\"),
            (r#""a""b""#, "a\"b"),
        ] {
            assert_eq!(one(sql, MYSQL), (Kind::Text, text.to_owned()), "{sql}");
        }
        assert_eq!(one(r"'\'", SQLITE), (Kind::Text, r"\".to_owned()));
        assert_eq!(one("naïve_$1", SQLITE), (Kind::Word, "naïve_$1".to_owned()));
    }

    #[test]
    fn comments_go() {
        assert!(said("-- a\n/* b\n -- */ -- c", SQLITE).is_empty());
        assert!(said("# a\n-- b\n--\n/* c */", MYSQL).is_empty());
        // MySQL: a minus twice.
        assert_eq!(said("1--1", MYSQL).len(), 4);
        assert_eq!(said("1--1", SQLITE).len(), 1);
        assert_eq!(said("/**/x/* /* */y", SQLITE).len(), 2);
    }

    #[test]
    fn what_is_not_closed_reaches_to_the_end() {
        for sql in ["'a b", "\"a b", "`a b", "[a b"] {
            assert_eq!(one(sql, SQLITE).1, "a b", "{sql}");
        }
        assert!(said("/* a b", SQLITE).is_empty());
    }

    #[test]
    fn numbers_and_dots() {
        let kinds = |sql| -> Vec<Kind> { said(sql, SQLITE).into_iter().map(|it| it.0).collect() };
        assert_eq!(
            kinds("1.5e3"),
            [Kind::Number, Kind::Sign('.'), Kind::Number]
        );
        assert_eq!(kinds("a.b"), [Kind::Word, Kind::Sign('.'), Kind::Word]);
        assert_eq!(kinds("0x1F"), [Kind::Number]);
        assert_eq!(kinds("x'00'"), [Kind::Word, Kind::Text]);
    }

    #[test]
    fn places() {
        let all = tokens("SELECT 'ä', [b]", SQLITE);
        let places: Vec<_> = all.iter().map(|token| (token.start, token.end)).collect();
        assert_eq!(places, [(0, 6), (7, 11), (11, 12), (13, 16)]);
    }
}
