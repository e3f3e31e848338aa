//! Names for generated code. Not part of the public interface.

pub use linkme;
pub use migrate_core::{
    Descriptor, Fingerprint, Location, MigrationId, NodeRef, Reversal, TransactionMode, check_name,
};

pub use crate::{
    migration::{Body, Declared, Migration, Parameter, finish},
    registry::MIGRATIONS,
};
