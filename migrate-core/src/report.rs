//! What a front end may show, as plain data.
//!
//! Nothing here knows a database, a terminal or a serialization; a front end renders it.

mod rehearsal;

use std::time::Duration;

use crate::{
    descriptor::{Location, Scale},
    history::State,
    mass::{MassState, frontend::Progress},
};

pub use rehearsal::{Rehearsal, Rehearsals, Rehearsed, Statement};

/// Every migration of one database with its state.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StatusReport {
    /// The configured database's name.
    pub database: String,
    /// `sqlite`, `postgres` or `mysql`.
    pub backend: String,
    /// In the order of the plan.
    pub migrations: Vec<MigrationStatus>,
    /// Declared views.
    pub views: Vec<ViewStatus>,
    /// Where code and history disagree.
    pub problems: Vec<Problem>,
    /// Who holds the deploy lock at the moment, if somebody does and the backend can tell.
    pub locked_by: Option<LockHolder>,
}

impl StatusReport {
    /// An empty report for `database`.
    #[must_use]
    pub fn new(database: impl Into<String>, backend: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            backend: backend.into(),
            ..Self::default()
        }
    }

    /// How many migrations are not applied.
    #[must_use]
    pub fn unapplied(&self) -> usize {
        self.migrations
            .iter()
            .filter(|migration| migration.state != State::Applied)
            .count()
    }
}

/// One migration of a [`StatusReport`].
#[derive(Clone, Debug)]
pub struct MigrationStatus {
    /// `package:name`.
    pub id: String,
    /// The crate.
    pub package: String,
    /// The name within it.
    pub name: String,
    /// The doc comment.
    pub description: String,
    /// Where it stands.
    pub state: State,
    /// Ids that it requires, as declared.
    pub requires: Vec<String>,
    /// When it was applied (RFC 3339, UTC).
    pub applied_at: Option<String>,
    /// How long its body took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// Where its function is.
    pub location: Location,
    /// Of its body, sixteen hexadecimal digits.
    pub fingerprint: String,
    /// Why it failed or was deferred.
    pub detail: Option<String>,
    /// Of a mass migration, where it stands and how far it is.
    pub mass: Option<(MassState, Progress)>,
}

/// One view of a [`StatusReport`].
#[derive(Clone, Debug)]
pub struct ViewStatus {
    /// `package:Name`.
    pub id: String,
    /// Its name in the database.
    pub name: String,
    /// The doc comment.
    pub description: String,
    /// Where it stands.
    pub state: ViewState,
    /// The migration that it comes up with.
    pub since: String,
    /// The migration that it goes down with.
    pub until: Option<String>,
    /// Views that it selects from.
    pub uses: Vec<String>,
    /// Where its type is.
    pub location: Location,
    /// Of its definition, sixteen hexadecimal digits.
    pub fingerprint: String,
}

/// Where a view stands in one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ViewState {
    /// In the database, as declared.
    Up,
    /// Not in the database, as its lifetime says.
    Down,
    /// To be in the database, and not there; the next `up` creates it.
    Missing,
    /// In the database with another definition; the next `up` builds it anew.
    Changed,
    /// In the database though its lifetime is over, because the declaration changed; the next `up`
    /// drops it.
    Ended,
    /// Taken down by a run that died before it could bring it back; the next `up` does.
    Suspended,
}

impl ViewState {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Ended => "ended",
            Self::Suspended => "suspended",
        }
    }
}

