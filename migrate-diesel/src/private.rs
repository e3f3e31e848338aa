//! Names for generated code. Not part of the public interface.

#[path = "namesake.rs"]
mod namesake;

pub use std::{marker::PhantomData, string::String};

pub use linkme;
pub use migrate_core::{
    NodeRef, Phase, Repeat, ViewRef, check_name, duration,
    mass::{
        Granularity, KeySource, MassKind, check_batch, check_column, check_shards, check_source,
        check_table,
    },
    view::{check_index, check_query, check_suspends, check_until, check_uses, check_view_name},
};

use migrate_core::{
    Descriptor, Fingerprint, Location, MigrationId, Reversal, TransactionMode, ViewDescriptor,
    ViewKind,
    view::{Definition, Unmanaged},
};

pub use self::namesake::{Named, NoneOpen, OpenView, Probe, SomeOpen, check_namesake};
#[cfg(feature = "csv")]
pub use crate::mass::CsvCode;
pub use crate::{
    code_guard::{OnMissing, not_migrated, require, require_async},
    directory::Directory,
    mass::{
        CustomCode, EachCode, Field, FieldKind, ItemsCode, Mass, MassParameters, OnError,
        RangeCode, SimpleCode, typed,
    },
    migration::{Declared, Down, Migration, Typed},
    registry::{DIRECTORIES, MIGRATIONS, VIEWS},
    sql_body::SqlText,
    view::{DeclaredView, View, ViewManager},
};

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use crate::registry::BACKENDS;

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
        limits: migrate_core::Limits::NONE,
        suspends: &[],
        unmanaged: Unmanaged::Refuse,
        sql: None,
        repeat: Repeat::Never,
        replaces: &[],
        scale: migrate_core::Scale::Step,
        key: 0,
    };
    NodeRef::new(&NOWHERE)
};

/// As [`UNREGISTERED`], for a view.
pub const UNREGISTERED_VIEW: ViewRef = {
    static NOWHERE: ViewDescriptor = ViewDescriptor {
        id: MigrationId::new("", ""),
        name: "",
        description: "",
        location: Location {
            file: "",
            line: 0,
            column: 0,
        },
        since: UNREGISTERED,
        until: None,
        uses: &[],
        databases: &[],
        definition: Definition::Code(Fingerprint(0)),
        kind: ViewKind::Plain,
        indexes: &[],
        options: &[],
        unmanaged: Unmanaged::Refuse,
    };
    ViewRef::new(&NOWHERE)
};

#[cfg(all(
    feature = "cli",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
pub use crate::command::{command_line, crate_of, program_name};
