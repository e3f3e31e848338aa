//! What names and queries look like: rules that attributes share, each with words of its own for what
//! breaks them. All of it runs while compiling.

/// Refuses, at the place of the rule's caller, with these words if there are any.
#[track_caller]
pub(crate) const fn refuse(fault: Option<&'static str>) {
    assert!(
        fault.is_none(),
        "{}",
        match fault {
            Some(message) => message,
            None => "",
        }
    );
}

/// Longest part of a name, in bytes: PostgreSQL cuts longer ones off without a word,
/// <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>.
const MAX_PART_BYTES: usize = 63;

/// Whether a name can have a schema before it.
#[derive(Clone, Copy)]
pub(crate) enum Schema {
    Allowed,
    /// The name of a column: a dot in it separates nothing.
    No,
}

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameFault {
    Empty,
    Quotes,
    Control,
    /// At an end.
    Blank,
    EmptyPart,
    Long,
    /// More than two of them.
    Parts,
}

/// The first thing that is wrong with a name.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the loop"
)]
pub(crate) const fn name_fault(name: &str, schema: Schema) -> Option<NameFault> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Some(NameFault::Empty);
    }
    let dots = matches!(schema, Schema::Allowed);
    let (mut at, mut begin, mut parts) = (0, 0, 1);
    while at < bytes.len() {
        let byte = bytes[at];
        if matches!(byte, b'"' | b'`' | b'\'' | b'[' | b']') {
            return Some(NameFault::Quotes);
        }
        if byte < b' ' || byte == 0x7f {
            return Some(NameFault::Control);
        }
        if dots && byte == b'.' {
            if let Some(fault) = part_fault(begin, at) {
                return Some(fault);
            }
            parts += 1;
            begin = at + 1;
        }
        let at_an_end = at == begin || at + 1 == bytes.len() || (dots && bytes[at + 1] == b'.');
        if byte == b' ' && at_an_end {
            return Some(NameFault::Blank);
        }
        at += 1;
    }
    if let Some(fault) = part_fault(begin, at) {
        return Some(fault);
    }
    if parts > 2 {
        return Some(NameFault::Parts);
    }
    None
}

const fn part_fault(begin: usize, end: usize) -> Option<NameFault> {
    if begin >= end {
        Some(NameFault::EmptyPart)
    } else if end - begin > MAX_PART_BYTES {
        Some(NameFault::Long)
    } else {
        None
    }
}

/// Why a text is no query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryFault {
    ByteOrderMark,
    Empty,
    /// A statement that creates something.
    Create,
    /// It begins with something else.
    Other,
}

/// Why a text does not begin, after comments, as a query does.
pub(crate) const fn query_fault(sql: &str) -> Option<QueryFault> {
    let bytes = sql.as_bytes();
    let at = after_blanks(bytes, 0);
    if begins(bytes, 0, b"\xef\xbb\xbf") {
        Some(QueryFault::ByteOrderMark)
    } else if at >= bytes.len() || begins(bytes, at, b";") {
        Some(QueryFault::Empty)
    } else if begins_word(bytes, at, b"create") {
        Some(QueryFault::Create)
    } else if begins(bytes, at, b"(")
        || begins_word(bytes, at, b"select")
        || begins_word(bytes, at, b"with")
        || begins_word(bytes, at, b"values")
        || begins_word(bytes, at, b"table")
    {
        None
    } else {
        Some(QueryFault::Other)
    }
}

/// Position of the first byte from `at` on that is in no blank and no comment.
#[expect(
    clippy::indexing_slicing,
    reason = "const code cannot use `get`; bounded by the conditions"
)]
pub(crate) const fn after_blanks(text: &[u8], mut at: usize) -> usize {
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
pub(crate) const fn begins_word(text: &[u8], at: usize, word: &[u8]) -> bool {
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
