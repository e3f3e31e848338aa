//! How a view that ends finds the one of its name that does not, while compiling.
//!
//! Nothing lists the views of a crate then. But the one that has no end implements [`OpenView`] for the
//! hash of its name, and rustc infers a type parameter where one implementation alone fits: so the one
//! that ends can ask for the type that belongs to its own hash. Where there is none, a method of lower
//! priority answers: it takes one reference more.

use std::{fmt, marker::PhantomData};

use migrate_core::{ViewRef, view::check_no_overlap};

use crate::view::DeclaredView;

/// The name of a view, of one crate and in the databases that are written at it, as a hash.
pub struct Named<const HASH: u64>;

/// `V` is called so and has no end.
pub trait OpenView<V> {}

/// The question.
pub struct Probe<const HASH: u64>;

/// The answer that there is one, as its type.
pub trait SomeOpen<V> {
    /// Only its type is asked for.
    fn open(&self) -> PhantomData<V>;
}

impl<V, const HASH: u64> SomeOpen<V> for Probe<HASH>
where
    Named<HASH>: OpenView<V>,
{
    fn open(&self) -> PhantomData<V> {
        PhantomData
    }
}

/// The answer that there is none.
pub trait NoneOpen {
    /// Only its type is asked for.
    fn open(&self) -> Nothing;
}

impl<const HASH: u64> NoneOpen for &Probe<HASH> {
    fn open(&self) -> Nothing {
        Nothing
    }
}

/// No view.
pub struct Nothing;

/// An answer.
pub trait Namesake {
    /// The view.
    const OPEN: Option<ViewRef>;
}

impl Namesake for Nothing {
    const OPEN: Option<ViewRef> = None;
}

impl<V: DeclaredView> Namesake for PhantomData<V> {
    const OPEN: Option<ViewRef> = Some(V::VIEW);
}

/// Checks the view that ends against what `question` returns. It is never called: what matters is its
/// type, and in const code it could not be called.
#[track_caller]
pub const fn check_namesake<N: Namesake, Q: Fn() -> N>(_question: &Q, ended: ViewRef) {
    if let Some(open) = N::OPEN {
        check_no_overlap(ended, open);
    }
}

impl<const HASH: u64> fmt::Debug for Named<HASH> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Named({HASH:x})")
    }
}

impl<const HASH: u64> fmt::Debug for Probe<HASH> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Probe({HASH:x})")
    }
}

impl fmt::Debug for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nothing")
    }
}
