//! [`Error`]: why a run did not do what it was asked.

use std::{fmt, time::Duration};

use diesel::{ConnectionError, result::Error as DieselError};
use migrate_core::{
    Failure, FailureKind, Location, LookupError, Outlook, PlanError, State,
    adopt::AdoptError,
    elsewhere::Unmet,
    record::RecordError,
    report::{LockHolder, Problem, ProblemKind},
};

use crate::{guard::ViewError, mass::MassError};

/// Why a run did not do what it was asked. A message says its own level only; causes are behind
/// [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The migrations that the program carries do not fit together.
    #[error("the migrations do not fit together: {}", Listed(.0))]
    Graph(Vec<Problem>),
    /// Bodies for another backend than the database.
    #[error("{} written for another database than this one ({backend})", count(.problems.len(), "migration is", "migrations are"))]
    WrongBackend {
        /// The database's.
        backend: &'static str,
        /// Which, and where.
        problems: Vec<Problem>,
    },
    /// The database's history names migrations that this program does not carry.
    #[error("the history of this database names {} that this program does not carry", count(.0.len(), "migration", "migrations"))]
    Missing(Vec<Problem>),
    /// The URL cannot be used.
    #[error("{0}")]
    Url(String),
    /// The database cannot be reached.
    #[error("cannot connect to {url}")]
    Connect {
        /// Where, with the password masked.
        url: String,
        /// Why.
        #[source]
        source: Redacted,
    },
    /// A setting that cannot be.
    #[error("{0}")]
    Setting(String),
    /// A table of the history's name that is none.
    #[error("the table `{table}` exists, but it is not a history of migrations: it has no column {}", quoted(.missing))]
    ForeignTable {
        /// As configured.
        table: String,
        /// Columns that are not there.
        missing: Vec<&'static str>,
    },
    /// The history was written by a newer version of this library.
    #[error(
        "the history in `{table}` has schema version {found}; this program knows versions up to {known}"
    )]
    NewerSchema {
        /// As configured.
        table: String,
        /// Its version.
        found: String,
        /// Ours.
        known: u32,
    },
    /// The database refused something that the runner itself needs.
    #[error("cannot {doing}")]
    Database {
        /// What was being done.
        doing: String,
        /// Why not.
        #[source]
        source: DieselError,
    },
    /// The deploy lock was not obtained in time.
    #[error("the deploy lock was not obtained within {}: held by {}", humantime::format_duration(*.waited), Holder(.holder.as_ref()))]
    Lock {
        /// Who has it.
        holder: Option<LockHolder>,
        /// For how long we waited.
        waited: Duration,
    },
    /// The connection is inside a transaction already.
    #[error("the connection is inside a transaction; migrations make their own")]
    OpenTransaction,
    /// A migration failed.
    #[error("migration `{id}` failed")]
    Migration {
        /// `package:name`.
        id: String,
        /// Where it is.
        location: Location,
        /// Whether everything it did was undone.
        undone: Undone,
        /// Why.
        #[source]
        source: BodyError,
    },
    /// Something asked for cannot run, because of something interrupted.
    #[error("{} cannot run: {}", count(.blocked.len(), "migration", "migrations"), blocked_list(.blocked))]
    Blocked {
        /// Ids and reasons.
        blocked: Vec<(String, String)>,
        /// The interrupted ones.
        interrupted: Vec<String>,
        /// What they wait for in other databases.
        elsewhere: Vec<Unmet>,
        /// Mass migrations that they wait for.
        mass: Vec<String>,
    },
    /// The request names what there is not, or what cannot be done.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The request names what there is not.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// Something cannot be recorded without running it, or not be accepted.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Another tool's history cannot be taken over.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// Something applied has changed since: its SQL text, or its code where the settings say not to go on then.
    #[error("{} changed after being applied (only `on_changed = \"warn\"` goes on then)", count(.0.len(), "migration", "migrations"))]
    Changed(Vec<Problem>),
    /// A mass migration cannot be started, changed or worked on.
    #[error(transparent)]
    Mass(#[from] MassError),
    /// `resolve` of something that needs none.
    #[error("`{id}` needs no decision: it is {state}")]
    NotInterrupted {
        /// `package:name`.
        id: String,
        /// Where it stands.
        state: State,
    },
    /// All-or-nothing cannot be had.
    #[error("these migrations cannot run in one transaction: {0}")]
    NotAtomic(String),
    /// Views could not be taken out of the way, or not be brought up.
    #[error(transparent)]
    View(Box<ViewError>),
    /// A database could not begin with a dump, or did so only half.
    #[error(transparent)]
    Restore(Box<crate::restore::RestoreError>),
    /// The run was asked to end. What was done before stays done.
    #[error("interrupted {when}")]
    Interrupted {
        /// What it was at, or was about to do.
        when: String,
    },
    /// Others kept changing the history while we planned.
    #[error(
        "the history kept changing while it was being read; another program applies migrations without our lock"
    )]
    Unstable,
}

