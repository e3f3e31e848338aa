#![doc = include_str!("../docs/testing.md")]

mod database;
mod error;
mod place;
mod schema;
mod server;
mod squash;
mod template;

pub use database::TestDatabase;
pub use error::TestError;
pub use template::Testing;

use crate::migration::Declared;

/// Asserts that `M` leads to one schema, however often it is reverted: before it, after `up` and
/// `down`, and after a second `up`.
///
/// # Panics
/// When it does not, with what differs; when it cannot be reverted; when there is no database.
#[track_caller]
pub fn assert_reversible<M: Declared>() {
    settle(Testing::linked().and_then(|testing| testing.reversible::<M>()));
}

/// As [`assert_reversible`], for each linked migration that says `down = ..`, in one database: the one
/// test that keeps all of them honest.
///
/// # Panics
/// As [`assert_reversible`], at the first that does not hold.
#[track_caller]
pub fn assert_all_reversible() {
    settle(Testing::linked().and_then(|testing| testing.all_reversible()));
}

/// Asserts that the squash `M` makes the schema that the migrations make which it replaces. Views
/// take no part.
///
/// # Panics
/// When it does not, with what differs; when a migration fails; when there is no database.
#[track_caller]
pub fn assert_squash<M: Declared>() {
    settle(Testing::linked().and_then(|testing| testing.squash::<M>()));
}

#[track_caller]
#[expect(clippy::panic, reason = "this is what an assertion does")]
fn settle(result: Result<(), TestError>) {
    if let Err(error) = result {
        panic!("{error:?}");
    }
}
