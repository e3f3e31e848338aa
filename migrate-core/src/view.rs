//! [`ViewDescriptor`]: the static facts of one view; [`Views`]: those that a program carries.

mod change;
mod lifetime;
mod normal;
mod resolve;
mod values;
mod views;

use std::fmt;

use crate::{
    descriptor::Location,
    fingerprint::Fingerprint,
    id::MigrationId,
    node::{NodeRef, ViewRef},
};

pub use change::Change;
pub use lifetime::{check_no_overlap, check_suspends, check_until, check_uses};
pub use normal::normalize_sql;
pub use values::{check_index, check_query, check_view_name};
pub use views::Views;

/// Everything about a view that is known when it is compiled, except its code.
///
/// One static per view, written by `#[view_manager]`.
#[derive(Debug)]
pub struct ViewDescriptor {
    /// The crate and the name of the type.
    pub id: MigrationId,
    /// Its name in the database, perhaps with a schema: `active_users`, `reporting.totals`.
    pub name: &'static str,
    /// The doc comment; empty when there is none.
    pub description: &'static str,
    /// Where the type is.
    pub location: Location,
    /// The migration that it comes up with.
    pub since: NodeRef,
    /// The migration that it goes down with.
    pub until: Option<NodeRef>,
    /// Views that it selects from.
    pub uses: &'static [ViewRef],
    /// Configured databases that it is limited to, or [patterns](crate::databases) of their names; empty for
    /// all that `since` belongs to.
    pub databases: &'static [&'static str],
    /// What it selects.
    pub definition: Definition,
    /// Whether the database keeps its rows.
    pub kind: ViewKind,
    /// `CREATE INDEX` statements, for a materialized one.
    pub indexes: &'static [&'static str],
    /// `security_barrier`, `check_option = local` and the like.
    pub options: &'static [(&'static str, &'static str)],
    /// What becomes of what somebody made by hand on top of it, when it stands in the way.
    pub unmanaged: Unmanaged,
}

/// What a view selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definition {
    /// A query; the statements around it are made for the backend.
    Sql(&'static str),
    /// Hand-written `up` and `down`; the hash of their tokens, as far as they were seen.
    Code(Fingerprint),
}

/// Whether the database keeps a view's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewKind {
    /// A name for a query.
    #[default]
    Plain,
    /// Its rows are stored until it is refreshed.
    Materialized,
}

/// What becomes of undeclared things on top of a view that has to go down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Unmanaged {
    /// Nothing is touched: the run is refused, with a list.
    #[default]
    Refuse,
    /// They are saved, dropped, and restored as they were.
    Restore,
}

impl ViewDescriptor {
    /// Whether it belongs to the configured database `name`.
    #[must_use]
    pub fn belongs_to(&self, name: &str) -> bool {
        let mut names = self.databases.iter();
        self.since.get().belongs_to(name)
            && (self.databases.is_empty() || names.any(|it| crate::databases::matches(it, name)))
    }

    /// A hash of what makes it: name, kind, definition, indexes and options. Blanks and comments
    /// outside of quotes take no part in it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Fnv::default();
        hash.text(self.name);
        hash.text(match self.kind {
            ViewKind::Plain => "view",
            ViewKind::Materialized => "materialized",
        });
        match self.definition {
            Definition::Sql(sql) => hash.text(&normalize_sql(sql)),
            Definition::Code(seen) => hash.text(&seen.to_string()),
        }
        for index in self.indexes {
            hash.text(&normalize_sql(index));
        }
        for (name, value) in self.options {
            hash.text(name);
            hash.text(value);
        }
        Fingerprint(hash.0)
    }
}

/// 64-bit FNV-1a, <https://datatracker.ietf.org/doc/html/rfc9923>.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// The bytes of a text and an end that is in none.
    fn text(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl fmt::Display for ViewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "view",
            Self::Materialized => "materialized view",
        })
    }
}