/// What became of the effects of a body that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// Rolled back.
    Everything,
    /// The body ran outside a transaction, or the database committed on its own: what was done before the error stays.
    NotEverything,
}

/// Why a body failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It returned an error.
    #[error(transparent)]
    Returned(crate::BoxError),
    /// It panicked.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The database did not accept the end of the transaction.
    #[error("the body returned without an error, but its transaction could not be committed")]
    Commit(#[source] DieselError),
    /// A statement failed, the body went on, and the database had given up the transaction.
    #[error(
        "a statement in the body failed and the body ignored it: the database had given up the transaction, so nothing was done"
    )]
    Swallowed,
    /// It began a transaction and left it open.
    #[error("the body left a transaction open")]
    LeftOpen,
    /// It ended the transaction that it ran in.
    #[error(
        "the body ended its own transaction (by COMMIT or ROLLBACK, or by a failed statement that it ignored); a migration that has to says `transaction = none`"
    )]
    EndedTransaction,
    /// A statement took longer than a setting allows.
    #[error("{}", timed_out(*.limit, .setting, .holders))]
    TimedOut {
        /// Which.
        limit: TimeLimit,
        /// Its name and value, and whose it is.
        setting: String,
        /// Of a lock: in words, the sessions that held locks in this database afterwards.
        holders: Vec<String>,
        /// What the body made of it.
        #[source]
        source: crate::BoxError,
    },
    /// The run was asked to end, and this body was cut short.
    #[error("interrupted before it was done")]
    Interrupted,
    /// Views could not be taken out of its way, or not be brought up after it.
    #[error(transparent)]
    View(Box<ViewError>),
    /// The connection broke while it ran.
    #[error(
        "the connection broke while the migration ran; whether it was committed shows when the database is asked again"
    )]
    ConnectionLost,
}

/// What a statement may not take any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLimit {
    /// Altogether.
    Statement,
    /// Waiting for a lock.
    Lock,
}

impl TimeLimit {
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Statement => "statement_timeout",
            Self::Lock => "lock_timeout",
        }
    }
}

fn timed_out(limit: TimeLimit, setting: &str, holders: &[String]) -> String {
    match (limit, holders) {
        (TimeLimit::Statement, _) => format!("a statement took longer than {setting} allows"),
        (TimeLimit::Lock, []) => {
            format!("a statement waited longer for a lock than {setting} allows")
        }
        (TimeLimit::Lock, some) => format!(
            "a statement waited longer for a lock than {setting} allows; locks are held by {}",
            some.join(", ")
        ),
    }
}

/// A driver's error text with the URL's secrets masked.
#[derive(Debug)]
pub struct Redacted(pub(crate) String);

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Redacted {}

impl Error {
    pub(crate) fn database(doing: impl Into<String>) -> impl FnOnce(DieselError) -> Self {
        let doing = doing.into();
        move |source| Self::Database { doing, source }
    }

