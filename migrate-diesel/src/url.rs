//! From a URL to a connection.

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use diesel::Connection as _;
use migrate_core::{DatabaseUrl, percent_decode};

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

/// The URL with the scheme that the driver knows.
pub(crate) fn for_driver(url: &DatabaseUrl) -> String {
    let text = url.reveal();
    text.strip_prefix("mariadb://")
        .map_or_else(|| text.to_owned(), |rest| format!("mysql://{rest}"))
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
                    diesel::PgConnection::establish(url.reveal()).map(Self::Postgres)
                }
                #[cfg(feature = "mysql")]
                Some("mysql" | "mariadb") => {
                    diesel::MysqlConnection::establish(&for_driver(url)).map(Self::Mysql)
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
