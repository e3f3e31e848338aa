//! Configuration: five sources, one meaning.
//!
//! Each source becomes a [`Layer`]: texts by [`Key`], with where they stand. `merge` picks the text
//! that counts for each key, and only then asks what it means. So every mistake can name its place,
//! and a text that does not count cannot hurt.

mod databases;
mod dotenv;
mod environment;
mod expand;
mod file;
mod find;
mod merge;
mod session;
mod startup;

use std::{collections::BTreeMap, fmt, path::PathBuf};

use migrate_core::{Failure, FailureKind, Settings};

pub(crate) use merge::Config;
pub(crate) use startup::{Keys, Marker, Only, Redis, Restore};

use crate::{
    invocation::{Invocation, Program},
    request::Options,
};

/// Something that can be configured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    HistoryTable,
    Ordering,
    LockWait,
    ViewLockWait,
    ViewLockTimeout,
    OnChanged,
    MassInUp,
    /// What is done around a run.
    Startup(startup::Key),
    /// What sessions are set to: all, or those of a database, by its [folded](fold) name.
    Session(Option<String>, session::Key),
    /// The URL of a database, by its [folded](fold) name.
    Url(String),
    /// The dump that one database begins with, by its [folded](fold) name.
    RestoreFrom(String),
}

/// The names of a file's top-level keys.
const FILE_KEYS: [&str; 22] = [
    "database_url",
    "history_table",
    "ordering",
    "lock_wait",
    "view_lock_wait",
    "view_lock_timeout",
    "on_changed",
    "mass_in_up",
    "application_name",
    "search_path",
    "statement_timeout",
    "lock_timeout",
    "connect_timeout",
    "wait_for_db",
    "schema_version",
    "flag_dir",
    "redis_url",
    "redis_flush",
    "restore_from",
    "restore_command",
    "restore_expects",
    "databases",
];

impl Key {
    /// The key that `database_url` sets.
    fn default_url() -> Self {
        Self::Url(migrate_core::DEFAULT_DATABASE.to_owned())
    }

    /// From its name in a file, or in lower case in a variable.
    fn named(name: &str) -> Option<Self> {
        match name {
            "database_url" => Some(Self::default_url()),
            "history_table" => Some(Self::HistoryTable),
            "ordering" => Some(Self::Ordering),
            "lock_wait" => Some(Self::LockWait),
            "view_lock_wait" => Some(Self::ViewLockWait),
            "view_lock_timeout" => Some(Self::ViewLockTimeout),
            "on_changed" => Some(Self::OnChanged),
            "mass_in_up" => Some(Self::MassInUp),
            _ => session::Key::named(name)
                .map(|key| Self::Session(None, key))
                .or_else(|| startup::Key::named(name).map(Self::Startup)),
        }
    }
}

/// A database's name as a variable can spell it, in lower case: `user-data` is `user_data`.
fn fold(name: &str) -> String {
    Settings::folded(name)
}

/// Where a text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Variable(String),
    Dotenv {
        shown: String,
        line: usize,
        name: String,
    },
    File {
        file: PathBuf,
        shown: String,
        line: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::Dotenv {
                shown, line, name, ..
            } => write!(f, "{shown}:{line}: {name}"),
            Self::File { shown, line, .. } => write!(f, "{shown}:{line}"),
        }
    }
}

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    text: String,
    origin: Origin,
}

/// What one source says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Layer {
    entries: BTreeMap<Key, Entry>,
    /// Names of databases as they are written, by their [folded](fold) ones.
    spelled: BTreeMap<String, String>,
    /// `DATABASE_URL`, which is not ours alone and counts less.
    foreign_url: Option<Entry>,
}

/// A configuration, and what a person should read about it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) warnings: Vec<String>,
}

/// Reads every source.
///
/// # Errors
/// A file is broken, has an unknown key or a wrong type; a setting that counts has no meaning.
pub(crate) fn load(
    program: &Program,
    invocation: &Invocation,
    options: &Options,
) -> Result<Loaded, Failure> {
    let places = find::Places::new(&invocation.directory, program.manifest_dir);
    let mut warnings = Vec::new();

    let environment = environment::layer(environment::of_process(invocation)?, &mut warnings);
    let mut dotenv_variables = Vec::new();
    if let Some(path) = places.find(".env") {
        tracing::info!(path = %path.display(), "reading .env");
        dotenv_variables = dotenv::read(&path, &places.shown(&path))?;
    }
    let dotenv = environment::layer(dotenv_variables.clone(), &mut warnings);

    let mut file = Layer::default();
    let path = match &options.config {
        Some(path) => Some(invocation.directory.join(path)),
        None => places.find("migrate.toml"),
    };
    if let Some(path) = &path {
        tracing::info!(path = %path.display(), "reading the configuration file");
        file = file::read(path, &places.shown(path))?;
    }

    let variables = expand::Variables::new(invocation, &dotenv_variables);
    let config = Config::merge(
        merge::Layers {
            environment,
            dotenv,
            file,
        },
        options.database_url.as_deref(),
        variables,
        places.looked_for(path.as_deref()),
    )?;
    Ok(Loaded { config, warnings })
}

/// A mistake in the configuration.
fn mistake(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Usage, message)
}
