//! [`Words`]: how keys are read and written in each database.

use std::fmt::Write as _;

use super::key::{BYTES, PartKind};
use crate::backend::Dialect;

/// How keys are read and written in a database.
#[derive(Debug)]
pub(crate) struct Words {
    /// `{}` is a column: it as text, in the form that a cursor has.
    pub(crate) bytes_as_text: &'static str,
    /// As `bytes_as_text`, for what is a UUID, a text or sixteen bytes.
    pub(crate) uuid_as_text: &'static str,
    /// As `bytes_as_text`, for anything else.
    pub(crate) text_as_text: &'static str,
    /// Around the hexadecimal digits of a literal.
    bytes: (&'static str, &'static str),
    /// Whether a UUID may be stored as bytes.
    uuid_is_bytes: bool,
    /// A text literal with zero bytes in it, where there can be any.
    zero: Option<fn(&str) -> String>,
    /// Whether a plan is chosen by how many rows a condition is thought to let through, and how few a row
    /// value does is not known.
    pub(crate) estimates: bool,
    /// After a SELECT: its rows are nobody else's until the transaction ends.
    pub(crate) for_update: &'static str,
}

static POSTGRES: Words = Words {
    bytes_as_text: r"'\x' || encode({}, 'hex')",
    uuid_as_text: "{}::text",
    text_as_text: "{}::text",
    bytes: (r"E'\\x", "'::bytea"),
    uuid_is_bytes: false,
    zero: None,
    // Does not hold up inserts of rows that refer to these.
    for_update: " FOR NO KEY UPDATE",
    estimates: true,
};

static SQLITE: Words = Words {
    bytes_as_text: r"'\x' || hex({})",
    uuid_as_text: r"CASE typeof({}) WHEN 'blob' THEN '\x' || hex({}) ELSE {} END",
    text_as_text: "CAST({} AS TEXT)",
    bytes: ("X'", "'"),
    uuid_is_bytes: true,
    zero: Some(|text| format!("CAST(X'{}' AS TEXT)", hex(text.as_bytes()))),
    for_update: "",
    estimates: false,
};

static MYSQL: Words = Words {
    bytes_as_text: r"CONCAT(CHAR(92), 'x', HEX({}))",
    uuid_as_text: r"IF(LENGTH({}) = 16, CONCAT(CHAR(92), 'x', HEX({})), CAST({} AS CHAR))",
    text_as_text: "CAST({} AS CHAR)",
    bytes: ("X'", "'"),
    uuid_is_bytes: true,
    zero: None,
    for_update: " FOR UPDATE",
    estimates: false,
};

/// The words of a database.
pub(crate) fn words(dialect: &Dialect) -> &'static Words {
    match dialect.name {
        "mysql" => &MYSQL,
        "sqlite" => &SQLITE,
        _ => &POSTGRES,
    }
}

/// `expression` as the text that a cursor has.
pub(crate) fn as_text(dialect: &Dialect, kind: PartKind, expression: &str) -> String {
    let words = words(dialect);
    match kind {
        PartKind::Integer => dialect.number_as_text,
        PartKind::Text => words.text_as_text,
        PartKind::Uuid => words.uuid_as_text,
        PartKind::Bytes => words.bytes_as_text,
    }
    .replace("{}", expression)
}

/// The text of a cursor as a literal.
pub(crate) fn literal(dialect: &Dialect, kind: PartKind, text: &str) -> String {
    let words = words(dialect);
    let digits = text
        .strip_prefix(BYTES)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    match (kind, digits, words.zero) {
        // Cursors lie in a table that others may write: only what is a number goes without quotes.
        (PartKind::Integer, ..) if text.parse::<i128>().is_ok() => text.to_owned(),
        (PartKind::Bytes, Some(digits), _) => format!("{}{digits}{}", words.bytes.0, words.bytes.1),
        (PartKind::Uuid, Some(digits), _) if words.uuid_is_bytes => {
            format!("{}{digits}{}", words.bytes.0, words.bytes.1)
        }
        (_, _, Some(zero)) if text.contains('\0') => zero(text),
        _ => (dialect.text)(text),
    }
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// A column's name in quotes; unlike a table's it has no schema.
pub(crate) fn column(dialect: &Dialect, name: &str) -> String {
    let quote = dialect.identifier_quote;
    format!(
        "{quote}{}{quote}",
        name.replace(quote, &format!("{quote}{quote}"))
    )
}