    pub(crate) fn connect(url: &migrate_core::DatabaseUrl, source: &ConnectionError) -> Self {
        let text = source.to_string();
        let text = text
            .trim()
            .lines()
            .map(str::trim)
            .collect::<Vec<_>>()
            .join("; ");
        Self::Connect {
            url: url.to_string(),
            source: Redacted(url.redact(&text)),
        }
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Missing(_) | Self::Changed(_) | Self::NewerSchema { .. } => {
                FailureKind::Disagreement
            }
            Self::Connect { .. } => FailureKind::Unreachable,
            Self::Lock { .. } => FailureKind::Lock,
            Self::Restore(error) => error.kind(),
            Self::Mass(error) => error.kind(),
            Self::Migration { .. }
            | Self::Blocked { .. }
            | Self::Unstable
            | Self::View(_)
            | Self::Interrupted { .. } => FailureKind::Migration,
            Self::Database { source, .. } if is_connection_loss(source) => FailureKind::Unreachable,
            _ => FailureKind::Usage,
        }
    }

    /// What to do now, where there is something to say.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Graph(problems) if Self::is_stale(problems) => {
                return problems.first().and_then(|it| it.location).map(|location| {
                    format!(
                        "build it again: `touch {}`; a `build.rs` that says `println!(\"cargo::rerun-if-changed=..\")` of \
                         the directory does so by itself",
                        location.file
                    )
                });
            }
            Self::Graph(problems)
                if problems
                    .iter()
                    .any(|it| it.kind == ProblemKind::NothingCarried) =>
            {
                "name the crates with migrations in `migrate_diesel::main!(..)`, and annotate their functions with `#[migration]`"
            }
            Self::WrongBackend { .. } => {
                "take `&mut AnyConnection` (or this database's connection) in these bodies, or assign them to another database with `database = \"..\"`"
            }
            Self::Missing(_) => {
                "name their crates in `migrate_diesel::main!(..)`; if they were renamed, say so with `was = [\"..\"]`"
            }
            Self::Connect { url, .. } if url.starts_with("sqlite") => {
                "check that the directory exists, and that file and directory may be read and written"
            }
            Self::Connect { .. } => {
                "check that the server runs and that user, password and database of the URL are right"
            }
            Self::ForeignTable { .. } => "choose another name with `history_table` in migrate.toml",
            Self::NewerSchema { .. } => {
                "run the program that wrote it, or build this one with a newer migrate-diesel"
            }
            Self::Lock { .. } => "wait for that run to end, or allow more time with `--wait`",
            Self::OpenTransaction => "commit or roll back before calling",
            Self::View(_) | Self::Migration { .. } if self.view_advice().is_some() => {
                self.view_advice().unwrap_or_default()
            }
            Self::Interrupted { .. }
            | Self::Migration {
                undone: Undone::Everything,
                source: BodyError::Interrupted,
                ..
            } => "run it again: it goes on from here",
            Self::Migration {
                undone: Undone::Everything,
                source: BodyError::TimedOut { .. },
                ..
            } => "run `up` again when nobody is in the way, or allow more time",
            Self::Migration {
                undone: Undone::NotEverything,
                ..
            } => {
                "what it did before the error stays; the next `up` runs it again, except for the parts in `session.step(..)` that were finished"
            }
            Self::Migration { .. } => "mend it and run `up` again",
            Self::Blocked {
                interrupted,
                elsewhere,
                mass,
                ..
            } => {
                let settle = interrupted.first().map(|id| {
                    format!("look at what `{id}` did, then `resolve {id} --applied`, `--reverted` or `--retry`")
                });
                let finish = mass.first().map(|id| {
                    format!("`mass run {id}` finishes it, `mass status {id}` tells how far it is; `up --mass inline` runs it here")
                });
                return settle
                    .or_else(|| elsewhere.first().map(Unmet::next_step))
                    .or(finish);
            }
            Self::Restore(error) => return error.next_step().map(str::to_owned),
            Self::Plan(error) => return error.next_step(),
            Self::Lookup(error) => return error.next_step(),
            Self::Record(error) => return error.next_step(),
            Self::Adopt(error) => return error.next_step(),
            Self::Mass(error) => return error.next_step(),
            Self::Changed(_) => {
                "bring back what ran, and put the difference into a new migration; if it does no harm, `accept ID --reason \"..\"`"
            }
            Self::NotInterrupted { .. } => "`status` shows what is interrupted",
            Self::NotAtomic(_) => "run `up` without `--atomic`",
            Self::Database { source, .. } => return database_advice(source),
            Self::Url(_) | Self::Setting(_) | Self::Graph(_) | Self::View(_) | Self::Unstable => {
                return None;
            }
        };
        Some(step.to_owned())
    }

    /// What to do about views, where they are the reason: also of a body that handed the error on.
    fn view_advice(&self) -> Option<&'static str> {
        let mut next: Option<&(dyn std::error::Error + 'static)> = match self {
            Self::View(error)
            | Self::Migration {
                source: BodyError::View(error),
                ..
            } => return error.next_step(),
            Self::Migration {
                source: BodyError::Returned(error),
                ..
            } => Some(&**error),
            _ => None,
        };
        while let Some(error) = next {
            // Its `source()` passes over what it holds.
            let held = match error.downcast_ref::<DieselError>() {
                Some(DieselError::QueryBuilderError(held)) => held.downcast_ref::<ViewError>(),
                _ => error.downcast_ref::<ViewError>(),
            };
            if let Some(view) = held {
                return view.next_step();
            }
            next = error.source();
        }
        None
    }

    /// Whether it is only that files were added since the program was built.
    fn is_stale(problems: &[Problem]) -> bool {
        problems.iter().all(|it| it.kind == ProblemKind::NotBuilt)
    }

    fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Graph(problems)
            | Self::Missing(problems)
            | Self::Changed(problems)
            | Self::WrongBackend { problems, .. } => problems.clone(),
            _ => Vec::new(),
        }
    }
}

