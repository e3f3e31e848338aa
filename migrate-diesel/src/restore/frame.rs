//! [`Frame`]: the beginning and the end of a dump, which say whether it is whole.

use super::RestoreError;

const HEAD: usize = 4096;
const TAIL: usize = 4096;

/// What dump programs write first, and last.
const FRAMES: [(&str, &str); 4] = [
    (
        "-- PostgreSQL database dump",
        "-- PostgreSQL database dump complete",
    ),
    (
        "-- PostgreSQL database cluster dump",
        "-- PostgreSQL database cluster dump complete",
    ),
    ("-- MySQL dump ", "-- Dump completed"),
    ("-- MariaDB dump ", "-- Dump completed"),
];

/// The beginning and the end of what passed by.
#[derive(Debug, Default)]
pub(super) struct Frame {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Anything but white space.
    text: bool,
}

impl Frame {
    /// Something passes by.
    pub(super) fn pass(&mut self, chunk: &[u8]) {
        self.text |= chunk.iter().any(|byte| !byte.is_ascii_whitespace());
        let room = HEAD.saturating_sub(self.head.len()).min(chunk.len());
        self.head.extend(chunk.iter().take(room));
        self.tail
            .extend(chunk.iter().skip(chunk.len().saturating_sub(TAIL)));
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
    }

    /// Whether this is the beginning of something else than a script.
    ///
    /// # Errors
    /// It is.
    pub(super) fn check_head(&self) -> Result<(), RestoreError> {
        if self.head.starts_with(b"PGDMP") {
            return Err(RestoreError::Partial(
                "it is in an archive format of pg_dump, which `restore_command = \"pg_restore -f -\"` makes a script of"
                    .to_owned(),
            ));
        }
        if self.head.starts_with(b"SQLite format 3\0") {
            return Err(RestoreError::Partial(
                "it is a SQLite database and no script: copy the file instead, or dump it with `sqlite3 FILE .dump`"
                    .to_owned(),
            ));
        }
        if self.head.contains(&0) {
            return Err(RestoreError::Partial(
                "it is no script: say with `restore_command` what makes one of it".to_owned(),
            ));
        }
        Ok(())
    }

    /// Whether all of it passed.
    ///
    /// # Errors
    /// It ends before its end, or there was nothing.
    pub(super) fn check_end(&self) -> Result<(), RestoreError> {
        if !self.text {
            return Err(RestoreError::Partial("it is empty".to_owned()));
        }
        let head = String::from_utf8_lossy(&self.head);
        let tail = String::from_utf8_lossy(&self.tail);
        for (first, last) in FRAMES {
            let begins = head
                .lines()
                .take(40)
                .any(|line| line.starts_with(first) && !line.contains("complete"));
            if begins && !tail.lines().any(|line| line.starts_with(last)) {
                return Err(RestoreError::Partial(format!(
                    "it begins with `{}`, and does not end with `{last}`",
                    first.trim_end()
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Result<(), RestoreError> {
        let mut frame = Frame::default();
        for chunk in text.as_bytes().chunks(7) {
            frame.pass(chunk);
        }
        frame.check_end()
    }

    #[test]
    fn what_was_begun_has_to_end() {
        let middle = "INSERT INTO t VALUES (1);\n".repeat(2_000);
        for (first, last) in FRAMES {
            let whole = format!("--\n{first}\n--\n{middle}--\n{last}\n--\n");
            assert!(end(&whole).is_ok(), "{first}");
            let partial = format!("--\n{first}\n--\n{middle}");
            assert!(end(&partial).is_err(), "{first}");
        }
        assert!(end(&middle).is_ok(), "written by hand");
        assert!(end(" \n").is_err());
    }

    #[test]
    fn what_is_no_script_is_told() {
        for (head, said) in [
            (&b"PGDMP\x01\x0e"[..], "pg_restore"),
            (b"SQLite format 3\0..", "copy the file"),
            (b"\x01\x00\x02", "restore_command"),
        ] {
            let mut frame = Frame::default();
            frame.pass(head);
            let error = frame.check_head().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let mut frame = Frame::default();
        frame.pass(b"CREATE TABLE t (id int);");
        assert!(frame.check_head().is_ok());
    }
}
