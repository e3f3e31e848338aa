//! What was sent to a database, as Diesel's instrumentation tells it.

use std::{
    cell::Cell,
    panic,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Where [`Driver::listen`](super::Driver::listen) puts what it hears.
pub type StatementLog = Arc<Mutex<Heard>>;

/// What was heard so far.
#[derive(Debug, Default)]
pub struct Heard {
    /// In order.
    pub sent: Vec<Sent>,
    /// Whether what would end the transaction may be sent.
    pub(crate) endings: Endings,
    /// Where only one question counts: nothing is kept then.
    pub(crate) only: Option<Only>,
}

/// Whether any statement was of a kind.
#[derive(Debug)]
pub(crate) struct Only {
    pub(crate) is_one: fn(&str) -> bool,
    pub(crate) was_one: bool,
}

/// A message to the database: one statement, or several.
#[derive(Clone, Debug)]
pub struct Sent {
    /// As it was sent.
    pub sql: String,
    /// Until the answer was there; `None` where none has come.
    pub duration: Option<Duration>,
    /// Whose it is.
    pub origin: Origin,
    began: Instant,
}

/// Whose a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A body's, or one that changes something for it.
    Work,
    /// A question of migrate's own to the catalog or the history.
    Question,
}

/// What becomes of statements that would end the transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Endings {
    #[default]
    Allowed,
    /// They are not sent.
    Refused,
    /// One was refused.
    Met,
}

impl Heard {
    /// A statement is about to be sent.
    ///
    /// In a rehearsal, one that would end the transaction, and make permanent what is to be rolled back, does
    /// not get that far: this call unwinds.
    pub fn start(&mut self, sql: String) {
        let is_refused = self.endings != Endings::Allowed && ends_transaction(&sql);
        match &mut self.only {
            Some(only) => only.was_one = only.was_one || (only.is_one)(&sql),
            None => self.sent.push(Sent {
                sql,
                duration: None,
                origin: if ASKING.get() {
                    Origin::Question
                } else {
                    Origin::Work
                },
                began: Instant::now(),
            }),
        }
        if is_refused {
            self.endings = Endings::Met;
            // Instrumentation cannot return an error; the runner catches this as it catches a panic.
            panic::resume_unwind(Box::new("it would end its transaction".to_owned()));
        }
    }

    /// The answer to the last one is there.
    pub fn finish(&mut self) {
        if let Some(last) = self.sent.last_mut()
            && last.duration.is_none()
        {
            last.duration = Some(last.began.elapsed());
        }
    }
}

thread_local! {
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, statements of this thread are questions.
#[derive(Debug)]
pub struct Asking {
    before: bool,
}

impl Asking {
    /// From here on.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            before: ASKING.replace(true),
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        ASKING.set(self.before);
    }
}

/// Whether one of these statements ends a transaction: `COMMIT`, `END`, `ABORT`, `PREPARE TRANSACTION`, `ROLLBACK`
/// but not to a savepoint. Read as SQLite and PostgreSQL do; a backslash escapes in `E'..'` only.
pub(crate) fn ends_transaction(sql: &str) -> bool {
    let mut words: Vec<String> = Vec::new();
    let mut creates = false;
    let mut rest = sql;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return ends(&words, creates);
        };
        rest = match first {
            '-' if rest.starts_with("--") => rest.split_once('\n').map_or("", |(_, rest)| rest),
            '/' if rest.starts_with("/*") => rest.split_once("*/").map_or("", |(_, rest)| rest),
            '\'' => {
                let escapes = words.last().is_some_and(|word| word == "E");
                after_quote(rest, '\'', escapes)
            }
            '"' | '`' => after_quote(rest, first, false),
            '[' => rest.split_once(']').map_or("", |(_, rest)| rest),
            '$' => after_dollar(rest),
            ';' => {
                if ends(&words, creates) {
                    return true;
                }
                words.clear();
                after(rest, first)
            }
            _ if is_word(first) => {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let (word, rest) = rest.split_at(end);
                let word = word.to_ascii_uppercase();
                creates |= word == "CREATE";
                // The last one says whether a literal has escapes; of the others, the first four count.
                if words.len() > 4 {
                    words.truncate(4);
                }
                words.push(word);
                rest
            }
            _ => after(rest, first),
        };
    }
}

