//! What sessions are set to: at the top for all databases, in `[databases.NAME]` for one.

use std::time::Duration;

use migrate_core::{Failure, SessionSettings};

use super::{
    Entry,
    merge::{duration, wrong},
};

/// A key, wherever it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    ApplicationName,
    SearchPath,
    StatementTimeout,
    LockTimeout,
    ConnectTimeout,
}

/// What is allowed in the table of a database.
pub(super) const DATABASE_KEYS: [&str; 7] = [
    "url",
    "restore_from",
    "application_name",
    "search_path",
    "statement_timeout",
    "lock_timeout",
    "connect_timeout",
];

/// What follows the name of a database in a variable.
pub(super) const SUFFIXES: [(&str, Key); 5] = [
    ("_APPLICATION_NAME", Key::ApplicationName),
    ("_SEARCH_PATH", Key::SearchPath),
    ("_STATEMENT_TIMEOUT", Key::StatementTimeout),
    ("_LOCK_TIMEOUT", Key::LockTimeout),
    ("_CONNECT_TIMEOUT", Key::ConnectTimeout),
];

/// With pid, host and time after it, a name has to fit PostgreSQL's 63 bytes.
const LONGEST_NAME: usize = 28;

impl Key {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "application_name" => Some(Self::ApplicationName),
            "search_path" => Some(Self::SearchPath),
            "statement_timeout" => Some(Self::StatementTimeout),
            "lock_timeout" => Some(Self::LockTimeout),
            "connect_timeout" => Some(Self::ConnectTimeout),
            _ => None,
        }
    }

    pub(super) fn is_duration(self) -> bool {
        matches!(
            self,
            Self::StatementTimeout | Self::LockTimeout | Self::ConnectTimeout
        )
    }

    /// Sets it.
    ///
    /// # Errors
    /// The text has no meaning.
    pub(super) fn set(
        self,
        entry: &Entry,
        text: String,
        into: &mut SessionSettings,
    ) -> Result<(), Failure> {
        match self {
            Self::ApplicationName => {
                into.application_name = Some(application_name(entry, text)?);
            }
            Self::SearchPath => into.search_path = Some(filled(entry, "search_path", text)?),
            Self::StatementTimeout => {
                into.limits.statement = Some(limit(entry, "statement_timeout", &text)?);
            }
            Self::LockTimeout => into.limits.lock = Some(limit(entry, "lock_timeout", &text)?),
            Self::ConnectTimeout => {
                into.connect_timeout = Some(limit(entry, "connect_timeout", &text)?);
            }
        }
        Ok(())
    }
}

fn application_name(entry: &Entry, text: String) -> Result<String, Failure> {
    const KEY: &str = "application_name";
    let text = filled(entry, KEY, text)?;
    if text.len() > LONGEST_NAME {
        let why = format!("it has at most {LONGEST_NAME} bytes, because pid and host follow it");
        return Err(wrong(entry, KEY, &text, &why));
    }
    Ok(text)
}

fn filled(entry: &Entry, key: &str, text: String) -> Result<String, Failure> {
    if text.trim().is_empty() {
        return Err(wrong(entry, key, &text, "it is empty"));
    }
    Ok(text)
}

/// Databases count in milliseconds, and take nothing for no limit at all.
fn limit(entry: &Entry, key: &str, text: &str) -> Result<Duration, Failure> {
    let limit = duration(entry, key, text)?;
    if limit < Duration::from_millis(1) {
        let why = "it is at least `1ms`: leave it out to have no limit";
        return Err(wrong(entry, key, text, why));
    }
    if limit.as_millis() > i32::MAX as u128 {
        let why = "it is at most 24 days: leave it out to have no limit";
        return Err(wrong(entry, key, text, why));
    }
    Ok(limit)
}
