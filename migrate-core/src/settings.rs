//! [`Settings`]: what a person configures, after every source was read.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{
    credentials::mask_credentials, frontend::MassInUp, interrupt::Interrupt, limits::Limits,
};

/// Which of the migrations that are ready comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Ordering {
    /// Crates in the order of `main!`, files by path, lines.
    #[default]
    Declared,
    /// By the number in the name (`.._20260330_001`, `m20260330_001_..`); none comes before all.
    ///
    /// It is a row of groups of digits that `_`, `-` or `.` set apart, at the end of the name or at
    /// its beginning (there also after an `m`, then with three digits at least); of two the one with
    /// more digits. Digits that touch a letter belong to a word: `users2` and `add_2fa` have no
    /// number, that of `v2_003` is 3. Groups compare one by one, as numbers of any length; what is
    /// absent counts as 0. Equal ones stand in declared order.
    Stamped,
}

/// What `up` does where something applied has changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum OnChanged {
    /// Says so and goes on where it is a function (rustfmt may have touched it), and applies nothing
    /// where it is SQL text.
    #[default]
    RefuseSql,
    /// Says so and goes on.
    Warn,
    /// Applies nothing before a person has accepted the change.
    Refuse,
}

/// How long an attempt to connect may take where nothing else is said: a host that drops packets is given up
/// after that, and not when the system does, after minutes.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of a program's migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Name of the history table, perhaps with a schema: `ops.migrate_history`.
    pub history_table: String,
    /// Order among migrations that are ready.
    pub ordering: Ordering,
    /// How long to wait for the deploy lock.
    pub lock_wait: Duration,
    /// How long to wait for those who read a view that has to go down, in all attempts together.
    pub view_lock_wait: Duration,
    /// How long one attempt waits: for so long those who come later wait behind it.
    pub view_lock_timeout: Duration,
    /// What `up` does where something applied has changed since.
    pub on_changed: OnChanged,
    /// All databases that are configured: asked where a migration requires one of another database.
    pub databases: Vec<DatabaseSettings>,
    /// What `up` does about mass migrations.
    pub mass_in_up: MassInUp,
    /// What the sessions of a run are set to.
    pub session: SessionSettings,
    /// As `session`, by [folded](Self::folded) name of the database: what is absent here is as there.
    pub sessions: BTreeMap<String, SessionSettings>,
    /// Asks its runs to end early.
    pub interrupt: Interrupt,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            history_table: "migrate_history".to_owned(),
            ordering: Ordering::Declared,
            lock_wait: Duration::from_secs(60),
            view_lock_wait: Duration::from_secs(60),
            // Below PostgreSQL's `deadlock_timeout` (1 s), so that of a reader and us, who wait for
            // each other, it is us who give way.
            view_lock_timeout: Duration::from_millis(500),
            on_changed: OnChanged::RefuseSql,
            databases: Vec::new(),
            mass_in_up: MassInUp::default(),
            session: SessionSettings::default(),
            sessions: BTreeMap::new(),
            interrupt: Interrupt::new(),
        }
    }
}

impl Settings {
    /// A database's name as a variable can spell it, in lower case: `user-data` is `user_data`.
    #[must_use]
    pub fn folded(name: &str) -> String {
        name.chars()
            .map(|c| match c {
                c if c.is_alphanumeric() => c.to_ascii_lowercase(),
                _ => '_',
            })
            .collect()
    }

    /// These settings, with attempts to connect that take no longer than this, whichever the database.
    #[must_use]
    pub fn connecting_within(&self, limit: Duration) -> Self {
        let mut settings = self.clone();
        let own = settings.sessions.values_mut();
        for timeout in own.filter_map(|session| session.connect_timeout.as_mut()) {
            *timeout = limit.min(*timeout);
        }
        let all = &mut settings.session.connect_timeout;
        *all = Some(limit.min(all.unwrap_or(DEFAULT_CONNECT_TIMEOUT)));
        settings
    }

    /// These settings for one database, with its own session.
    #[must_use]
    pub fn for_database(&self, name: &str) -> Self {
        let own = self
            .sessions
            .get(&Self::folded(name))
            .cloned()
            .unwrap_or_default();
        let session = own.over(&self.session);
        Self {
            session,
            sessions: BTreeMap::new(),
            ..self.clone()
        }
    }
}

/// What a session is set to. Absent: as the database has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionSettings {
    /// What the session of a run calls itself; `migrate` where absent.
    pub application_name: Option<String>,
    /// Where names without a schema are looked up.
    pub search_path: Option<String>,
    /// How long its statements may take.
    pub limits: Limits,
    /// How long one attempt to connect may take, at each address; 30 s where absent. What the URL says of it
    /// (`?connect_timeout=10`) counts more.
    pub connect_timeout: Option<Duration>,
}

impl SessionSettings {
    /// These, and from `other` what is absent here.
    #[must_use]
    pub fn over(self, other: &Self) -> Self {
        Self {
            application_name: self
                .application_name
                .or_else(|| other.application_name.clone()),
            search_path: self.search_path.or_else(|| other.search_path.clone()),
            limits: Limits {
                statement: self.limits.statement.or(other.limits.statement),
                lock: self.limits.lock.or(other.limits.lock),
            },
            connect_timeout: self.connect_timeout.or(other.connect_timeout),
        }
    }
}

