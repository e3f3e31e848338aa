//! Which text counts for each key, and what it means.

use std::{collections::BTreeMap, path::Path, time::Duration};

use migrate_core::{Failure, OnChanged, Ordering, Settings, frontend::MassInUp};

use super::{
    Entry, Key, Layer, Origin,
    expand::{Variables, expand},
    mistake,
};
use crate::args;

/// The sources below flags.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) environment: Layer,
    pub(super) dotenv: Layer,
    pub(super) file: Layer,
}

/// What is configured.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) settings: Settings,
    /// By folded name; looked into when a database is asked for.
    pub(super) urls: BTreeMap<String, Entry>,
    /// Names of databases as the file writes them, by folded name.
    pub(super) spelled: BTreeMap<String, String>,
    /// What is done around a run; looked into when there is one.
    pub(super) startup: BTreeMap<super::startup::Key, Entry>,
    /// Of one database, by folded name.
    pub(super) restore_from: BTreeMap<String, Entry>,
    /// `--database-url`: beats all of them.
    pub(super) flag: Option<String>,
    pub(super) variables: Variables,
    /// Where the configuration file was looked for.
    pub(super) looked_for: String,
}

impl Config {
    /// Flag > environment > `.env` > file > default.
    ///
    /// # Errors
    /// A setting that counts has no meaning. (A URL is looked into when it is asked for.)
    pub(super) fn merge(
        layers: Layers,
        database_url: Option<&str>,
        variables: Variables,
        looked_for: String,
    ) -> Result<Self, Failure> {
        let foreign = layers.environment.foreign_url.or(layers.dotenv.foreign_url);
        let mut entries = layers.file.entries;
        let spelled = layers.file.spelled;
        if let Some(foreign) = foreign {
            entries.insert(Key::default_url(), foreign);
        }
        entries.extend(layers.dotenv.entries);
        entries.extend(layers.environment.entries);

        let mut settings = Settings::default();
        let mut urls = BTreeMap::new();
        let mut startup = BTreeMap::new();
        let mut restore_from = BTreeMap::new();
        for (key, entry) in entries {
            let text = |entry: &Entry| value(entry, &variables);
            match key {
                Key::HistoryTable => settings.history_table = history_table(&entry, text(&entry)?)?,
                Key::Ordering => settings.ordering = ordering(&entry, &text(&entry)?)?,
                Key::LockWait => {
                    settings.lock_wait = duration(&entry, "lock_wait", &text(&entry)?)?;
                }
                Key::ViewLockWait => {
                    settings.view_lock_wait = duration(&entry, "view_lock_wait", &text(&entry)?)?;
                }
                Key::ViewLockTimeout => {
                    settings.view_lock_timeout = attempt(&entry, &text(&entry)?)?;
                }
                Key::OnChanged => {
                    settings.on_changed = on_changed(&entry, &text(&entry)?)?;
                }
                Key::MassInUp => {
                    settings.mass_in_up = mass_in_up(&entry, &text(&entry)?)?;
                }
                Key::Session(None, key) => {
                    key.set(&entry, text(&entry)?, &mut settings.session)?;
                }
                Key::Session(Some(database), key) => {
                    let session = settings.sessions.entry(database).or_default();
                    key.set(&entry, text(&entry)?, session)?;
                }
                Key::Startup(key) => {
                    startup.insert(key, entry);
                }
                Key::Url(name) => {
                    urls.insert(name, entry);
                }
                Key::RestoreFrom(name) => {
                    restore_from.insert(name, entry);
                }
            }
        }
        Ok(Self {
            settings,
            urls,
            spelled,
            startup,
            restore_from,
            flag: database_url.map(str::to_owned),
            variables,
            looked_for,
        })
    }
}

/// The text of an entry. Only the file's are expanded: a shell has done its own.
pub(super) fn value(entry: &Entry, variables: &Variables) -> Result<String, Failure> {
    if !matches!(entry.origin, Origin::File { .. }) {
        return Ok(entry.text.clone());
    }
    expand(&entry.text, variables).map_err(|error| {
        mistake(format!("{}: {error}", entry.origin))
            .next("set it in the environment or in .env, or give a default: `${NAME:-default}`")
    })
}

