//! The link-time slices of every migration and every view of every linked crate.

use linkme::distributed_slice;

use crate::{migration::Migration, view::View};

/// Every migration of every crate that is linked into this program. Its order means nothing.
#[distributed_slice]
pub static MIGRATIONS: [Migration];

/// Every view of every crate that is linked into this program. Its order means nothing.
#[distributed_slice]
pub static VIEWS: [View];

/// The migrations at these paths, for [`Migrator::new`](crate::Migrator::new).
#[macro_export]
macro_rules! migrations {
    ($($path:path),* $(,)?) => {
        [$(<$path as $crate::Declared>::NODE),*]
    };
}
