//! `migrate.toml` as a layer: every value a text with its line.

use std::{ops::Range, path::Path};

use migrate_core::Failure;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Entry, FILE_KEYS, Key, Layer, Origin, fold, mistake, session};
use crate::suggest;

/// A key at the top, and of one database.
const RESTORE_FROM: &str = "restore_from";

/// Reads a file.
///
/// # Errors
/// It cannot be read, is no TOML, has an unknown key or a value of a wrong type. All mistakes at once.
pub(super) fn read(path: &Path, shown: &str) -> Result<Layer, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        mistake(format!("cannot read {shown}: {error}"))
            .next("`--config` names a configuration file")
    })?;
    parse(&text, path, shown)
}

fn parse(text: &str, path: &Path, shown: &str) -> Result<Layer, Failure> {
    let mut reader = Reader {
        text,
        path,
        shown,
        layer: Layer::default(),
        mistakes: Vec::new(),
    };
    let table = DeTable::parse(text).map_err(|error| {
        let line = line(text, &error.span().unwrap_or_default());
        mistake(format!(
            "{shown}:{line}: {}",
            error.message().trim().replace('\n', "; ")
        ))
    })?;
    reader.top(table.get_ref());
    let mut mistakes = reader.mistakes;
    mistakes.sort_by_key(|(line, _)| *line);
    let mut texts: Vec<String> = mistakes
        .into_iter()
        .map(|(line, text)| format!("{shown}:{line}: {text}"))
        .collect();
    match texts.len() {
        0 => Ok(reader.layer),
        1 => Err(mistake(texts.remove(0))),
        n => {
            let mut failure = mistake(format!("{shown} has {n} mistakes"));
            failure.causes = texts;
            Err(failure)
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    shown: &'a str,
    layer: Layer,
    mistakes: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn top(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let key_name: &str = name.get_ref();
            if key_name == "databases" {
                self.databases(value);
            } else if let Some(key) = Key::named(key_name) {
                self.text_of(key, key_name, value);
            } else {
                self.unknown(&name.span(), key_name, &FILE_KEYS);
            }
        }
    }

    fn databases(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(databases) = self.table("databases", value) else {
            return;
        };
        for (name, value) in databases {
            let name: &str = name.get_ref();
            let Some(database) = self.table(&format!("databases.{name}"), value) else {
                continue;
            };
            let (mut has_url, mut has_other) = (false, false);
            for (key, value) in database {
                let key_name: &str = key.get_ref();
                if key_name == "url" {
                    has_url = true;
                    self.layer.spelled.insert(fold(name), name.to_owned());
                    let full = format!("databases.{name}.url");
                    self.text_of(Key::Url(fold(name)), &full, value);
                } else if key_name == RESTORE_FROM {
                    has_other = true;
                    let full = format!("databases.{name}.{RESTORE_FROM}");
                    self.text_of(Key::RestoreFrom(fold(name)), &full, value);
                } else if let Some(session) = session::Key::named(key_name) {
                    has_other = true;
                    let full = format!("databases.{name}.{key_name}");
                    self.text_of(Key::Session(Some(fold(name)), session), &full, value);
                } else {
                    self.unknown(&key.span(), key_name, &session::DATABASE_KEYS);
                }
            }
            // Its URL may stand elsewhere.
            if !has_url && !has_other {
                self.mistake(&value.span(), format!("`[databases.{name}]` has no `url`"));
            }
        }
    }

    fn table<'v, 'i>(
        &mut self,
        name: &str,
        value: &'v Spanned<DeValue<'i>>,
    ) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(name, "a table", value);
        }
        table
    }

    fn text_of(&mut self, key: Key, name: &str, value: &Spanned<DeValue<'_>>) {
        let Some(text) = value.get_ref().as_str() else {
            let expected = match key {
                Key::LockWait | Key::Startup(super::startup::Key::WaitForDb) => {
                    "a string such as \"60s\""
                }
                Key::Session(_, key) if key.is_duration() => "a string such as \"60s\"",
                _ => "a string",
            };
            self.wrong_type(name, expected, value);
            return;
        };
        let origin = Origin::File {
            file: self.path.to_owned(),
            shown: self.shown.to_owned(),
            line: line(self.text, &value.span()),
        };
        let entry = Entry {
            text: text.to_owned(),
            origin,
        };
        if let Some(other) = self.layer.entries.insert(key, entry) {
            self.mistake(
                &value.span(),
                format!("`{name}` says what {} says already", other.origin),
            );
        }
    }

    fn wrong_type(&mut self, name: &str, expected: &str, value: &Spanned<DeValue<'_>>) {
        let found = value.get_ref().type_str();
        self.mistake(
            &value.span(),
            format!("`{name}` has to be {expected}, not {}", with_article(found)),
        );
    }

    fn unknown(&mut self, span: &Range<usize>, name: &str, known: &[&'static str]) {
        let hint = match suggest::nearest(name, known.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        self.mistake(span, format!("unknown key `{name}`; {hint}"));
    }

    fn mistake(&mut self, span: &Range<usize>, text: String) {
        self.mistakes.push((line(self.text, span), text));
    }
}

fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {word}")
}