fn history_table(entry: &Entry, text: String) -> Result<String, Failure> {
    if text.trim().is_empty() {
        return Err(wrong(entry, "history_table", &text, "it is empty"));
    }
    Ok(text)
}

fn ordering(entry: &Entry, text: &str) -> Result<Ordering, Failure> {
    match text {
        "declared" => Ok(Ordering::Declared),
        "stamped" => Ok(Ordering::Stamped),
        _ => Err(wrong(
            entry,
            "ordering",
            text,
            "it is `declared` or `stamped`",
        )),
    }
}

fn mass_in_up(entry: &Entry, text: &str) -> Result<MassInUp, Failure> {
    match text {
        "enqueue" => Ok(MassInUp::Enqueue),
        "inline" => Ok(MassInUp::Inline),
        "leave" => Ok(MassInUp::Leave),
        _ => Err(wrong(
            entry,
            "mass_in_up",
            text,
            "it is `enqueue`, `inline` or `leave`",
        )),
    }
}

fn on_changed(entry: &Entry, text: &str) -> Result<OnChanged, Failure> {
    match text {
        "warn" => Ok(OnChanged::Warn),
        "refuse" => Ok(OnChanged::Refuse),
        _ => Err(wrong(entry, "on_changed", text, "it is `warn` or `refuse`")),
    }
}

pub(super) fn duration(entry: &Entry, key: &str, text: &str) -> Result<Duration, Failure> {
    args::duration(text).map_err(|why| wrong(entry, key, text, &why))
}

/// Databases count in milliseconds, and take nothing for no limit at all.
fn attempt(entry: &Entry, text: &str) -> Result<Duration, Failure> {
    const KEY: &str = "view_lock_timeout";
    let attempt = duration(entry, KEY, text)?;
    if attempt < Duration::from_millis(1) {
        return Err(wrong(entry, KEY, text, "it is at least `1ms`"));
    }
    Ok(attempt)
}

pub(super) fn wrong(entry: &Entry, key: &str, text: &str, why: &str) -> Failure {
    // A variable's name says already which key it is.
    let place = &entry.origin;
    match entry.origin {
        Origin::File { .. } => mistake(format!("{place}: `{key}` cannot be `{text}`: {why}")),
        _ => mistake(format!("{place} cannot be `{text}`: {why}")),
    }
}

/// A relative SQLite path in a file is relative to the file.
pub(super) fn beside(file: &Path, url: &str) -> String {
    let Some((scheme, path)) = url
        .strip_prefix("sqlite://")
        .map(|path| ("sqlite://", path))
        .or_else(|| url.strip_prefix("sqlite:").map(|path| ("sqlite:", path)))
    else {
        return url.to_owned();
    };
    let directory = file.parent().unwrap_or(Path::new(""));
    if path.is_empty()
        || path.starts_with('/')
        || path.starts_with(':')
        || !directory.is_absolute()
        || Path::new(path).is_absolute()
    {
        return url.to_owned();
    }
    // What a URL would read as something else.
    let directory: String = directory
        .to_string_lossy()
        .chars()
        .map(|c| match c {
            '%' | '?' | '#' | ' ' => format!("%{:02X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    let path = path.strip_prefix("./").unwrap_or(path);
    format!("{scheme}{}/{path}", directory.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_file_is_relative_to_the_file() {
        for (url, expected) in [
            ("sqlite://shop.db", "sqlite:///srv/a%20b/shop.db"),
            (
                "sqlite://./data/shop.db?mode=ro",
                "sqlite:///srv/a%20b/data/shop.db?mode=ro",
            ),
            ("sqlite:shop.db", "sqlite:/srv/a%20b/shop.db"),
            ("sqlite:///var/shop.db", "sqlite:///var/shop.db"),
            ("sqlite::memory:", "sqlite::memory:"),
            ("sqlite://:memory:", "sqlite://:memory:"),
            ("postgres://db/shop", "postgres://db/shop"),
        ] {
            assert_eq!(beside(Path::new("/srv/a b/migrate.toml"), url), expected);
        }
    }
}
