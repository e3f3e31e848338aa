//! SQLite: the script is read here, in one transaction.

use std::io::{self, Read};

use migrate_core::restore::Dump;

use super::{
    Restoration, RestoreError,
    error::Said,
    frame::Frame,
    statements::{Statement, Statements, first_word},
};
use crate::error::Error;

impl Restoration<'_> {
    pub(super) fn sqlite(&mut self, dump: &mut dyn Dump) -> Result<(), Error> {
        // A script has its tables in any order. Inside a transaction this pragma does nothing.
        let enforced = self.pragma("foreign_keys")?;
        let doing = || Error::database("begin the restore");
        self.driver
            .batch("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")
            .map_err(doing())?;
        let result = self.read_script(dump).and_then(|()| {
            let lacking = self.lacking()?;
            if !lacking.is_empty() {
                return Err(RestoreError::Lacking(lacking).into());
            }
            self.driver
                .batch("COMMIT")
                .map_err(Error::database("commit the restore"))
        });
        if result.is_err() {
            // Nothing to lose: the error that counts is the first.
            let _ = self.driver.batch("ROLLBACK");
        }
        if self.driver.depth().is_ok() {
            self.driver.set_depth(0);
        }
        if enforced.as_deref() == Some("1") {
            self.driver
                .batch("PRAGMA foreign_keys = ON")
                .map_err(Error::database("end the restore"))?;
        }
        result
    }

    fn pragma(&mut self, name: &str) -> Result<Option<String>, Error> {
        let rows = self
            .driver
            .rows(&format!(
                "SELECT CAST({name} AS TEXT) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM pragma_{name}"
            ))
            .map_err(Error::database("read the settings of the connection"))?;
        Ok(rows.into_iter().next().and_then(|row| row.c0))
    }

    fn read_script(&mut self, dump: &mut dyn Dump) -> Result<(), Error> {
        let mut statements = Statements::new(Framed {
            dump,
            frame: Frame::default(),
            refused: None,
        });
        let mut open = Open::No;
        loop {
            let statement = match statements.next() {
                Ok(statement) => statement,
                Err(error) => {
                    let refused = statements.source_mut().refused.take();
                    return Err(refused.unwrap_or(RestoreError::Dump(error)).into());
                }
            };
            let Some(statement) = statement else {
                break;
            };
            open = self.statement(&statement, open)?;
        }
        statements.source_mut().frame.check_end()?;
        match open {
            Open::No => Ok(()),
            Open::Since(line) => Err(RestoreError::Partial(format!(
                "it begins a transaction on line {line} that it does not commit"
            ))
            .into()),
        }
    }

    /// All is one transaction: those of the script are only looked at.
    fn statement(&mut self, statement: &Statement, open: Open) -> Result<Open, Error> {
        let Statement { sql, line } = statement;
        match first_word(sql).as_str() {
            "BEGIN" => Ok(Open::Since(*line)),
            "COMMIT" | "END" => Ok(Open::No),
            // `.dump` ends with `ROLLBACK; -- due to errors` when it could not read everything.
            // `ROLLBACK TO` is about a savepoint.
            "ROLLBACK" if !sql.to_ascii_uppercase().contains(" TO ") => {
                Err(RestoreError::Partial(format!(
                    "it takes itself back on line {line} (ROLLBACK), as one does that was written with errors"
                ))
                .into())
            }
            _ => {
                self.driver.batch(sql).map_err(|error| {
                    RestoreError::Refused(Said(format!("line {line}: {error}")))
                })?;
                Ok(open)
            }
        }
    }
}

/// Whether the script is in a transaction of its own.
#[derive(Clone, Copy, Debug)]
enum Open {
    No,
    Since(usize),
}

/// Looks at what passes.
struct Framed<'d> {
    dump: &'d mut dyn Dump,
    frame: Frame,
    /// It is no script.
    refused: Option<RestoreError>,
}

impl Read for Framed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.dump.read(buffer)?;
        self.frame.pass(buffer.get(..read).unwrap_or_default());
        if let Err(error) = self.frame.check_head() {
            self.refused = Some(error);
            return Err(io::Error::other("it is no script"));
        }
        Ok(read)
    }
}
