//! [`Descriptor`]: the static facts of one migration, as its attribute states them.

use crate::{
    fingerprint::Fingerprint,
    id::MigrationId,
    limits::Limits,
    node::{NodeRef, ViewRef},
    view::Unmanaged,
};

/// Everything about a migration that is known when it is compiled, except its code.
///
/// One static per migration, written by `#[migration]`.
#[derive(Debug)]
pub struct Descriptor {
    /// Crate and name.
    pub id: MigrationId,
    /// Former ids (`package:name`, or a name in the same package): a history row under one of them
    /// counts as this migration's.
    pub was: &'static [&'static str],
    /// The doc comment; empty when there is none.
    pub description: &'static str,
    /// Where the function is.
    pub location: Location,
    /// Migrations that have to be applied before this one.
    pub requires: &'static [NodeRef],
    /// Whether the body runs inside a transaction.
    pub transaction: TransactionMode,
    /// Configured databases it belongs to, or [patterns](crate::databases) of their names; empty means
    /// `default`.
    pub databases: &'static [&'static str],
    /// How to revert it.
    pub reversal: Reversal,
    /// How long its statements may take.
    pub limits: Limits,
    /// What was written in the body.
    pub fingerprint: Fingerprint,
    /// Views that are down while the body runs, and what uses them with them.
    pub suspends: &'static [ViewRef],
    /// What becomes of undeclared views on what a guard in the body touches.
    pub unmanaged: Unmanaged,
    /// What is known of the file, where the body is SQL text.
    pub sql: Option<SqlFile>,
    /// Whether it is run again, and when.
    pub repeat: Repeat,
    /// Migrations that it stands for where all of them ran, and instead of which it runs on a fresh
    /// database.
    pub replaces: &'static [NodeRef],
    /// Whether it runs in a deploy, or beside it.
    pub scale: Scale,
    /// A number of its own, by which the checks while compiling tell migrations apart: they can
    /// compare neither addresses nor, in reasonable time, texts.
    pub key: u64,
}

/// The database that a migration belongs to when it names none.
pub const DEFAULT_DATABASE: &str = "default";

impl Descriptor {
    /// Whether it belongs to the configured database `name`.
    #[must_use]
    pub fn belongs_to(&self, name: &str) -> bool {
        if self.databases.is_empty() {
            name == DEFAULT_DATABASE
        } else {
            let mut names = self.databases.iter();
            names.any(|it| crate::databases::matches(it, name))
        }
    }
}

/// A body that is a file of SQL, the whole of which its fingerprint is of: a change of it is one of what
/// was run, where that of a function may be rustfmt's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqlFile {
    /// The name under which the tool that it was written for records it (`V1__users`,
    /// `20240101000000`); empty where no tool did.
    pub recorded_as: &'static str,
}

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// As from `file!()`: relative to the workspace for its members.
    pub file: &'static str,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1.
    pub column: u32,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Whether a body runs inside a transaction that also holds its history row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TransactionMode {
    /// Effect and row commit together, where the backend's DDL is transactional.
    #[default]
    Atomic,
    /// `transaction = none`: an intent row first, the completion after.
    None,
}

/// Whether a migration runs in a deploy, or beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Scale {
    /// `up` runs it.
    #[default]
    Step,
    /// A [mass migration](crate::mass): `up` starts it, and workers run it.
    Mass,
}

/// Whether a migration is run again, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Repeat {
    /// Once.
    #[default]
    Never,
    /// `repeat = always`: in every run that applies something.
    Always(Phase),
    /// `repeat = on_change`: in the next run after its code changed.
    OnChange(Phase),
}

/// When a repeatable migration runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Before all others.
    Before,
    /// After all others, also when one of them failed.
    #[default]
    After,
}

impl Repeat {
    /// When, if it is repeatable.
    #[must_use]
    pub const fn phase(self) -> Option<Phase> {
        match self {
            Self::Never => None,
            Self::Always(phase) | Self::OnChange(phase) => Some(phase),
        }
    }
}

/// How a migration is reverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Reversal {
    /// Nothing was said; `down` refuses.
    #[default]
    Unspecified,
    /// `down = path`.
    Down,
    /// `irreversible = "why"`; `down` refuses with this reason.
    Irreversible(&'static str),
}
