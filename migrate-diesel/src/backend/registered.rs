//! [`Backend`]: a backend of another crate, found at link time by the schemes of its URLs.

use std::fmt;

use diesel::ConnectionResult;
use migrate_core::DatabaseUrl;

use super::{MigrationConnection, OtherConnection};
use crate::{error::Error, registry::BACKENDS};

/// A backend of another crate: [`register_backend!`](crate::register_backend) writes one static of this type.
pub struct Backend {
    package: &'static str,
    schemes: &'static [&'static str],
    open: fn(&DatabaseUrl) -> ConnectionResult<OtherConnection>,
}

impl Backend {
    /// Its URLs are opened by `C::establish`, whole and as they are written.
    #[must_use]
    pub const fn new<C: MigrationConnection>(
        package: &'static str,
        schemes: &'static [&'static str],
    ) -> Self {
        Self {
            package,
            schemes,
            open: |url| C::establish(url.reveal()).map(OtherConnection::new),
        }
    }

    /// The crate that registered it.
    #[must_use]
    pub const fn package(&self) -> &'static str {
        self.package
    }

    /// What its URLs begin with, without `://`.
    #[must_use]
    pub const fn schemes(&self) -> &'static [&'static str] {
        self.schemes
    }

    /// Connects.
    ///
    /// # Errors
    /// The connection's.
    pub fn open(&self, url: &DatabaseUrl) -> ConnectionResult<OtherConnection> {
        (self.open)(url)
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend")
            .field("package", &self.package)
            .field("schemes", &self.schemes)
            .finish_non_exhaustive()
    }
}

/// The schemes that this crate opens itself, as it was built.
const OWN: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "sqlite",
    #[cfg(feature = "postgres")]
    "postgres",
    #[cfg(feature = "postgres")]
    "postgresql",
    #[cfg(feature = "mysql")]
    "mysql",
    #[cfg(feature = "mysql")]
    "mariadb",
];

/// The backend that registered `scheme`.
pub(crate) fn by_scheme(scheme: &str) -> Option<&'static Backend> {
    BACKENDS
        .iter()
        .find(|backend| backend.schemes.contains(&scheme))
}

/// Every scheme that is registered, sorted.
pub(crate) fn schemes() -> Vec<&'static str> {
    let mut schemes: Vec<&str> = BACKENDS
        .iter()
        .flat_map(|backend| backend.schemes.iter().copied())
        .collect();
    schemes.sort_unstable();
    schemes.dedup();
    schemes
}

/// Refuses schemes that two backends of this program open.
pub(crate) fn check() -> Result<(), Error> {
    match contested(&BACKENDS) {
        Some(message) => Err(Error::Setting(message)),
        None => Ok(()),
    }
}

/// The first scheme, by name, that two open; which of them the linker put first means nothing.
fn contested(backends: &[Backend]) -> Option<String> {
    let own = OWN.iter().map(|scheme| (*scheme, env!("CARGO_PKG_NAME")));
    let others = backends.iter().flat_map(|backend| {
        let package = backend.package;
        backend.schemes.iter().map(move |scheme| (*scheme, package))
    });
    let mut all: Vec<(&str, &str)> = own.chain(others).collect();
    all.sort_unstable();
    all.windows(2).find_map(|pair| match pair {
        [(scheme, one), (other, two)] if scheme == other => Some(format!(
            "two backends open `{scheme}://`: one of the crate `{one}`, one of the crate `{two}`; link only one of them"
        )),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnyConnection;

    fn backend(package: &'static str, schemes: &'static [&'static str]) -> Backend {
        Backend::new::<AnyConnection>(package, schemes)
    }

    #[test]
    fn every_scheme_has_one_backend() {
        let fine = [backend("duck", &["duckdb", "duck"]), backend("b", &["b"])];
        assert_eq!(contested(&fine), None);
        let twice = [backend("zeta", &["x"]), backend("alpha", &["w", "x"])];
        assert_eq!(
            contested(&twice).as_deref(),
            Some(
                "two backends open `x://`: one of the crate `alpha`, one of the crate `zeta`; link only one of them"
            )
        );
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn ours_are_taken() {
        let message = contested(&[backend("zeta", &["sqlite"])]).unwrap_or_default();
        assert!(
            message.contains("`migrate-diesel`") && message.contains("`zeta`"),
            "{message}"
        );
    }
}
