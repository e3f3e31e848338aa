//! Where test databases go.

use std::{env, path::PathBuf};

use migrate_core::DatabaseUrl;
use tempfile::TempDir;

use super::{TestError, server::Server};
use crate::backend::AnyConnection;

/// Names the server for test databases; only its scheme counts where that is SQLite's.
const VARIABLE: &str = "MIGRATE_TEST_DATABASE_URL";

/// The URL that is configured for the tests of `database`; `None` where nothing is.
pub(super) fn configured(database: &str) -> Result<Option<DatabaseUrl>, TestError> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(url) = set(VARIABLE) {
        return Ok(Some(DatabaseUrl::new(url)));
    }
    #[cfg(feature = "cli")]
    return migrate_cli::configured_url(database).map_err(TestError::Configuration);
    #[cfg(not(feature = "cli"))]
    {
        let own = match database {
            migrate_core::DEFAULT_DATABASE => {
                set("MIGRATE_DATABASE_URL").or_else(|| set("DATABASE_URL"))
            }
            name => set(&format!(
                "MIGRATE_DATABASES_{}_URL",
                name.to_ascii_uppercase()
            )),
        };
        Ok(own.map(DatabaseUrl::new))
    }
}

/// Where a test's database is, and what removes it.
#[derive(Debug)]
pub(super) enum Place {
    /// A file in a directory of its own.
    File(TempDir),
    /// A database on a server.
    Database { server: Server, name: String },
}

/// What a database is made from: one that is migrated already.
#[derive(Debug)]
pub(super) enum Template {
    /// The bytes of a SQLite file: nothing to be removed when the process ends.
    Bytes(Vec<u8>),
    /// A database on the same server.
    Name(String),
}

impl Place {
    /// A new database on the server of `url`, a SQLite file where there is none.
    pub(super) fn new(
        url: Option<&DatabaseUrl>,
        template: Option<&Template>,
    ) -> Result<Self, TestError> {
        match url.filter(|url| is_server(url)) {
            None => {
                let directory = tempfile::Builder::new()
                    .prefix("migrate_test_")
                    .tempdir()
                    .map_err(TestError::file("make a directory for the test's database"))?;
                let place = Self::File(directory);
                if let (Some(Template::Bytes(bytes)), Some(path)) = (template, place.file()) {
                    std::fs::write(path, bytes)
                        .map_err(TestError::file("write a copy of the template database"))?;
                }
                Ok(place)
            }
            Some(url) => {
                let server = Server::of(url)?;
                let template = match template {
                    Some(Template::Name(name)) => Some(name.as_str()),
                    _ => None,
                };
                let name = server.create(template)?;
                Ok(Self::Database { server, name })
            }
        }
    }

    pub(super) fn url(&self) -> DatabaseUrl {
        match self {
            Self::File(directory) => {
                // `%` begins an escape in a URL.
                let path = directory.path().join(FILE).display().to_string();
                DatabaseUrl::new(format!("sqlite://{}", path.replace('%', "%25")))
            }
            Self::Database { server, name } => server.url_of(name),
        }
    }

    pub(super) fn connect(&self) -> Result<AnyConnection, TestError> {
        Ok(AnyConnection::open(&self.url())?)
    }

    /// What is here, as a template for others. Nobody may be connected any more.
    pub(super) fn into_template(self) -> Result<Template, TestError> {
        match self {
            Self::File(ref directory) => std::fs::read(directory.path().join(FILE))
                .map(Template::Bytes)
                .map_err(TestError::file("read the template database")),
            Self::Database { name, .. } => Ok(Template::Name(name)),
        }
    }

    /// Removes it. A file goes by itself.
    pub(super) fn remove(&self) -> Result<(), TestError> {
        match self {
            Self::File(_) => Ok(()),
            Self::Database { server, name } => server.drop_database(name),
        }
    }

    fn file(&self) -> Option<PathBuf> {
        match self {
            Self::File(directory) => Some(directory.path().join(FILE)),
            Self::Database { .. } => None,
        }
    }
}

const FILE: &str = "test.db";

fn is_server(url: &DatabaseUrl) -> bool {
    crate::url::sqlite_path(url).is_none()
}

/// Whether databases of this URL can be made as copies of another.
pub(super) fn copies(url: Option<&DatabaseUrl>) -> bool {
    !url.and_then(DatabaseUrl::scheme)
        .is_some_and(|scheme| scheme == "mysql" || scheme == "mariadb")
}
