//! [`NodeRef`] and [`ViewRef`]: addresses of descriptors, usable in statics without const evaluation
//! following them.

use std::{fmt, hash};

use crate::{descriptor::Descriptor, view::ViewDescriptor};

/// The address of something static.
///
/// A raw pointer inside: a `const` that holds a *reference* is validated through everything it can
/// reach, which makes the time to compile a chain of requirements quadratic (and a random graph of
/// them exponential). An address is not followed, so each static costs the same.
pub struct StaticRef<T: 'static>(*const T);

/// A reference to a [`Descriptor`] that lives for the whole program.
pub type NodeRef = StaticRef<Descriptor>;

/// A reference to a [`ViewDescriptor`] that lives for the whole program.
pub type ViewRef = StaticRef<ViewDescriptor>;

// SAFETY: made only from `&'static T`, which may be sent where `T` is `Sync`.
#[expect(unsafe_code, reason = "the pointer is a `&'static` in disguise")]
unsafe impl<T: Sync> Send for StaticRef<T> {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "the pointer is a `&'static` in disguise")]
unsafe impl<T: Sync> Sync for StaticRef<T> {}

impl<T> StaticRef<T> {
    /// The address of `it`.
    #[must_use]
    pub const fn new(it: &'static T) -> Self {
        Self(it)
    }

    /// What is there.
    #[must_use]
    pub const fn get(self) -> &'static T {
        // SAFETY: `new` is the only constructor and takes a `&'static`.
        #[expect(unsafe_code, reason = "the pointer is a `&'static` in disguise")]
        unsafe {
            &*self.0
        }
    }
}

impl<T> Clone for StaticRef<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for StaticRef<T> {}

impl<T> PartialEq for StaticRef<T> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl<T> Eq for StaticRef<T> {}

impl<T> hash::Hash for StaticRef<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for NodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeRef({})", self.get().id)
    }
}

impl fmt::Debug for ViewRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ViewRef({})", self.get().id)
    }
}
