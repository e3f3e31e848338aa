//! What is done around a run, at the start of a container: waiting, marker, Redis, a dump to begin with.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use migrate_core::{DEFAULT_DATABASE, DatabaseUrl, Failure};

use super::{Config, Entry, Origin, fold, merge, mistake};

/// Names in the file; in upper case after `MIGRATE_` in the environment.
const KEYS: [(&str, Key); 8] = [
    ("wait_for_db", Key::WaitForDb),
    ("schema_version", Key::SchemaVersion),
    ("flag_dir", Key::FlagDir),
    ("redis_url", Key::RedisUrl),
    ("redis_flush", Key::RedisFlush),
    ("restore_from", Key::RestoreFrom),
    ("restore_command", Key::RestoreCommand),
    ("restore_expects", Key::RestoreExpects),
];

/// Something around a run that can be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    WaitForDb,
    SchemaVersion,
    FlagDir,
    RedisUrl,
    RedisFlush,
    RestoreFrom,
    RestoreCommand,
    RestoreExpects,
}

impl Key {
    pub(super) fn named(name: &str) -> Option<Self> {
        let (_, key) = KEYS.into_iter().find(|(known, _)| *known == name)?;
        Some(key)
    }

    fn name(self) -> &'static str {
        let name = KEYS.into_iter().find(|(_, key)| *key == self);
        name.map_or("", |(name, _)| name)
    }
}

/// What is configured around a run.
#[derive(Debug, Default)]
pub(crate) struct Startup {
    /// For how long to wait for a database that cannot be reached yet.
    pub(crate) wait_for_db: Option<Duration>,
    pub(crate) redis: Option<Redis>,
    pub(crate) restore: Restore,
}

/// Where completion is noted, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) directory: PathBuf,
    pub(crate) version: String,
}

/// A Redis, and what goes from it after a run that applied something.
#[derive(Debug)]
pub(crate) struct Redis {
    /// Its password never shows.
    pub(crate) url: DatabaseUrl,
    pub(crate) keys: Keys,
}

/// Which keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// All of the URL's database.
    Database,
    /// Those that match, in Redis's own patterns: `prefix:*`.
    Matching(String),
}

/// A dump, and how it is read.
#[derive(Debug, Default)]
pub(crate) struct Restore {
    /// What the database `default`, or the only one, begins with where it has no history.
    pub(crate) from: Option<PathBuf>,
    /// What one of them does, by folded name.
    of: BTreeMap<String, PathBuf>,
    /// Makes SQL of a dump in another format.
    pub(crate) command: Option<String>,
    /// Tables that have to be there afterwards, instead of the history's.
    pub(crate) expects: Vec<String>,
}

impl Config {
    /// What is configured around a run. `here` is what a path in a variable is relative to.
    ///
    /// # Errors
    /// A value has no meaning; a key is missing that another needs.
    pub(crate) fn startup(&self, here: &Path) -> Result<Startup, Failure> {
        Ok(Startup {
            wait_for_db: self.wait_for_db()?,
            redis: redis(self.text(Key::RedisUrl)?, self.text(Key::RedisFlush)?)?,
            restore: self.restore(here)?,
        })
    }

    /// For how long to wait for a database that cannot be reached yet.
    ///
    /// # Errors
    /// It is no duration.
    pub(crate) fn wait_for_db(&self) -> Result<Option<Duration>, Failure> {
        Ok(match self.text(Key::WaitForDb)? {
            Some((entry, text)) => Some(merge::duration(entry, Key::WaitForDb.name(), &text)?),
            None => None,
        })
    }

    /// Where completion is noted, if both of its keys are configured.
    ///
    /// # Errors
    /// A value has no meaning.
    pub(crate) fn marker(&self, here: &Path) -> Result<Option<Marker>, Failure> {
        let version = match self.text(Key::SchemaVersion)? {
            Some((entry, text)) => Some(checked_version(entry, text)?),
            None => None,
        };
        Ok(match (version, self.path(Key::FlagDir, here)?) {
            (Some(version), Some(directory)) => Some(Marker { directory, version }),
            // Each alone is how it is before a deploy says the other.
            (version, directory) => {
                tracing::debug!(?version, ?directory, "no completion marker");
                None
            }
        })
    }

    /// How dumps are read.
    ///
    /// # Errors
    /// A value has no meaning.
    pub(crate) fn restore(&self, here: &Path) -> Result<Restore, Failure> {
        let expects = self.text(Key::RestoreExpects)?;
        let expects = expects.map_or_else(Vec::new, |(_, text)| {
            let names = text.split(',').map(str::trim);
            let names = names.filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        });
        let mut of = BTreeMap::new();
        for (name, entry) in &self.restore_from {
            let text = merge::value(entry, &self.variables)?;
            let path = checked_path(entry, "restore_from", here, &text)?;
            of.insert(name.clone(), path);
        }
        Ok(Restore {
            from: self.path(Key::RestoreFrom, here)?,
            of,
            command: self.text(Key::RestoreCommand)?.map(|(_, text)| text),
            expects,
        })
    }