/// The line, counted from 1, in which a span begins.
fn line(text: &str, span: &Range<usize>) -> usize {
    let before = text.get(..span.start).unwrap_or(text);
    before.matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        parse(text, Path::new("/x/migrate.toml"), "migrate.toml")
            .map(|layer| {
                layer
                    .entries
                    .iter()
                    .map(|(key, entry)| format!("{} {key:?} = {}", entry.origin, entry.text))
                    .collect()
            })
            .map_err(|failure| {
                std::iter::once(failure.message)
                    .chain(failure.causes)
                    .collect::<Vec<_>>()
                    .join("\n")
            })
    }

    #[test]
    fn every_key() {
        let text = "database_url = \"a\"\nhistory_table = \"b\"\nordering = \"c\"\nlock_wait = \"d\"\nview_lock_wait = \"v\"\nview_lock_timeout = \"w\"\non_changed = \"x\"\n\n[databases.user-data]\nurl = \"e\"\nrestore_from = \"r\"\n";
        assert_eq!(
            read(text).unwrap(),
            [
                "migrate.toml:2 HistoryTable = b",
                "migrate.toml:3 Ordering = c",
                "migrate.toml:4 LockWait = d",
                "migrate.toml:5 ViewLockWait = v",
                "migrate.toml:6 ViewLockTimeout = w",
                "migrate.toml:7 OnChanged = x",
                "migrate.toml:1 Url(\"default\") = a",
                "migrate.toml:10 Url(\"user_data\") = e",
                "migrate.toml:11 RestoreFrom(\"user_data\") = r",
            ]
        );
        assert_eq!(read("").unwrap(), [""; 0]);
    }

    #[test]
    fn mistakes_name_file_and_line() {
        for (text, expected) in [
            (
                "databse_url = \"a\"",
                "migrate.toml:1: unknown key `databse_url`; did you mean `database_url`?",
            ),
            (
                "\n\ncolour = 1",
                "migrate.toml:3: unknown key `colour`; known are database_url, history_table, ordering, lock_wait, view_lock_wait, view_lock_timeout, on_changed, mass_in_up, application_name, search_path, statement_timeout, lock_timeout, connect_timeout, wait_for_db, schema_version, flag_dir, redis_url, redis_flush, restore_from, restore_command, restore_expects, databases",
            ),
            (
                "\nlock_wait = 60",
                "migrate.toml:2: `lock_wait` has to be a string such as \"60s\", not an integer",
            ),
            (
                "history_table = [1]",
                "migrate.toml:1: `history_table` has to be a string, not an array",
            ),
            (
                "databases = \"x\"",
                "migrate.toml:1: `databases` has to be a table, not a string",
            ),
            (
                "[databases]\na = \"x\"",
                "migrate.toml:2: `databases.a` has to be a table, not a string",
            ),
            (
                "[databases.a]\nulr = \"x\"\nurl = \"y\"",
                "migrate.toml:2: unknown key `ulr`; did you mean `url`?",
            ),
            (
                "[databases.a]\n",
                "migrate.toml:1: `[databases.a]` has no `url`",
            ),
            (
                "database_url = \"a\"\n[databases.default]\nurl = \"b\"",
                "migrate.toml:3: `databases.default.url` says what migrate.toml:1 says already",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn a_broken_file_names_the_line() {
        let message = read("a = 1\nordering = \"declared\nlock_wait = \"1s\"").unwrap_err();
        assert!(message.starts_with("migrate.toml:2: "), "{message}");
        assert_eq!(message.lines().count(), 1);
    }

    #[test]
    fn all_mistakes_at_once() {
        assert_eq!(
            read("x = 1\nordering = 2").unwrap_err(),
            "migrate.toml has 2 mistakes\n\
             migrate.toml:1: unknown key `x`; known are database_url, history_table, ordering, lock_wait, view_lock_wait, view_lock_timeout, on_changed, mass_in_up, application_name, search_path, statement_timeout, lock_timeout, connect_timeout, wait_for_db, schema_version, flag_dir, redis_url, redis_flush, restore_from, restore_command, restore_expects, databases\n\
             migrate.toml:2: `ordering` has to be a string, not an integer"
        );
    }
}