/// A configured database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// `default`, or the name of its table `[databases.NAME]`.
    pub name: String,
    /// Where it is.
    pub url: DatabaseUrl,
}

/// A database URL. Its password never shows: `Debug` and `Display` mask it.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// From text as a person wrote it.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// With the password: for connecting, never for showing.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What stands before `://`; `None` when there is no such thing.
    #[must_use]
    pub fn scheme(&self) -> Option<&str> {
        self.0.split_once("://").map(|(scheme, _)| scheme)
    }

    /// The passwords in it, as written and percent-decoded, so that a driver's error text can be cleaned of them.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut found: Vec<&str> = Vec::new();
        if let Some((_, rest)) = self.0.split_once("://") {
            // The last `@` before the path: a password may hold an `@` that nobody encoded.
            let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            if let Some((user, _)) = authority.rsplit_once('@').or_else(|| rest.rsplit_once('@')) {
                found.extend(user.split_once(':').map(|(_, password)| password));
            }
            // It may hold a `/` as well: then the path seems to have an `@`.
            let (path, _) = rest.split_once('?').unwrap_or((rest, ""));
            let user = path.rsplit_once('@').map_or("", |(user, _)| user);
            found.extend(user.split_once(':').map(|(_, password)| password));
            let query = rest.split_once('?').map_or("", |(_, query)| query);
            found.extend(
                query
                    .split('&')
                    // `pass` is Redis's word.
                    .filter_map(|pair| {
                        pair.strip_prefix("password=")
                            .or_else(|| pair.strip_prefix("pass="))
                    }),
            );
        }
        // Of a password that nobody encoded, a driver may take a part for the host, and quote it.
        let pieces = found.iter();
        let pieces = pieces.flat_map(|secret| secret.split(['@', '/', '?', '#', ':']));
        let pieces: Vec<&str> = pieces.filter(|piece| piece.len() > 2).collect();
        found.extend(pieces);
        let mut secrets = Vec::new();
        for secret in found.into_iter().filter(|secret| !secret.is_empty()) {
            let decoded = percent_decode(secret);
            if decoded != secret {
                secrets.push(decoded);
            }
            secrets.push(secret.to_owned());
        }
        // The longest first: what is left of it when a part was masked would not be found.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        secrets
    }

    /// `text` with every secret of this URL masked.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.secrets().iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), "***")
        })
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As it may be no URL at all.
        f.write_str(&mask_credentials(&self.redact(&self.0)))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// Decodes `%41` to `A` (RFC 3986, section 2.1); what is no such escape stays.
#[must_use]
pub fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(escape.unwrap_or(byte));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_to_connect_get_shorter_never_longer() {
        let seconds = Duration::from_secs;
        let mut settings = Settings::default();
        let within = |settings: &Settings, limit, name| {
            let settings = settings.connecting_within(limit);
            settings.for_database(name).session.connect_timeout
        };
        assert_eq!(within(&settings, seconds(5), "a"), Some(seconds(5)));
        assert_eq!(
            within(&settings, seconds(99), "a"),
            Some(DEFAULT_CONNECT_TIMEOUT)
        );
        settings.session.connect_timeout = Some(seconds(3));
        let mut own = SessionSettings::default();
        settings.sessions.insert("plain".to_owned(), own.clone());
        own.connect_timeout = Some(seconds(60));
        settings.sessions.insert("slow".to_owned(), own);
        assert_eq!(within(&settings, seconds(10), "slow"), Some(seconds(10)));
        assert_eq!(within(&settings, seconds(10), "plain"), Some(seconds(3)));
    }

    #[test]
    fn passwords_do_not_show() {
        for url in [
            "postgres://me:s3cret@db/shop",
            "postgres://me:s3cret@db:5432/shop?sslmode=require",
            "mysql://me:s3cret@db/shop",
            "postgres://db/shop?user=me&password=s3cret",
            "redis://:s3cret@cache:6379/1",
            "redis+unix:///run/redis.sock?db=1&pass=s3cret",
        ] {
            let url = DatabaseUrl::new(url);
            assert!(!url.to_string().contains("s3cret"), "{url}");
            assert!(!format!("{url:?}").contains("s3cret"));
            assert!(url.to_string().contains("***"));
            assert_eq!(
                url.redact("login failed for s3cret"),
                "login failed for ***"
            );
        }
    }

    #[test]
    fn encoded_and_unencoded_specials_do_not_show() {
        assert_eq!(
            DatabaseUrl::new("postgres://me:p%40ss@db/x").redact("p@ss p%40ss"),
            "*** ***"
        );
        assert_eq!(
            DatabaseUrl::new("postgres://me:p/s@db/x").to_string(),
            "postgres://me:***@db/x"
        );
    }

    #[test]
    fn a_url_without_password_shows_whole() {
        assert_eq!(
            DatabaseUrl::new("sqlite://shop.db").to_string(),
            "sqlite://shop.db"
        );
        assert_eq!(
            DatabaseUrl::new("postgres://me@db/x").to_string(),
            "postgres://me@db/x"
        );
    }

    #[test]
    fn percent_decoding() {
        assert_eq!(percent_decode("a%20b%zz%4"), "a b%zz%4");
        assert_eq!(percent_decode("%C3%A9"), "é");
    }
}
