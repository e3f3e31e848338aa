//! From a URL to a connection.

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use diesel::Connection as _;
use migrate_core::{DatabaseUrl, SessionSettings, percent_decode};

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use crate::{
    backend::{AnyConnection, registered},
    error::Error,
};

/// The path in a SQLite URL: `sqlite://shop.db` (relative), `sqlite:///var/shop.db`, `sqlite::memory:`.
pub(crate) fn sqlite_path(url: &DatabaseUrl) -> Option<String> {
    let text = url.reveal();
    let path = text
        .strip_prefix("sqlite://")
        .or_else(|| text.strip_prefix("sqlite:"))?;
    Some(percent_decode(path))
}

/// The URL with the scheme that the driver knows, and the time that an attempt to connect may take.
pub(crate) fn for_driver(url: &DatabaseUrl, session: &SessionSettings) -> String {
    let text = url.reveal();
    let text = text
        .strip_prefix("mariadb://")
        .map_or_else(|| text.to_owned(), |rest| format!("mysql://{rest}"));
    let is_postgres = matches!(url.scheme(), Some("postgres" | "postgresql"));
    let said = text.contains("connect_timeout=")
        || is_postgres
            && session.connect_timeout.is_none()
            && std::env::var_os("PGCONNECT_TIMEOUT").is_some();
    if said || !(is_postgres || text.starts_with("mysql://")) {
        return text;
    }
    let limit = session
        .connect_timeout
        .unwrap_or(migrate_core::DEFAULT_CONNECT_TIMEOUT);
    // In whole seconds; libpq takes nothing for no limit, and less than 2 for 2.
    let seconds = limit.as_millis().div_ceil(1_000).max(2);
    let mark = if text.contains('?') { '&' } else { '?' };
    format!("{text}{mark}connect_timeout={seconds}")
}

/// The time that a URL says an attempt to connect may take.
#[cfg(feature = "mysql")]
pub(crate) fn connect_timeout(url: &str) -> Option<std::time::Duration> {
    let (_, query) = url.split_once('?')?;
    let pairs = query.split('&');
    let seconds = pairs
        .filter_map(|pair| pair.strip_prefix("connect_timeout="))
        .find_map(|seconds| seconds.parse().ok())?;
    // As libpq takes it.
    (seconds > 0).then(|| std::time::Duration::from_secs(seconds))
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
impl AnyConnection {
    /// Connects to the database that `url` names by its scheme: `sqlite://path`, `postgres://..`, `mysql://..`, or
    /// one that a linked crate [registered](crate::register_backend).
    ///
    /// # Errors
    /// [`Error::Setting`] where two backends of this program open the same scheme;
    /// [`Error::Url`] for a scheme that this program was not built for; [`Error::Connect`], with every
    /// password masked, when the database cannot be reached.
    pub fn open(url: &DatabaseUrl) -> Result<Self, Error> {
        Self::open_for(url, &SessionSettings::default())
    }

    /// Connects, for as long as the settings of the session let it try.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        expect(unused_variables, reason = "a file is there, or it is not")
    )]
    pub(crate) fn open_for(url: &DatabaseUrl, session: &SessionSettings) -> Result<Self, Error> {
        registered::check()?;
        let connection: diesel::ConnectionResult<Self> =
            match url.scheme().or_else(|| sqlite_path(url).map(|_| "sqlite")) {
                #[cfg(feature = "sqlite")]
                Some("sqlite") => {
                    diesel::SqliteConnection::establish(&sqlite_path(url).unwrap_or_default())
                        .map(Self::Sqlite)
                }
                #[cfg(feature = "postgres")]
                Some("postgres" | "postgresql") => {
                    diesel::PgConnection::establish(&for_driver(url, session)).map(Self::Postgres)
                }
                #[cfg(feature = "mysql")]
                Some("mysql" | "mariadb") => {
                    crate::backend::mysql::establish(&for_driver(url, session)).map(Self::Mysql)
                }
                scheme => match scheme.and_then(registered::by_scheme) {
                    Some(backend) => backend.open(url).map(Self::Other),
                    None => return Err(unknown_scheme(url, scheme)),
                },
            };
        connection.map_err(|error| Error::connect(url, &error))
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn unknown_scheme(url: &DatabaseUrl, scheme: Option<&str>) -> Error {
    let feature = match scheme {
        Some("sqlite") => Some("sqlite"),
        Some("postgres" | "postgresql") => Some("postgres"),
        Some("mysql" | "mariadb") => Some("mysql"),
        _ => None,
    };
    Error::Url(match (feature, scheme) {
        (Some(feature), _) => format!(
            "{url}: this program was built without this database; give migrate-diesel the feature `{feature}`"
        ),
        (None, Some(scheme)) => {
            format!(
                "{url}: no database is called `{scheme}`; a URL begins with {}",
                beginnings()
            )
        }
        (None, None) => {
            format!(
                "`{url}` is not a database URL; it begins with {}",
                beginnings()
            )
        }
    })
}

/// `sqlite://`, `postgres://` or `mysql://`, and what is registered.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn beginnings() -> String {
    let mut all = vec!["sqlite", "postgres", "mysql"];
    all.extend(registered::schemes());
    let last = all.pop().unwrap_or_default();
    let list: Vec<String> = all.iter().map(|scheme| format!("`{scheme}://`")).collect();
    format!("{} or `{last}://`", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let path = |url: &str| sqlite_path(&DatabaseUrl::new(url));
        assert_eq!(path("sqlite://shop.db").as_deref(), Some("shop.db"));
        assert_eq!(
            path("sqlite:///var/my%20shop.db").as_deref(),
            Some("/var/my shop.db")
        );
        assert_eq!(path("sqlite::memory:").as_deref(), Some(":memory:"));
        assert_eq!(path("postgres://x"), None);
    }

    #[test]
    fn attempts_to_connect_have_an_end() {
        let mut session = SessionSettings::default();
        let given =
            |url: &str, session: &SessionSettings| for_driver(&DatabaseUrl::new(url), session);
        assert_eq!(
            given("mariadb://me@db/shop", &session),
            "mysql://me@db/shop?connect_timeout=30"
        );
        session.connect_timeout = Some(std::time::Duration::from_millis(4_500));
        assert_eq!(
            given("postgres://db/shop?sslmode=require", &session),
            "postgres://db/shop?sslmode=require&connect_timeout=5"
        );
        for as_it_is in [
            "postgres://db/shop?connect_timeout=90",
            "sqlite://shop.db",
            "duck://x",
        ] {
            assert_eq!(given(as_it_is, &session), as_it_is);
        }
    }

    #[test]
    fn what_is_no_database_is_said() {
        let text = |url: &str| {
            AnyConnection::open(&DatabaseUrl::new(url))
                .unwrap_err()
                .to_string()
        };
        assert!(text("oracle://me:secret@x/y").contains("no database is called `oracle`"));
        assert!(!text("oracle://me:secret@x/y").contains("secret"));
        assert!(text("shop.db").contains("is not a database URL"));
    }
}