/// A kind of disagreement between code, history and database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Applied, then its code changed.
    Changed,
    /// In history, not in this program.
    Missing,
    /// Applied before something that now comes earlier. Information only.
    OutOfOrder,
    /// A process died in it, outside a transaction.
    Interrupted,
    /// Two migrations with one id.
    DuplicateId,
    /// Migrations that require each other.
    Cycle,
    /// A requirement that this program does not carry.
    NotCarried,
    /// `main!` names a crate that contributed no migration, or nothing is carried at all.
    NothingCarried,
    /// A file of SQL was added after the program was built.
    NotBuilt,
    /// It requires something that does not belong to the same database.
    OtherDatabase,
    /// Its body is written for another backend than the database.
    WrongBackend,
    /// A requirement that the phases of repeatable migrations forbid.
    Phase,
    /// Some of what a squash replaces is applied, and some is not.
    PartlyReplaced,
    /// A view's lifetime does not fit: to that of a view that it uses, to a migration that suspends
    /// it, or to another view of its name.
    ViewLifetime,
    /// A view that is to be up is not in the database.
    ViewMissing,
    /// A view whose definition in code is not the one in the database.
    ViewChanged,
    /// A view that this program put into the database and no longer declares.
    ViewUndeclared,
    /// Something made by hand on top of a view that has to go down.
    ViewInTheWay,
    /// A view selects from another one without naming it in `uses`.
    ViewUses,
}

impl ProblemKind {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::OutOfOrder => "out_of_order",
            Self::Interrupted => "interrupted",
            Self::DuplicateId => "duplicate_id",
            Self::Cycle => "cycle",
            Self::NotCarried => "not_carried",
            Self::NothingCarried => "nothing_carried",
            Self::NotBuilt => "not_built",
            Self::OtherDatabase => "other_database",
            Self::WrongBackend => "wrong_backend",
            Self::Phase => "phase",
            Self::PartlyReplaced => "partly_replaced",
            Self::ViewLifetime => "view_lifetime",
            Self::ViewMissing => "view_missing",
            Self::ViewChanged => "view_changed",
            Self::ViewUndeclared => "view_undeclared",
            Self::ViewInTheWay => "view_in_the_way",
            Self::ViewUses => "view_uses",
        }
    }
}

/// One disagreement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The migration it is about: `package:name`, or a crate's name.
    pub id: String,
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// Where in the source, if there.
    pub location: Option<Location>,
}

impl Problem {
    /// A problem without a place in the source.
    #[must_use]
    pub fn new(kind: ProblemKind, id: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
            message: message.into(),
            location: None,
        }
    }

    /// With a place in the source.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Run the body.
    Apply,
    /// Run `down`.
    Revert,
    /// Run a repeatable body again.
    Repeat,
    /// Start a mass migration, which workers run.
    Enqueue,
}

impl Action {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Revert => "revert",
            Self::Repeat => "repeat",
            Self::Enqueue => "enqueue",
        }
    }
}

/// What `up` (or `down`) would do.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PlanReport {
    /// The configured database's name.
    pub database: String,
    /// `sqlite`, `postgres` or `mysql`.
    pub backend: String,
    /// In order.
    pub steps: Vec<PlannedStep>,
    /// Views that come up or are built anew after the last step: they are missing, or their
    /// definition changed.
    pub views: Vec<PlannedView>,
    /// What is pending and would not run.
    pub blocked: Vec<Blocked>,
    /// Ids of mass migrations that are not finished, and that `up` leaves alone.
    pub left: Vec<String>,
    /// Where code and history disagree.
    pub problems: Vec<Problem>,
    /// When it was run and rolled back, what is not in a step.
    pub rehearsal: Option<Rehearsals>,
}

impl PlanReport {
    /// An empty plan for `database`.
    #[must_use]
    pub fn new(database: impl Into<String>, backend: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            backend: backend.into(),
            ..Self::default()
        }
    }
}

/// One step of a [`PlanReport`].
#[derive(Clone, Debug)]
pub struct PlannedStep {
    /// `package:name`.
    pub id: String,
    /// What is done.
    pub action: Action,
    /// The doc comment.
    pub description: String,
    /// Ids that it requires, as declared.
    pub requires: Vec<String>,
    /// Where its function is.
    pub location: Location,
    /// Whether effect and history row commit together on this backend.
    pub atomic: bool,
    /// State before the step: pending, failed, deferred.
    pub state: State,
    /// Views that go down for it and come up with it, as far as its attributes tell: a guard inside
    /// the body is only known when it runs.
    pub views: Vec<PlannedView>,
    /// How it went, when it was run and rolled back.
    pub rehearsal: Option<Rehearsal>,
}

