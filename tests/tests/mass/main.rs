//! Mass migrations for real: worker processes that are killed, signals, deploys around them, and what is wrong
//! with other tools.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, from one end to the other"
)]

mod crew;
mod defects;
mod guards;
mod line;
mod proof;
mod signals;
mod sleepers;
mod up;

/// A module of tests for a backend.
macro_rules! on_each_backend {
    ($($test:ident),+ $(,)?) => {
        on_each_backend! { @each sqlite Sqlite $($test),+ }
        on_each_backend! { @each postgres Postgres $($test),+ }
        on_each_backend! { @each mysql Mysql $($test),+ }
    };
    (@each $module:ident $backend:ident $($test:ident),+) => {
        mod $module {
            $(#[test]
            fn $test() {
                super::$test(migrate_tests::database::Backend::$backend);
            })+
        }
    };
}
use on_each_backend;
