//! Variables, of the environment or of `.env`, as a layer.

use migrate_core::Failure;

use super::{Entry, Key, Layer, Origin, mistake, session};
use crate::{invocation::Invocation, suggest};

const PREFIX: &str = "MIGRATE_";
const DATABASES: &str = "MIGRATE_DATABASES_";
const URL: &str = "_URL";
const RESTORE_FROM: &str = "_RESTORE_FROM";

/// Names of variables, for suggestions.
const NAMES: [&str; 24] = [
    "MIGRATE_DATABASE_URL",
    "MIGRATE_HISTORY_TABLE",
    "MIGRATE_ORDERING",
    "MIGRATE_LOCK_WAIT",
    "MIGRATE_VIEW_LOCK_WAIT",
    "MIGRATE_VIEW_LOCK_TIMEOUT",
    "MIGRATE_APPLICATION_NAME",
    "MIGRATE_SEARCH_PATH",
    "MIGRATE_STATEMENT_TIMEOUT",
    "MIGRATE_LOCK_TIMEOUT",
    "MIGRATE_WAIT_FOR_DB",
    "MIGRATE_SCHEMA_VERSION",
    "MIGRATE_FLAG_DIR",
    "MIGRATE_REDIS_URL",
    "MIGRATE_REDIS_FLUSH",
    "MIGRATE_RESTORE_FROM",
    "MIGRATE_RESTORE_COMMAND",
    "MIGRATE_RESTORE_EXPECTS",
    "MIGRATE_DATABASES_NAME_URL",
    "MIGRATE_DATABASES_NAME_APPLICATION_NAME",
    "MIGRATE_DATABASES_NAME_SEARCH_PATH",
    "MIGRATE_DATABASES_NAME_STATEMENT_TIMEOUT",
    "MIGRATE_DATABASES_NAME_LOCK_TIMEOUT",
    "MIGRATE_DATABASES_NAME_RESTORE_FROM",
];

/// The variables of the process that concern us.
///
/// # Errors
/// One of ours is not UTF-8.
pub(super) fn of_process(invocation: &Invocation) -> Result<Vec<(String, Entry)>, Failure> {
    let mut variables = Vec::new();
    for (name, value) in &invocation.environment {
        let Some(name) = name
            .to_str()
            .filter(|name| name.starts_with(PREFIX) || *name == "DATABASE_URL")
        else {
            continue;
        };
        let text = value
            .to_str()
            .ok_or_else(|| mistake(format!("the variable {name} is not valid UTF-8")))?;
        if !text.is_empty() {
            let origin = Origin::Variable(name.to_owned());
            variables.push((
                name.to_owned(),
                Entry {
                    text: text.to_owned(),
                    origin,
                },
            ));
        }
    }
    variables.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(variables)
}

/// Sorts variables into keys. One that looks like ours and is not is worth a warning, not an error:
/// the name may be somebody else's.
pub(super) fn layer(variables: Vec<(String, Entry)>, warnings: &mut Vec<String>) -> Layer {
    let mut layer = Layer::default();
    for (name, entry) in variables {
        if name == "DATABASE_URL" {
            // As with every source, the first counts.
            layer.foreign_url.get_or_insert(entry);
        } else if let Some(key) = key(&name) {
            layer.entries.entry(key).or_insert(entry);
        } else if name.starts_with(PREFIX) {
            let mut warning = format!("{} is not a setting and has no effect", entry.origin);
            if let Some(nearest) = suggest::nearest(&name, NAMES) {
                warning.push_str(&format!("; did you mean {nearest}?"));
            }
            warnings.push(warning);
        }
    }
    layer
}

fn key(name: &str) -> Option<Key> {
    let database = |suffix| {
        let database = name.strip_prefix(DATABASES)?.strip_suffix(suffix)?;
        (!database.is_empty()).then(|| super::fold(database))
    };
    if let Some(database) = database(URL) {
        return Some(Key::Url(database));
    }
    if let Some(database) = database(RESTORE_FROM) {
        return Some(Key::RestoreFrom(database));
    }
    for (suffix, key) in session::SUFFIXES {
        if let Some(database) = database(suffix) {
            return Some(Key::Session(Some(database), key));
        }
    }
    let name = name.strip_prefix(PREFIX)?;
    // `MIGRATE_database_url` is a mistake, not a setting.
    (name.to_ascii_uppercase() == name)
        .then(|| Key::named(&name.to_ascii_lowercase()))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> (Layer, Vec<String>) {
        let invocation = Invocation {
            args: Vec::new(),
            environment: pairs
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            directory: "/".into(),
        };
        let mut warnings = Vec::new();
        let layer = layer(of_process(&invocation).unwrap(), &mut warnings);
        (layer, warnings)
    }

    #[test]
    fn every_key_has_a_variable() {
        let (layer, warnings) = of(&[
            ("MIGRATE_DATABASE_URL", "a"),
            ("MIGRATE_HISTORY_TABLE", "b"),
            ("MIGRATE_ORDERING", "c"),
            ("MIGRATE_LOCK_WAIT", "d"),
            ("MIGRATE_VIEW_LOCK_WAIT", "v"),
            ("MIGRATE_VIEW_LOCK_TIMEOUT", "w"),
            ("MIGRATE_DATABASES_USER_DATA_URL", "e"),
            ("DATABASE_URL", "f"),
            ("PATH", "g"),
        ]);
        let seen: Vec<(&Key, &str)> = layer
            .entries
            .iter()
            .map(|(key, entry)| (key, entry.text.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (&Key::HistoryTable, "b"),
                (&Key::Ordering, "c"),
                (&Key::LockWait, "d"),
                (&Key::ViewLockWait, "v"),
                (&Key::ViewLockTimeout, "w"),
                (&Key::Url("default".to_owned()), "a"),
                (&Key::Url("user_data".to_owned()), "e"),
            ]
        );
        assert_eq!(layer.foreign_url.unwrap().text, "f");
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn an_unknown_one_is_told_with_the_nearest() {
        let (layer, warnings) = of(&[("MIGRATE_HISTORY_TABEL", "x"), ("MIGRATE_LOCK_WAIT", "")]);
        assert_eq!(layer, Layer::default());
        assert_eq!(
            warnings,
            [
                "MIGRATE_HISTORY_TABEL is not a setting and has no effect; did you mean MIGRATE_HISTORY_TABLE?"
            ]
        );
    }
}
