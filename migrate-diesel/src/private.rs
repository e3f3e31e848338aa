//! Names for generated code. Not part of the public interface.

pub use linkme;
pub use migrate_core::{NodeRef, check_name};

use std::any::TypeId;

use crate::migration::{BoxError, Call, ConnectionKind, Erased, Outcome};
pub use crate::{
    migration::{Declared, Down, Migration, Typed},
    registry::MIGRATIONS,
};

/// Stands for a migration whose declaration has errors, so that those who require it get none.
pub const UNREGISTERED: NodeRef = {
    static NOWHERE: Migration = Migration::new("", "", "", 0, &[], &Nothing);
    NodeRef::new(&NOWHERE.descriptor)
};

#[derive(Debug)]
struct Nothing;

impl Call for Nothing {
    fn call(&self, _: Erased<'_>) -> Result<Outcome, BoxError> {
        Err("declared with errors".into())
    }

    fn connection(&self) -> ConnectionKind {
        ConnectionKind {
            type_id: TypeId::of::<Self>(),
            type_name: "nothing",
            backends: &[],
        }
    }
}

#[cfg(feature = "cli")]
pub use crate::command::{command_line, crate_of, program_name};
