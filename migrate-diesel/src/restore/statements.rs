//! Statements of a SQLite script, one by one, in flat memory.
//!
//! Where a statement ends is decided as SQLite's own shell decides it: by the state machine of
//! `sqlite3_complete` (<https://sqlite.org/c3ref/complete.html>, `src/complete.c`), which knows strings,
//! quoted names, comments and the bodies of triggers.

use std::io::{self, Read};

use super::CHUNK;

/// A statement, and the line on which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) line: usize,
}

/// Splits what it reads.
pub(super) struct Statements<R> {
    source: R,
    buffer: Vec<u8>,
    /// How much of the buffer was handed out.
    taken: usize,
    /// How much of it the machine has seen.
    seen: usize,
    line: usize,
    machine: Machine,
    ended: bool,
}

impl<R: Read> Statements<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            taken: 0,
            seen: 0,
            line: 1,
            machine: Machine::default(),
            ended: false,
        }
    }

    pub(super) fn source_mut(&mut self) -> &mut R {
        &mut self.source
    }

    /// The next one; at the end also what no `;` ends, unless it is nothing.
    ///
    /// # Errors
    /// The source cannot be read, or is not UTF-8.
    pub(super) fn next(&mut self) -> io::Result<Option<Statement>> {
        loop {
            let unseen = self.buffer.get(self.seen..).unwrap_or_default();
            let ends = unseen.iter().position(|byte| self.machine.step(*byte));
            if let Some(at) = ends {
                self.seen += at + 1;
                return self.take().map(Some);
            }
            self.seen = self.buffer.len();
            if self.ended {
                let nothing = self.taken == self.seen || self.machine.has_only_space();
                self.machine = Machine::default();
                let rest = self.take()?;
                return Ok((!nothing).then_some(rest));
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.taken);
        self.seen -= self.taken;
        self.taken = 0;
        let had = self.buffer.len();
        self.buffer.resize(had + CHUNK, 0);
        let room = self.buffer.get_mut(had..).unwrap_or_default();
        let read = loop {
            match self.source.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.buffer.truncate(had + read);
        self.ended = read == 0;
        Ok(())
    }

    fn take(&mut self) -> io::Result<Statement> {
        let bytes = self.buffer.get(self.taken..self.seen).unwrap_or_default();
        let first = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
        let newlines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        let before = bytes.get(..first.unwrap_or(0)).unwrap_or_default();
        let line = self.line + newlines(before);
        let sql = std::str::from_utf8(bytes).map_err(|_| {
            let message = format!("the statement on line {line} is not valid UTF-8");
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        let statement = Statement {
            sql: sql.trim().to_owned(),
            line,
        };
        self.line += newlines(bytes);
        self.taken = self.seen;
        Ok(statement)
    }
}

/// The states of `sqlite3_complete`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Between statements.
    #[default]
    Start,
    Normal,
    Explain,
    Create,
    /// In the body of a trigger.
    Trigger,
    /// There, after a `;`.
    Semicolon,
    /// There, after the `END` that follows it.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Semicolon,
    Space,
    Other,
    Explain,
    Create,
    Temp,
    Trigger,
    End,
}

impl State {
    fn after(self, token: Token) -> Self {
        use State as S;
        use Token as T;
        match (self, token) {
            (state, T::Space) => state,
            (S::Trigger | S::Semicolon, T::Semicolon) => S::Semicolon,
            (_, T::Semicolon) => S::Start,
            (S::Semicolon, T::End) => S::End,
            (S::Trigger | S::Semicolon | S::End, _) => S::Trigger,
            (S::Start, T::Explain) => S::Explain,
            (S::Start | S::Explain, T::Create) => S::Create,
            // EXPLAIN QUERY PLAN ends up here, as there.
            (S::Explain, T::Other) => S::Explain,
            (S::Create, T::Temp) => S::Create,
            (S::Create, T::Trigger) => S::Trigger,
            _ => S::Normal,
        }
    }
}

/// In the middle of what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    /// Until this byte.
    Quotes(u8),
    Word,
    Dash,
    Slash,
    LineComment,
    BlockComment,
    /// After a `*` in it.
    BlockStar,
}

/// Reads a script byte by byte.
#[derive(Debug, Default)]
struct Machine {
    state: State,
    inside: Inside,
    /// The beginning of a word, in lower case.
    word: Vec<u8>,
}

/// The longest word that matters is `temporary`.
const LONGEST: usize = 10;

impl Machine {
    /// Whether a statement ends with this byte.
    fn step(&mut self, byte: u8) -> bool {
        match self.inside {
            Inside::Quotes(end) => {
                if byte == end {
                    self.inside = Inside::Nothing;
                }
                return false;
            }
            Inside::LineComment => {
                if byte == b'\n' {
                    self.inside = Inside::Nothing;
                }
                return false;
            }
            Inside::BlockComment | Inside::BlockStar => {
                self.inside = match byte {
                    b'*' => Inside::BlockStar,
                    b'/' if self.inside == Inside::BlockStar => Inside::Nothing,
                    _ => Inside::BlockComment,
                };
                return false;
            }
            Inside::Dash if byte == b'-' => {
                self.inside = Inside::LineComment;
                return false;
            }
            Inside::Slash if byte == b'*' => {
                self.inside = Inside::BlockComment;
                return false;
            }
            Inside::Dash | Inside::Slash => self.token(Token::Other),
            Inside::Word if is_word(byte) => {
                if self.word.len() <= LONGEST {
                    self.word.push(byte.to_ascii_lowercase());
                }
                return false;
            }
            Inside::Word => {
                let token = keyword(&self.word);
                self.token(token);
            }
            Inside::Nothing => {}
        }
        self.begin(byte)
    }

    /// The first byte of something.
    fn begin(&mut self, byte: u8) -> bool {
        self.inside = Inside::Nothing;
        match byte {
            b';' => {
                self.token(Token::Semicolon);
                return self.state == State::Start;
            }
            b' ' | b'\t' | b'\r' | b'\n' | 0x0c => self.token(Token::Space),
            b'-' => self.inside = Inside::Dash,
            b'/' => self.inside = Inside::Slash,
            b'[' => self.quotes(b']'),
            b'\'' | b'"' | b'`' => self.quotes(byte),
            byte if is_word(byte) => {
                self.word.clear();
                self.word.push(byte.to_ascii_lowercase());
                self.inside = Inside::Word;
            }
            _ => self.token(Token::Other),
        }
        false
    }

    fn quotes(&mut self, end: u8) {
        self.token(Token::Other);
        self.inside = Inside::Quotes(end);
    }

    fn token(&mut self, token: Token) {
        self.state = self.state.after(token);
    }

    /// Nothing but white space and whole comments since the last `;`.
    fn has_only_space(&self) -> bool {
        self.state == State::Start && matches!(self.inside, Inside::Nothing | Inside::LineComment)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn keyword(word: &[u8]) -> Token {
    match word {
        b"create" => Token::Create,
        b"trigger" => Token::Trigger,
        b"temp" | b"temporary" => Token::Temp,
        b"end" => Token::End,
        b"explain" => Token::Explain,
        _ => Token::Other,
    }
}

/// The first word of a statement, in upper case, after comments.
pub(super) fn first_word(sql: &str) -> String {
    let mut rest = sql.trim_start();
    loop {
        rest = if let Some(after) = rest.strip_prefix("--") {
            after.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(after) = rest.strip_prefix("/*") {
            after.split_once("*/").map_or("", |(_, after)| after)
        } else {
            break;
        }
        .trim_start();
    }
    rest.chars()
        .take_while(char::is_ascii_alphabetic)
        .collect::<String>()
        .to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out few bytes at a time.
    struct Slow<'t>(&'t [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (now, later) = self.0.split_at(self.1.min(self.0.len()).min(buffer.len()));
            buffer[..now.len()].copy_from_slice(now);
            self.0 = later;
            Ok(now.len())
        }
    }

    fn split(text: &str) -> Vec<(usize, String)> {
        let mut seen: Option<Vec<(usize, String)>> = None;
        for step in [1, 3, usize::MAX] {
            let mut statements = Statements::new(Slow(text.as_bytes(), step));
            let mut all = Vec::new();
            while let Some(Statement { sql, line }) = statements.next().unwrap() {
                all.push((line, sql));
            }
            if let Some(seen) = &seen {
                assert_eq!(seen, &all);
            }
            seen = Some(all);
        }
        seen.unwrap()
    }

    #[test]
    fn where_statements_end() {
        for (text, expected) in [
            ("", vec![]),
            ("  \n -- nothing\n", vec![]),
            ("SELECT 1", vec![(1, "SELECT 1")]),
            (
                "SELECT 1;\n\nSELECT 2;",
                vec![(1, "SELECT 1;"), (3, "SELECT 2;")],
            ),
            (
                "INSERT INTO t VALUES (';', \"a;b\", [c;d], `e;f`, 'it''s; -- no');SELECT 2;",
                vec![
                    (
                        1,
                        "INSERT INTO t VALUES (';', \"a;b\", [c;d], `e;f`, 'it''s; -- no');",
                    ),
                    (1, "SELECT 2;"),
                ],
            ),
            (
                "-- a;b\nSELECT 1 /* ; **/ - 2 / 3;\nSELECT 4;",
                vec![(1, "-- a;b\nSELECT 1 /* ; **/ - 2 / 3;"), (3, "SELECT 4;")],
            ),
            (
                "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END;\nSELECT 3;",
                vec![
                    (
                        1,
                        "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END;",
                    ),
                    (2, "SELECT 3;"),
                ],
            ),
            (
                "CREATE TABLE trigger_log (the_end TEXT); SELECT 1;",
                vec![
                    (1, "CREATE TABLE trigger_log (the_end TEXT);"),
                    (1, "SELECT 1;"),
                ],
            ),
            ("SELECT 'open;", vec![(1, "SELECT 'open;")]),
            ("/* open", vec![(1, "/* open")]),
        ] {
            let expected: Vec<(usize, String)> = expected
                .into_iter()
                .map(|(line, sql)| (line, sql.to_owned()))
                .collect();
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn other_bytes_than_text_are_told() {
        let mut statements = Statements::new(&b"SELECT 1;\n\nSELECT '\xff';"[..]);
        statements.next().unwrap();
        let error = statements.next().unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
    }

    #[test]
    fn first_words() {
        for (sql, word) in [
            ("begin transaction;", "BEGIN"),
            ("-- x\n/* y */ COMMIT;", "COMMIT"),
            ("", ""),
        ] {
            assert_eq!(first_word(sql), word);
        }
    }
}
