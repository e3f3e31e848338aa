//! The link-time slice of every migration of every linked crate.

use linkme::distributed_slice;

use crate::migration::Migration;

/// Every migration of every crate that is linked into this program. Its order means nothing.
#[distributed_slice]
pub static MIGRATIONS: [Migration];

/// The migrations at these paths, for [`Migrator::new`](crate::Migrator::new).
#[macro_export]
macro_rules! migrations {
    ($($path:path),* $(,)?) => {
        [$(<$path as $crate::Declared>::NODE),*]
    };
}
