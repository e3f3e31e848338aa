//! Names for generated code. Not part of the public interface.

pub use std::marker::PhantomData;

pub use linkme;
pub use migrate_core::{
    NodeRef, ViewRef, check_name,
    view::{check_no_overlap, check_suspends, check_until, check_uses},
};

use migrate_core::{
    Descriptor, Fingerprint, Location, MigrationId, Reversal, TransactionMode, view::Unmanaged,
};

pub use crate::{
    migration::{Declared, Down, Migration, Typed},
    registry::{MIGRATIONS, VIEWS},
    view::{DeclaredView, View, ViewManager},
};

/// Stands for a migration whose declaration has errors, so that those who require it get none.
pub const UNREGISTERED: NodeRef = {
    static NOWHERE: Descriptor = Descriptor {
        id: MigrationId::new("", ""),
        was: &[],
        description: "",
        location: Location {
            file: "",
            line: 0,
            column: 0,
        },
        requires: &[],
        transaction: TransactionMode::Atomic,
        databases: &[],
        reversal: Reversal::Unspecified,
        fingerprint: Fingerprint(0),
        suspends: &[],
        unmanaged: Unmanaged::Refuse,
        key: 0,
    };
    NodeRef::new(&NOWHERE)
};

#[cfg(all(
    feature = "cli",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
pub use crate::command::{command_line, crate_of, program_name};
