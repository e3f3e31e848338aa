//! Who is compared, and where.

pub(crate) use crate::bench::views::Backend;

/// Who updates the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contestant {
    /// A mass migration, one worker.
    Ours,
    /// Two workers.
    Pair,
    /// A loop over the key in plain Diesel, one transaction per batch, which forgets its place when it is killed: the
    /// yardstick.
    Hand,
    /// The same with its place in a table, so that it could go on.
    Resumes,
    /// One UPDATE.
    Single,
}

impl Contestant {
    pub(super) const ALL: [Self; 5] = [
        Self::Ours,
        Self::Pair,
        Self::Hand,
        Self::Resumes,
        Self::Single,
    ];

    /// As `bench-mass` knows it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Pair => "ours:2",
            Self::Hand => "hand",
            Self::Resumes => "hand:resumes",
            Self::Single => "single",
        }
    }

    /// SQLite has one writer at a time.
    pub(super) fn of(backend: Backend) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |it| *it != Self::Pair || backend != Backend::Sqlite)
    }
}
