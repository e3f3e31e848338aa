//! The rules of lifetimes, checked while compiling.

use crate::node::{NodeRef, ViewRef};

/// A view's `until` comes after its `since`.
#[track_caller]
pub const fn check_until(_view: ViewRef) {}

/// A view lives within the lifetime of one that it uses.
#[track_caller]
pub const fn check_uses(_view: ViewRef, _used: ViewRef) {}

/// A migration suspends a view that is alive there.
#[track_caller]
pub const fn check_suspends(_migration: NodeRef, _view: ViewRef) {}

/// Of two views of one name, the one that has an end ends before the other begins, or begins after
/// its end.
#[track_caller]
pub const fn check_no_overlap(_ended: ViewRef, _open: ViewRef) {}
