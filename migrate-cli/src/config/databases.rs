//! Which databases a run is about.

use migrate_core::{
    DEFAULT_DATABASE, DatabaseSettings, DatabaseUrl, Failure,
    databases::{is_pattern, matches},
};

use super::{
    Config, Origin, fold,
    merge::{beside, value},
    mistake,
};
use crate::suggest;

impl Config {
    /// The databases to work on, `default` first: those that carried migrations belong to, or those that
    /// were asked for, by name or pattern.
    ///
    /// # Errors
    /// One of them is not configured, or nothing belongs to one that was asked for.
    pub(crate) fn targets(
        &self,
        carried: &[String],
        asked: &[String],
        backends: &[&'static str],
    ) -> Result<Vec<DatabaseSettings>, Failure> {
        let all = self.names(carried);
        let mut names = if asked.is_empty() {
            all
        } else {
            chosen(&all, carried, asked)?
        };
        if names.is_empty() {
            return Err(nothing_matches(carried));
        }
        first_default(&mut names);
        let flag_for = flag_for(&names);
        if self.flag.is_some() && flag_for.is_none() {
            return Err(
                mistake("`--database-url` does not say which database is meant")
                    .next(format!("add `--database NAME`: {}", names.join(", "))),
            );
        }
        names
            .into_iter()
            .map(|name| {
                let flag = self
                    .flag
                    .as_ref()
                    .filter(|_| flag_for.as_ref() == Some(&name));
                let url = match flag {
                    Some(url) => url.clone(),
                    None => {
                        let (url, origin) = self.url(&name, backends)?;
                        tracing::info!(database = name, %origin, "configured");
                        url
                    }
                };
                Ok(DatabaseSettings {
                    name,
                    url: DatabaseUrl::new(url),
                })
            })
            .collect()
    }

    /// The names of all databases that carried migrations belong to: those that they name, and those
    /// configured that their patterns match. `default` comes first.
    pub(crate) fn names(&self, carried: &[String]) -> Vec<String> {
        let (patterns, literal): (Vec<&String>, Vec<&String>) =
            carried.iter().partition(|name| is_pattern(name));
        let mut names: Vec<String> = literal.into_iter().cloned().collect();
        if patterns.is_empty() {
            first_default(&mut names);
            return names;
        }
        // The flag alone configures `default`.
        let flagged = self.flag.is_some().then_some(DEFAULT_DATABASE);
        let configured = self.urls.keys().map(|folded| self.spelling(folded));
        for name in configured.chain(flagged) {
            let is_new = !names.iter().any(|it| fold(it) == fold(name));
            if is_new && patterns.iter().any(|pattern| matches(pattern, name)) {
                names.push(name.to_owned());
            }
        }
        first_default(&mut names);
        names
    }

    /// All of several databases that are configured, for what is required of another one. Where something
    /// is wrong with one, that is told when it is needed.
    pub(crate) fn all(
        &self,
        carried: &[String],
        asked: &[String],
        backends: &[&'static str],
    ) -> Vec<DatabaseSettings> {
        let names = self.names(carried);
        if names.len() < 2 {
            return Vec::new();
        }
        let mut chosen = match asked {
            [] => names.clone(),
            _ => self::chosen(&names, carried, asked).unwrap_or_default(),
        };
        first_default(&mut chosen);
        let flag_for = flag_for(&chosen);
        let all = names.into_iter().chain(flag_for.iter().cloned());
        let mut settings: Vec<DatabaseSettings> = Vec::new();
        for name in all {
            let flag = self
                .flag
                .clone()
                .filter(|_| flag_for.as_ref() == Some(&name));
            let url = flag.or_else(|| Some(self.url(&name, backends).ok()?.0));
            if let Some(url) = url
                && !settings.iter().any(|it| it.name == name)
            {
                let url = DatabaseUrl::new(url);
                settings.push(DatabaseSettings { name, url });
            }
        }
        settings
    }

    /// What a person should read about the databases: patterns that match none.
    pub(crate) fn unmatched(&self, carried: &[String]) -> Vec<String> {
        let names = self.names(carried);
        let patterns = carried.iter().filter(|name| is_pattern(name));
        let idle = patterns.filter(|pattern| !names.iter().any(|name| matches(pattern, name)));
        idle.map(|pattern| {
            format!(
                "no configured database matches `{pattern}`, which migrations belong to: they run nowhere; \
                 `[databases.NAME]` in migrate.toml configures one"
            )
        })
        .collect()
    }

    /// As the file writes it; a variable's name does not tell.
    fn spelling<'a>(&'a self, folded: &'a str) -> &'a str {
        self.spelled.get(folded).map_or(folded, String::as_str)
    }

    /// Whether a URL is configured for this database.
    pub(crate) fn has_url(&self, name: &str) -> bool {
        self.urls.contains_key(&fold(name))
    }

    /// The URL of a database, and where it stands.
    fn url(&self, name: &str, backends: &[&'static str]) -> Result<(String, &Origin), Failure> {
        let entry = self
            .urls
            .get(&fold(name))
            .ok_or_else(|| self.not_configured(name, backends))?;
        let url = value(entry, &self.variables)?;
        if url.trim().is_empty() {
            return Err(mistake(format!(
                "{}: the URL of database `{name}` is empty",
                entry.origin
            )));
        }
        let url = match &entry.origin {
            Origin::File { file, .. } => beside(file, &url),
            _ => url,
        };
        Ok((url, &entry.origin))
    }

    fn not_configured(&self, name: &str, backends: &[&'static str]) -> Failure {
        let example = match backends.first() {
            Some(&"postgres") => "postgres://user:password@localhost/app",
            Some(&"mysql") => "mysql://user:password@localhost/app",
            _ => "sqlite://app.db",
        };
        let (lines, variable) = if name == DEFAULT_DATABASE {
            (
                format!("database_url = \"{example}\""),
                "DATABASE_URL".to_owned(),
            )
        } else {
            (
                format!("[databases.{name}]\nurl = \"{example}\""),
                format!("MIGRATE_DATABASES_{}_URL", fold(name).to_ascii_uppercase()),
            )
        };
        let mut failure = mistake(format!(
            "database `{name}` is not configured: it has no URL"
        ));
        failure.causes.push(self.looked_for.clone());
        if let Some(near) = suggest::nearest(&fold(name), self.urls.keys().map(String::as_str)) {
            failure.causes.push(format!(
                "configured is `{near}`, to which no migration belongs"
            ));
        }
        failure.next(format!(
            "write this into migrate.toml beside the program's Cargo.toml\n\n{}\n\nor set {variable}, or give `--database-url URL`",
            lines
                .lines()
                .map(|line| format!("  {line}"))
                .collect::<Vec<_>>()
                .join("\n")
        ))
    }
}

/// `default`, then by name.
fn first_default(names: &mut [String]) {
    names.sort_by(|one, other| {
        let key = |name: &String| (name != DEFAULT_DATABASE, name.clone());
        key(one).cmp(&key(other))
    });
}

/// `--database-url` is for the one database that is meant; among several, it is what `database_url` is in
/// the file: the URL of `default`.
fn flag_for(names: &[String]) -> Option<String> {
    match names {
        [only] => Some(only.clone()),
        several => several.iter().find(|it| *it == DEFAULT_DATABASE).cloned(),
    }
}

/// Of `all`, those that `asked` names or matches.
fn chosen(all: &[String], carried: &[String], asked: &[String]) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = Vec::new();
    for asked in asked {
        let mut found: Vec<String> = all
            .iter()
            .filter(|it| matches(asked, it))
            .cloned()
            .collect();
        if found.is_empty() {
            // Its URL may be missing, which is another mistake, or given by a flag.
            if is_pattern(asked) || !carried.iter().any(|it| matches(it, asked)) {
                return Err(not_carried(asked, all));
            }
            found.push(asked.clone());
        }
        for name in found {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

fn not_carried(asked: &str, all: &[String]) -> Failure {
    let hint = match suggest::nearest(asked, all.iter().map(String::as_str)) {
        Some(nearest) if !is_pattern(asked) => format!("did you mean `{nearest}`?"),
        _ => format!("migrations of this program belong to: {}", all.join(", ")),
    };
    let what = if is_pattern(asked) {
        format!("no database matches `{asked}`")
    } else {
        format!("no migration belongs to a database `{asked}`")
    };
    mistake(what).next(hint)
}

fn nothing_matches(carried: &[String]) -> Failure {
    mistake(format!(
        "no configured database matches `{}`",
        carried.join("` or `")
    ))
    .next("migrations belong to all databases that match: configure each as `[databases.NAME]` in migrate.toml")
}
