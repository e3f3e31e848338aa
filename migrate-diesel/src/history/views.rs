//! Which views are in the database: a row for each that this program put there, and what is needed
//! to bring back one that is down.
//!
//! Where DDL is transactional and a transaction is open, a row only changes with a definition: a
//! rollback brings dropped views back. Elsewhere the row says `suspended`, with everything that
//! hangs on the view, before it is dropped; a later process finds it there.

use std::{collections::HashMap, time::SystemTime};

use migrate_core::Fingerprint;

use super::Store;
use crate::{backend::Driver, error::Error};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordedView {
    /// `package:Name`; empty for something that nobody declared.
    pub(crate) id: String,
    pub(crate) fingerprint: Option<Fingerprint>,
    /// What brings it back, if it is down: see `guard::saved`.
    pub(crate) saved: Option<String>,
}

/// Rows by the view's name.
pub(crate) type RecordedViews = HashMap<String, RecordedView>;

impl Store {
    /// The rows of these names, or all of them.
    pub(crate) fn recorded_views(
        &self,
        driver: &mut dyn Driver,
        names: Option<&[&str]>,
    ) -> Result<RecordedViews, Error> {
        let condition = match names {
            None => String::new(),
            Some([]) => return Ok(RecordedViews::new()),
            Some(names) => {
                let list: Vec<String> = names.iter().map(|name| self.text_literal(name)).collect();
                format!(" WHERE name IN ({})", list.join(", "))
            }
        };
        let rows = driver
            .rows(&format!(
                "SELECT name AS c0, id AS c1, fingerprint AS c2, state AS c3, saved AS c4, NULL AS c5 FROM {}{condition}",
                self.views
            ))
            .map_err(Error::database(format!("read the table `{}_views`", self.table)))?;
        let rows = rows.into_iter().filter_map(|row| {
            let suspended = row.c3.as_deref() == Some("suspended");
            let view = RecordedView {
                id: row.c1.unwrap_or_default(),
                fingerprint: row.c2.and_then(|text| text.parse().ok()),
                saved: row.c4.filter(|_| suspended),
            };
            Some((row.c0?, view))
        });
        Ok(rows.collect())
    }

    /// The statements that say that a view is up, as this program declares it.
    pub(crate) fn view_is_up(
        &self,
        name: &str,
        id: &str,
        fingerprint: Fingerprint,
        by: &str,
    ) -> Vec<String> {
        vec![
            self.forget_view(name),
            self.view_row(name, id, Some(fingerprint), None, by),
        ]
    }

    /// The statements that say that something is down for a while, and how to bring it back.
    pub(crate) fn view_is_suspended(
        &self,
        name: &str,
        recorded: &RecordedView,
        saved: &str,
        by: &str,
    ) -> Vec<String> {
        vec![
            self.forget_view(name),
            self.view_row(name, &recorded.id, recorded.fingerprint, Some(saved), by),
        ]
    }

    /// The statement that forgets a view.
    pub(crate) fn forget_view(&self, name: &str) -> String {
        format!(
            "DELETE FROM {} WHERE name = {}",
            self.views,
            self.text_literal(name)
        )
    }

    /// Whether a message is one of ours that writes these rows, and nothing else.
    pub(crate) fn is_record_of_views(&self, sql: &str) -> bool {
        ["DELETE FROM ", "INSERT INTO "].into_iter().any(|verb| {
            let rest = sql.strip_prefix(verb);
            let rest = rest.and_then(|rest| rest.strip_prefix(self.views.as_str()));
            rest.is_some_and(|rest| rest.starts_with(' '))
        })
    }

    fn view_row(
        &self,
        name: &str,
        id: &str,
        fingerprint: Option<Fingerprint>,
        saved: Option<&str>,
        by: &str,
    ) -> String {
        let fingerprint = fingerprint.map_or_else(|| "NULL".to_owned(), |it| format!("'{it}'"));
        format!(
            "INSERT INTO {} (name, id, state, fingerprint, changed_at, run_by, saved) VALUES ({}, {}, '{}', {fingerprint}, {}, {}, {})",
            self.views,
            self.text_literal(name),
            self.text_literal(id),
            if saved.is_some() { "suspended" } else { "up" },
            self.dialect.timestamp(SystemTime::now()),
            self.text_literal(by),
            self.dialect.optional_text(saved),
        )
    }

    fn text_literal(&self, text: &str) -> String {
        (self.dialect.text)(text)
    }
}
