//! What is compared, and where.

/// Where the views are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Backend {
    /// SQLite, bundled
    Sqlite,
    /// A private PostgreSQL with fsync
    Postgres,
    /// A private MariaDB with fsync
    Mysql,
}

impl Backend {
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::Mysql];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MariaDB",
        }
    }

    /// The variable with the URL of its server.
    pub(crate) const fn variable(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("MIGRATE_TEST_POSTGRES_URL"),
            Self::Mysql => Some("MIGRATE_TEST_MYSQL_URL"),
        }
    }
}

/// How the views hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Shape {
    /// Each reads the one before
    Chain,
    /// All read the first
    Fan,
}

impl Shape {
    pub(super) const ALL: [Self; 2] = [Self::Chain, Self::Fan];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Fan => "fan",
        }
    }
}

/// Who takes the views out of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Contestant {
    /// `session.suspend` around the change.
    Guard,
    /// `#[migration(suspends = [..])]`, which is checked before the run as well.
    Suspends,
    /// Statements, each by itself, as they stand in people's migrations: the yardstick.
    Hand,
    /// The same statements, all in one message.
    Batch,
}

impl Contestant {
    pub(super) const ALL: [Self; 4] = [Self::Guard, Self::Suspends, Self::Hand, Self::Batch];

    /// As `bench-views` knows it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Suspends => "suspends",
            Self::Hand => "hand",
            Self::Batch => "hand:batch",
        }
    }

    /// Or by hand?
    pub(super) const fn is_ours(self) -> bool {
        matches!(self, Self::Guard | Self::Suspends)
    }

    /// Those with the same views in their database may share it.
    pub(super) const fn database(self) -> &'static str {
        if self.is_ours() {
            "declared"
        } else {
            "by_hand"
        }
    }
}

/// Which views there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scenario {
    pub(super) shape: Shape,
    /// Views that stand in the way.
    pub(super) in_the_way: usize,
    /// Further views, of another table.
    pub(super) beside: usize,
}
