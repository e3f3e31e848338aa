//! The link-time slices of every migration and every view of every linked crate.

use linkme::distributed_slice;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use crate::backend::Backend;
use crate::{directory::Directory, migration::Migration, view::View};

/// Every migration of every crate that is linked into this program. Its order means nothing.
#[distributed_slice]
pub static MIGRATIONS: [Migration];

/// Every view of every crate that is linked into this program. Its order means nothing.
#[distributed_slice]
pub static VIEWS: [View];

/// Every directory of SQL files of every crate that is linked into this program, if that was compiled with
/// debug assertions. Its order means nothing.
#[distributed_slice]
pub static DIRECTORIES: [Directory];

/// Every backend that a linked crate registered. Its order means nothing.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[distributed_slice]
pub static BACKENDS: [Backend];

/// Registers a connection for the URLs of these schemes, at link time.
///
/// `register_backend!(MyConnection, "mydb", "mydb+tls");` in the crate that implements
/// [`MigrationConnection`](crate::MigrationConnection) for it: programs that link that crate open `mydb://..`
/// with it. See [a backend of your own](crate::backend).
#[macro_export]
macro_rules! register_backend {
    ($connection:ty, $($scheme:literal),+ $(,)?) => {
        const _: () = {
            #[$crate::__private::linkme::distributed_slice($crate::__private::BACKENDS)]
            #[linkme(crate = $crate::__private::linkme)]
            static BACKEND: $crate::backend::Backend = $crate::backend::Backend::new::<$connection>(
                ::core::env!("CARGO_PKG_NAME"),
                &[$($scheme),+],
            );
        };
    };
}

/// The migrations at these paths, for [`Migrator::new`](crate::Migrator::new).
#[macro_export]
macro_rules! migrations {
    ($($path:path),* $(,)?) => {
        [$(<$path as $crate::Declared>::NODE),*]
    };
}