    /// A value that is there, and where it stands.
    fn text(&self, key: Key) -> Result<Option<(&Entry, String)>, Failure> {
        let Some(entry) = self.startup.get(&key) else {
            return Ok(None);
        };
        let text = merge::value(entry, &self.variables)?;
        Ok(Some((entry, text)))
    }

    fn path(&self, key: Key, here: &Path) -> Result<Option<PathBuf>, Failure> {
        let Some((entry, text)) = self.text(key)? else {
            return Ok(None);
        };
        checked_path(entry, key.name(), here, &text).map(Some)
    }
}

impl Restore {
    /// What the database `name` begins with. `only` says whether it is the only one.
    pub(crate) fn file(&self, name: &str, only: Only) -> Option<&Path> {
        let general = name == DEFAULT_DATABASE || only == Only::Yes;
        let of = self.of.get(&fold(name));
        of.or(self.from.as_ref().filter(|_| general))
            .map(PathBuf::as_path)
    }
}

/// Whether there is no other database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    Yes,
    No,
}

fn checked_path(entry: &Entry, name: &str, here: &Path, text: &str) -> Result<PathBuf, Failure> {
    if text.trim().is_empty() {
        return Err(merge::wrong(entry, name, text, "it is empty"));
    }
    Ok(beside(entry, here, text))
}

/// A version becomes part of a file's name.
fn checked_version(entry: &Entry, version: String) -> Result<String, Failure> {
    let wrong = |why| merge::wrong(entry, Key::SchemaVersion.name(), &version, why);
    if version.trim().is_empty() {
        return Err(wrong("it is empty"));
    }
    if version.contains(['/', '\\']) || version.chars().any(char::is_control) {
        return Err(wrong(
            "it becomes part of a file's name, which has no slash and no control characters",
        ));
    }
    if version.len() > 200 {
        return Err(wrong(
            "it is longer than the 200 bytes that a file's name has room for",
        ));
    }
    Ok(version)
}

fn redis(
    url: Option<(&Entry, String)>,
    flush: Option<(&Entry, String)>,
) -> Result<Option<Redis>, Failure> {
    const HOW: &str = "say which keys go after a run: `redis_flush = \"prefix:*\"`, or `redis_flush = \"db\"` for all of its database";
    let (url, flush) = match (url, flush) {
        (None, None) => return Ok(None),
        (Some(url), Some(flush)) => (url, flush),
        // Nobody's keys are removed because a default said so.
        (Some((entry, _)), None) => {
            return Err(mistake(format!(
                "{}: `redis_url` is configured, and `redis_flush` is not",
                entry.origin
            ))
            .next(HOW));
        }
        (None, Some((entry, _))) => {
            return Err(mistake(format!(
                "{}: `redis_flush` is configured, and `redis_url` is not",
                entry.origin
            ))
            .next("say where Redis is: `redis_url = \"redis://host:6379/0\"`"));
        }
    };
    let (entry, text) = flush;
    let keys = match text.trim() {
        "" => {
            return Err(
                merge::wrong(entry, Key::RedisFlush.name(), &text, "it is empty").next(HOW),
            );
        }
        "db" => Keys::Database,
        // A word alone matches the one key of that name: more likely a prefix without its `*`.
        pattern if !pattern.contains(['*', '?', '[']) => {
            let why = "it is `db`, or a pattern with a `*`";
            return Err(merge::wrong(entry, Key::RedisFlush.name(), &text, why).next(HOW));
        }
        pattern => Keys::Matching(pattern.to_owned()),
    };
    let (entry, text) = url;
    const SCHEMES: [&str; 6] = ["redis", "rediss", "valkey", "valkeys", "redis+unix", "unix"];
    let url = DatabaseUrl::new(text.trim());
    if !url.scheme().is_some_and(|scheme| SCHEMES.contains(&scheme)) {
        return Err(mistake(format!(
            "{}: `redis_url` is not the URL of a Redis",
            entry.origin
        ))
        .next("it begins with `redis://`, `rediss://` (TLS) or `redis+unix://` (a socket)"));
    }
    Ok(Some(Redis { url, keys }))
}

/// A relative path in a file is relative to the file, another one to the working directory.
fn beside(entry: &Entry, here: &Path, path: &str) -> PathBuf {
    match &entry.origin {
        Origin::File { file, .. } => file.parent().unwrap_or(Path::new("")).join(path),
        _ => here.join(path),
    }
}