/// What happens to a view in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedView {
    /// `package:Name`.
    pub id: String,
    /// Its name in the database.
    pub name: String,
    /// What.
    pub action: ViewAction,
    /// Why: one clause, lower case, no full stop.
    pub because: String,
}

/// What happens to a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ViewAction {
    /// Comes up.
    Up,
    /// Goes down.
    Down,
    /// Goes down before and comes up after.
    Suspend,
    /// Goes down and comes up with another definition.
    Rebuild,
}

impl ViewAction {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Suspend => "suspend",
            Self::Rebuild => "rebuild",
        }
    }
}

/// A pending migration that cannot run now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// `package:name`.
    pub id: String,
    /// Why: what it waits for, and in which state that is.
    pub because: String,
    /// Where it waits for another database: that one, what of it, and what to do.
    pub elsewhere: Option<BlockedElsewhere>,
}

/// What something that is [`Blocked`] waits for in another database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedElsewhere {
    /// The configured database's name.
    pub database: String,
    /// `package:name`.
    pub id: String,
    /// What to do now.
    pub next_step: String,
}

/// Something that happens during a run, told while it happens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Another process holds the deploy lock. Told again while the wait goes on.
    Waiting {
        /// Who, if the backend can tell.
        holder: Option<LockHolder>,
        /// For how long we have waited.
        waited: Duration,
    },
    /// A body begins.
    Started {
        /// `package:name`.
        id: String,
        /// What is done.
        action: Action,
        /// Counted from 1.
        position: usize,
        /// How many steps this run has, as far as known.
        total: usize,
    },
    /// A body reports how far it is (`session.progress`).
    Progress {
        /// `package:name`.
        id: String,
        /// Units done.
        done: u64,
        /// Units in all, if known.
        total: Option<u64>,
    },
    /// Applied and recorded.
    Applied {
        /// `package:name`.
        id: String,
        /// Of the body.
        duration: Duration,
    },
    /// Reverted, its row removed.
    Reverted {
        /// `package:name`.
        id: String,
        /// Of the body.
        duration: Duration,
    },
    /// The body failed.
    Failed {
        /// `package:name`.
        id: String,
        /// Of the body.
        duration: Duration,
        /// The error and its causes, outermost first, each once.
        error: Vec<String>,
        /// Where the migration is.
        location: Location,
        /// Whether everything it did was rolled back.
        rolled_back: bool,
    },
    /// The body said `NotYet`.
    Deferred {
        /// `package:name`.
        id: String,
        /// Its reason.
        reason: String,
    },
    /// Not run, because of something that it requires.
    Skipped {
        /// `package:name`.
        id: String,
        /// What it waits for.
        because: String,
    },
    /// A view was dropped.
    ViewDown {
        /// `package:Name`; of something that this program does not declare, its name in the database.
        id: String,
        /// Its name in the database.
        name: String,
        /// The migration that it was for; `None` after the last one.
        migration: Option<String>,
    },
    /// A view was created, with everything that it had before.
    ViewUp {
        /// As for `ViewDown`.
        id: String,
        /// Its name in the database.
        name: String,
        /// As for `ViewDown`.
        migration: Option<String>,
    },
    /// A mass migration was started, or had been; workers run it. `Pending` where it has to be started by
    /// hand, as with parameters that only somebody can say.
    Enqueued {
        /// `package:name`.
        id: String,
        /// Where it stands.
        state: MassState,
        /// How far it is, or why it does not go on, or was not started.
        reason: Option<String>,
    },
    /// Something that a person should read; the run goes on.
    Warning {
        /// What.
        problem: Problem,
    },
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Applied by this run.
    pub applied: usize,
    /// Reverted by this run.
    pub reverted: usize,
    /// Failed.
    pub failed: usize,
    /// Deferred.
    pub deferred: usize,
    /// Mass migrations that workers run: started by this run, or before.
    pub enqueued: usize,
    /// Mass migrations that are not finished, and that this run was to leave alone.
    pub left: usize,
    /// Views that were created or built anew after the last migration.
    pub views: usize,
    /// Not run because of something that they require.
    pub skipped: usize,
    /// Not run because of something in another database, and left for later as the request says.
    pub waiting: usize,
    /// Still to be applied in this database after the run, whatever the reason.
    pub pending: usize,
    /// Applied before this run began.
    pub already_applied: usize,
    /// Of the whole run.
    pub duration: Duration,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// When (RFC 3339, UTC).
    pub at: String,
    /// `package:name`; `deploy lock` where it is about no migration.
    pub id: String,
    /// `applied`, `failed`, `deferred`, `reverted`, `interrupted`, `resolved`, `marked`, `accepted`, `unlocked`.
    pub event: String,
    /// `user@host pid 4711`.
    pub by: String,
    /// Of the body, in milliseconds.
    pub duration_ms: Option<f64>,
    /// The error, the reason, the decision.
    pub detail: Option<String>,
}