fn ends(words: &[String], creates: bool) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["COMMIT", "PREPARED", ..] | ["ROLLBACK", "PREPARED", ..] => false,
        ["ROLLBACK", "TO", ..] | ["ROLLBACK", "TRANSACTION" | "WORK", "TO", ..] => false,
        ["COMMIT" | "ROLLBACK" | "ABORT", ..] | ["PREPARE", "TRANSACTION", ..] => true,
        // The end of a trigger's or a function's body is another one.
        ["END", ..] => !creates,
        _ => false,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn after(text: &str, first: char) -> &str {
    text.get(first.len_utf8()..).unwrap_or_default()
}

/// What follows a quoted text; a doubled quote begins another, which is the same here.
fn after_quote(text: &str, quote: char, escapes: bool) -> &str {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return text.get(at + 1..).unwrap_or_default();
        }
        if escapes && c == '\\' {
            chars.next();
        }
    }
    ""
}

/// What follows `$tag$ .. $tag$`, or the `$` of a parameter.
fn after_dollar(text: &str) -> &str {
    let inner = after(text, '$');
    let tag = inner.find(|c| !is_word(c)).and_then(|end| {
        let tag = inner.get(..end)?;
        let is_tag =
            inner.get(end..)?.starts_with('$') && !tag.starts_with(|c: char| c.is_ascii_digit());
        is_tag.then_some(tag)
    });
    let Some(tag) = tag else { return inner };
    let fence = format!("${tag}$");
    let body = text.get(fence.len()..).unwrap_or_default();
    body.split_once(&fence).map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_transaction() {
        for sql in [
            "COMMIT",
            "insert into t values (1); commit",
            "SELECT 1;\n-- now\n/* really */ Rollback ; SELECT 2",
            "END",
            "END TRANSACTION;",
            "ABORT",
            "COMMIT AND CHAIN",
            "PREPARE TRANSACTION 'x'",
            "ROLLBACK WORK",
            "SELECT E'\\''; COMMIT",
            "SELECT '\\'; COMMIT",
            "SELECT $1; COMMIT",
            "SELECT $a$ $b$ ' $a$; COMMIT",
            "SELECT a[1]; COMMIT",
        ] {
            assert!(ends_transaction(sql), "{sql}");
        }
    }

    #[test]
    fn what_does_not() {
        for sql in [
            "",
            "SELECT 'a; COMMIT'",
            "SELECT 'it''s; COMMIT; '",
            "SELECT E'\\'; COMMIT; '",
            "SELECT \"; COMMIT;\" FROM t -- ; COMMIT\n",
            "ROLLBACK TO SAVEPOINT a; RELEASE a",
            "ROLLBACK TRANSACTION TO a",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END",
            "DO $$ BEGIN PERFORM 1; COMMIT; END $$",
            "DO $body$ BEGIN; COMMIT; END $body$",
            "INSERT INTO commits VALUES (1); UPDATE t SET commit = 1",
            "CREATE TABLE t (a int) ON COMMIT DROP",
            "COMMIT PREPARED 'x'",
        ] {
            assert!(!ends_transaction(sql), "{sql}");
        }
    }

    #[test]
    fn every_statement_has_its_time_and_its_origin() {
        let mut heard = Heard::default();
        heard.start("SELECT 1".to_owned());
        heard.finish();
        let first = heard.sent[0].duration.unwrap();
        heard.finish();
        assert_eq!(
            heard.sent[0].duration,
            Some(first),
            "the first answer counts"
        );
        {
            let _asking = Asking::begin();
            heard.start("SELECT 2".to_owned());
        }
        heard.start("COMMIT".to_owned());
        let origins: Vec<Origin> = heard.sent.iter().map(|it| it.origin).collect();
        assert_eq!(origins, [Origin::Work, Origin::Question, Origin::Work]);
        assert_eq!(heard.sent[1].duration, None);
    }

    #[test]
    fn a_refused_statement_unwinds_before_it_is_sent() {
        let log = StatementLog::default();
        log.lock().unwrap().endings = Endings::Refused;
        let inner = Arc::clone(&log);
        let result = panic::catch_unwind(move || inner.lock().unwrap().start("COMMIT".to_owned()));
        assert!(result.is_err());
        let heard = log
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_eq!(heard.endings, Endings::Met);
    }
}
