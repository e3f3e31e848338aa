//! [`Session`]: a connection in the hands of a body.

use std::ops::{Deref, DerefMut};

use migrate_core::MigrationId;

/// What a body may ask about its run.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) id: MigrationId,
}

/// A connection in the hands of a body. Dereferences to it.
#[derive(Debug)]
pub struct Session<'x, C> {
    connection: &'x mut C,
    context: &'x mut Context,
}

impl<'x, C> Session<'x, C> {
    pub(crate) fn new(connection: &'x mut C, context: &'x mut Context) -> Self {
        Self {
            connection,
            context,
        }
    }

    /// The migration that is running.
    #[must_use]
    pub fn migration(&self) -> MigrationId {
        self.context.id
    }
}

impl<C> Deref for Session<'_, C> {
    type Target = C;
    fn deref(&self) -> &C {
        self.connection
    }
}

impl<C> DerefMut for Session<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        self.connection
    }
}
