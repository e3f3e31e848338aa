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

/// Later.
#[migration(requires = [create_users], suspends = [ActiveUsers, Private])]
pub fn widen(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

/// Public and documented.
#[view_manager(since = create_users, sql = "SELECT id FROM users")]
#[derive(Clone, Copy, Debug)]
pub struct ActiveUsers;

/// Nothing but attributes names it.
#[view_manager(since = create_users, uses = [ActiveUsers], sql = "SELECT id FROM active_users")]
struct Private;

// Not even those.
#[view_manager(since = create_users, until = widen, sql = "SELECT id FROM users")]
struct Lonely;

#[view_manager(since = create_users, until = widen)]
struct ByHand;

#[view_manager]
impl ViewManager for ByHand {
    type Connection = SqliteConnection;
    fn up(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("CREATE VIEW by_hand AS SELECT 1")
    }
    fn down(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("DROP VIEW by_hand")
    }
}

/// Old.
#[deprecated]
#[view_manager(since = create_users, until = widen, sql = "SELECT id FROM users")]
#[derive(Clone, Copy, Debug)]
pub struct Old;

#[cfg(any())]
#[view_manager(since = nothing, sql = "SELECT 1")]
struct Absent;

#[view_manager(since = nothing, sql = "SELECT 1")]
#[cfg(any())]
struct AbsentToo;

#[cfg_attr(all(), view_manager(since = create_users, sql = "SELECT 1"))]
struct Conditional;

fn main() {
    let [create_users] = migrate_diesel::migrations![create_users];
    assert_eq!(create_users.get().id.name(), "create_users");
}
