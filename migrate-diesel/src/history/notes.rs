//! Notes that a front end keeps with the history: rows of the table that also has its version.

use super::Store;
use crate::{backend::Driver, error::Error};

/// What a note's name begins with, so that none is taken for a row of ours.
const PREFIX: &str = "note:";

impl Store {
    /// What was noted under `name`; `None` also where there are no tables yet.
    pub(crate) fn read_note(
        &self,
        driver: &mut dyn Driver,
        name: &str,
    ) -> Result<Option<String>, Error> {
        if !self.takes_notes(driver)? {
            return Ok(None);
        }
        let rows = driver.rows(&format!(
            "SELECT value AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM {} WHERE {}",
            self.meta,
            self.is_note(name)
        ));
        let rows = rows.map_err(Error::database("read a note beside the history"))?;
        Ok(rows.into_iter().next().and_then(|row| row.c0))
    }

    /// Notes `value`, in place of what was noted there. `false` where there are no tables to keep it.
    pub(crate) fn write_note(
        &self,
        driver: &mut dyn Driver,
        name: &str,
        value: &str,
    ) -> Result<bool, Error> {
        if !self.takes_notes(driver)? {
            return Ok(false);
        }
        let Self { dialect, meta, .. } = self;
        let text = dialect.text;
        let script = [
            dialect.begin.to_owned(),
            format!("DELETE FROM {meta} WHERE {}", self.is_note(name)),
            format!(
                "INSERT INTO {meta} (name, value) VALUES ({}, {})",
                text(&format!("{PREFIX}{name}")),
                text(value)
            ),
            dialect.commit.to_owned(),
        ];
        let result = driver.batch(&script.join(";\n"));
        if result.is_err() {
            // The error that counts is the first.
            let _ = driver.batch(dialect.rollback);
        }
        if driver.depth().is_ok() {
            driver.set_depth(0);
        }
        result.map_err(Error::database("write a note beside the history"))?;
        Ok(true)
    }

    /// Takes a note away, if it still says `value`.
    pub(crate) fn remove_note(
        &self,
        driver: &mut dyn Driver,
        name: &str,
        value: &str,
    ) -> Result<(), Error> {
        let text = self.dialect.text;
        let removed = driver.count(&format!(
            "DELETE FROM {} WHERE {} AND value = {}",
            self.meta,
            self.is_note(name),
            text(value)
        ));
        removed
            .map(drop)
            .map_err(Error::database("remove a note beside the history"))
    }

    fn is_note(&self, name: &str) -> String {
        format!("name = {}", (self.dialect.text)(&format!("{PREFIX}{name}")))
    }

    fn takes_notes(&self, driver: &mut dyn Driver) -> Result<bool, Error> {
        let columns = driver.columns(&format!("{}_meta", self.table));
        let columns = columns.map_err(Error::database("read the catalog"))?;
        Ok(!columns.is_empty())
    }
}
