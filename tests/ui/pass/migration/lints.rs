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
#[migration]
pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER)")
}

#[allow(unused_variables)]
#[migration]
#[expect(unused_mut, reason = "attributes on the function keep working")]
fn attributes(db: &mut SqliteConnection) -> QueryResult<()> {
    let mut unused = 1;
    Ok(())
}

/// Old.
#[deprecated]
#[migration(requires = [create_users])]
pub fn old(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[cfg(any())]
#[migration(requires = [nothing])]
fn absent(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration]
#[cfg(any())]
fn absent_too(db: &mut NoSuchConnection) {}

#[cfg_attr(all(), migration(id = "conditional"))]
fn conditional(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {
    let [conditional] = migrate_diesel::migrations![conditional];
    assert_eq!(conditional.get().id.name(), "conditional");
}
