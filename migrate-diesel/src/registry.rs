//! The link-time slices of every migration and every view of every linked crate.

use linkme::distributed_slice;

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

/// The migrations at these paths, for [`Migrator::new`](crate::Migrator::new).
#[macro_export]
macro_rules! migrations {
    ($($path:path),* $(,)?) => {
        [$(<$path as $crate::Declared>::NODE),*]
    };
}
