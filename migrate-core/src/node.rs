//! [`NodeRef`]: the address of a descriptor, usable in statics without const evaluation following it.

use crate::descriptor::Descriptor;

/// A reference to a [`Descriptor`] that lives for the whole program.
///
/// A raw pointer inside: a `const` that holds a *reference* is validated through everything it can
/// reach, which makes the time to compile a chain of requirements quadratic (and a random graph of
/// them exponential). An address is not followed, so each static costs the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeRef(*const Descriptor);

// SAFETY: made only from `&'static Descriptor`, and `Descriptor` is `Sync` plain data.
#[expect(unsafe_code, reason = "the pointer is a `&'static` in disguise")]
unsafe impl Send for NodeRef {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "the pointer is a `&'static` in disguise")]
unsafe impl Sync for NodeRef {}

impl NodeRef {
    /// The address of `descriptor`.
    #[must_use]
    pub const fn new(descriptor: &'static Descriptor) -> Self {
        Self(descriptor)
    }

    /// The descriptor.
    #[must_use]
    pub const fn get(self) -> &'static Descriptor {
        // SAFETY: `new` is the only constructor and takes a `&'static`.
        #[expect(unsafe_code, reason = "the pointer is a `&'static` in disguise")]
        unsafe {
            &*self.0
        }
    }
}

impl std::fmt::Debug for NodeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeRef({})", self.get().id)
    }
}