/// Who holds the deploy lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockHolder {
    /// The process (of the client, or, where only that is known, of the server's session).
    pub pid: Option<u32>,
    /// The client's host.
    pub host: Option<String>,
    /// For how long it has been at work.
    pub since: Option<Duration>,
}

impl std::fmt::Display for LockHolder {
    /// `pid 4711, host web-2, since 12 s`, as far as known.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.pid.map(|pid| format!("pid {pid}")));
        parts.extend(self.host.as_ref().map(|host| format!("host {host}")));
        parts.extend(
            self.since
                .map(|since| format!("since {} s", since.as_secs())),
        );
        if parts.is_empty() {
            f.write_str("another process")
        } else {
            f.write_str(&parts.join(", "))
        }
    }
}

/// The dependency graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphReport {
    /// In the order of the plan.
    pub nodes: Vec<GraphNode>,
    /// `(from, to)`: `from` requires `to`.
    pub edges: Vec<(String, String)>,
    /// Views, in the order in which they come up.
    pub views: Vec<GraphView>,
}

/// One view of a [`GraphReport`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphView {
    /// `package:Name`.
    pub id: String,
    /// Its name in the database.
    pub name: String,
    /// The doc comment.
    pub description: String,
    /// Where its type is.
    pub location: Location,
    /// The migration that it comes up with.
    pub since: String,
    /// The migration that it goes down with.
    pub until: Option<String>,
    /// Views that it selects from.
    pub uses: Vec<String>,
    /// Migrations whose attribute suspends it by name.
    pub suspended_by: Vec<String>,
}

/// One migration of a [`GraphReport`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphNode {
    /// `package:name`.
    pub id: String,
    /// The doc comment.
    pub description: String,
    /// Where its function is.
    pub location: Location,
    /// The databases that it belongs to, and [patterns](crate::databases) of such names.
    pub databases: Vec<String>,
    /// Whether it is a mass migration.
    pub scale: Scale,
    /// In the database, where one could be asked.
    pub state: Option<State>,
}

/// What `check` found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckReport {
    /// The configured database's name.
    pub database: String,
    /// `sqlite`, `postgres` or `mysql`.
    pub backend: String,
    /// How many migrations the program carries for it.
    pub carried: usize,
    /// Ids that are not applied.
    pub pending: Vec<String>,
    /// Of these, the mass migrations: workers run them beside the program.
    pub pending_mass: Vec<String>,
    /// Ids of views that are to be up and are not, or not as declared.
    pub pending_views: Vec<String>,
    /// How many of these failed, or were interrupted.
    pub failed: usize,
    /// Of what is pending, what another database is in the way of.
    pub blocked: Vec<Blocked>,
    /// Where code, history and database disagree.
    pub problems: Vec<Problem>,
}

impl CheckReport {
    /// An empty report for `database`.
    #[must_use]
    pub fn new(database: impl Into<String>, backend: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            backend: backend.into(),
            ..Self::default()
        }
    }
}
