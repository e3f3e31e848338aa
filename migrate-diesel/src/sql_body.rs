//! [`SqlText`]: a body that is the text of a file, for whatever driver there is.

use std::any::TypeId;

use migrate_core::SqlFile;

use crate::migration::{Body, BoxError, Call, ConnectionKind, Erased, Migration, Outcome};

/// Statements of SQL that a migration consists of. The runner hands them to the driver itself, so that
/// they need no connection of a known type.
#[derive(Clone, Copy, Debug)]
pub struct SqlText {
    text: &'static str,
    backends: &'static [&'static str],
}

impl SqlText {
    /// `backends` are those whose SQL it is; none means all.
    #[must_use]
    pub const fn new(text: &'static str, backends: &'static [&'static str]) -> Self {
        Self { text, backends }
    }
}

impl Call for SqlText {
    fn call(&self, _: Erased<'_>) -> Result<Outcome, BoxError> {
        Err("SQL text is run by the driver".into())
    }

    fn connection(&self) -> ConnectionKind {
        ConnectionKind {
            type_id: TypeId::of::<Self>(),
            type_name: || "text of SQL",
            backends: self.backends,
        }
    }

    fn sql(&self) -> Option<&'static str> {
        Some(self.text)
    }
}

impl Migration {
    /// A file of SQL, as `migrations_dir!` finds it.
    #[doc(hidden)]
    #[must_use]
    pub const fn sql(mut self, recorded_as: &'static str, up: &'static SqlText) -> Self {
        self.descriptor.sql = Some(SqlFile { recorded_as });
        self.up = Body(up);
        self
    }

    /// The file that reverts it.
    #[doc(hidden)]
    #[must_use]
    pub const fn down_sql(mut self, down: &'static SqlText) -> Self {
        self.descriptor.reversal = migrate_core::Reversal::Down;
        self.down = Some(Body(down));
        self
    }
}

impl ConnectionKind {
    /// Whether the body is SQL text, which needs no connection of a type.
    pub(crate) fn is_sql(self) -> bool {
        self.type_id == TypeId::of::<SqlText>()
    }

    /// Whether it is SQL text for `backend`.
    pub(crate) fn is_sql_for(self, backend: &str) -> bool {
        self.is_sql() && (self.backends.is_empty() || self.backends.contains(&backend))
    }
}