/// For a front end.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::from_error(error.kind(), &error).with_problems(error.problems());
        if !failure.problems.is_empty() && matches!(error, Error::Graph(_)) {
            // The problems are listed below it.
            let message = if Error::is_stale(&failure.problems) {
                "this program is older than its migrations"
            } else {
                "the migrations do not fit together"
            };
            message.clone_into(&mut failure.message);
        }
        if let Error::Plan(PlanError::Irreversible(list)) = &error {
            // One per line.
            failure.message = format!(
                "cannot revert {}",
                count(list.len(), "migration", "migrations")
            );
            failure.causes = list.iter().map(ToString::to_string).collect();
        }
        if let Error::Adopt(AdoptError::Unmapped(rows)) = &error {
            // One per line.
            failure.causes = rows.iter().map(ToString::to_string).collect();
        }
        failure.next_step = error.next_step();
        if let Error::Connect { url, source } = &error
            && crate::refusal::stays(url, &source.0)
        {
            failure.outlook = Outlook::Stays;
        }
        if let Error::Migration { location, .. } = error {
            failure.location = Some(location);
        }
        failure
    }
}

fn database_advice(source: &DieselError) -> Option<String> {
    let text = source.to_string().to_lowercase();
    let advice = if text.contains("readonly")
        || text.contains("read-only")
        || text.contains("read only")
    {
        "the database is read-only: `status` and `plan` work, `up` needs one that can be written"
    } else if text.contains("permission denied")
        || text.contains("command denied")
        || text.contains("access denied")
    {
        "the user of the URL lacks a privilege: let it create tables in this schema, or have the history tables made by one who may"
    } else if text.contains("database is locked") {
        "another program holds SQLite's write lock for long; find it, or try again"
    } else {
        return None;
    };
    Some(advice.to_owned())
}

/// Whether the connection is gone.
pub(crate) fn is_connection_loss(error: &DieselError) -> bool {
    use diesel::result::DatabaseErrorKind::ClosedConnection;
    match error {
        DieselError::DatabaseError(ClosedConnection, _) | DieselError::BrokenTransactionManager => {
            true
        }
        DieselError::DatabaseError(_, information) => {
            let text = information.message().to_lowercase();
            [
                "server closed the connection",
                "gone away",
                "lost connection",
                "terminating connection",
                "no connection to the server",
                "server has gone",
            ]
            .iter()
            .any(|needle| text.contains(needle))
        }
        _ => false,
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn blocked_list(blocked: &[(String, String)]) -> String {
    blocked
        .iter()
        .map(|(id, because)| format!("`{id}` {because}"))
        .collect::<Vec<_>>()
        .join("; ")
}

struct Listed<'p>(&'p [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { "; " }, problem.message)?;
        }
        Ok(())
    }
}

struct Holder<'h>(Option<&'h LockHolder>);

impl fmt::Display for Holder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(holder) => holder.fmt(f),
            None => f.write_str("another process"),
        }
    }
}
