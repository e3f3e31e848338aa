//! A crate with strict lints stays as it is.
#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations,
    nonstandard_style,
    unused_qualifications,
    non_ascii_idents,
    private_interfaces,
    private_bounds,
    rust_2018_idioms,
    unused,
    single_use_lifetimes,
    unnameable_types
)]

use migrate_diesel::prelude::*;

/// Public and documented.
#[mass_migration(table = "users", key = "id", batch = 5, pause = "1ms")]
pub fn fill(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[allow(unused_variables)]
#[mass_migration(table = "users", requires = [fill])]
#[expect(unused_mut, reason = "attributes on the function keep working")]
fn attributes(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let mut unused = 1;
    Ok(0)
}

/// Old.
#[deprecated]
#[mass_migration(table = "users", requires = [fill])]
pub fn old(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch);
    Ok(0)
}

#[cfg(any())]
#[mass_migration(table = "users", requires = [nothing])]
fn absent(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    Ok(0)
}

#[mass_migration(table = "users")]
#[cfg(any())]
fn absent_too(db: &mut NoSuchConnection) {}

fn main() {
    let [fill] = migrate_diesel::migrations![fill];
    assert_eq!(fill.get().id.name(), "fill");
}
