//! [`Application`] and [`Deployment`]: what a front end (command line, console) drives.
//!
//! A front end knows these two traits and the plain data of [`report`](crate::report) and
//! [`Settings`]; it never knows a database library.

use std::time::Duration;

use crate::{
    adopt::{AdoptRequest, Adoption},
    error::Failure,
    mass::frontend::MassOperations,
    record::{AcceptRequest, MarkRequest},
    report::{CheckReport, Event, GraphReport, LogEntry, PlanReport, StatusReport, Summary},
    restore::{Dump, RestoreRequest, Restored},
    settings::{DatabaseSettings, Settings},
    unlock::{Force, LockSession},
};

/// A program with the migrations that it carries.
///
/// Several databases may be worked on at once, each in a thread of its own.
pub trait Application: Sync {
    /// The backends that it was built with, by URL scheme: `sqlite`, `postgres`, `mysql`.
    fn backends(&self) -> &[&'static str];

    /// Names of the databases that carried migrations belong to, and [patterns](crate::databases) of
    /// such names, sorted.
    fn databases(&self) -> Vec<String>;

    /// The dependency graph of what it carries, without asking a database.
    ///
    /// # Errors
    /// When the graph is not valid: cycle, duplicate ids, something required but not carried, nothing carried.
    fn graph(&self, settings: &Settings) -> Result<GraphReport, Failure>;

    /// Opens a database. Does not write, and does not check history yet.
    ///
    /// # Errors
    /// When the graph is not valid, or the database cannot be reached.
    fn open(
        &self,
        settings: &Settings,
        database: &DatabaseSettings,
    ) -> Result<Box<dyn Deployment>, Failure>;
}

/// One open database and the migrations that belong to it.
pub trait Deployment {
    /// Every migration with its state. Does not write, takes no lock.
    ///
    /// # Errors
    /// When the database or its history cannot be read.
    fn status(&mut self) -> Result<StatusReport, Failure>;

    /// What [`up`](Self::up) would do. Does not write, takes no lock.
    ///
    /// # Errors
    /// As `status`; an unknown or ambiguous id.
    fn plan(&mut self, request: &UpRequest) -> Result<PlanReport, Failure>;

    /// As [`plan`](Self::plan), with what each step did: the bodies are run, in one transaction that
    /// is rolled back. Holds the lock meanwhile; records nothing.
    ///
    /// A step that cannot be run so says why: it runs outside a transaction, it requires one that
    /// does, the backend commits DDL by itself. A body that fails is part of the report.
    ///
    /// # Errors
    /// As `plan`; the lock was not obtained.
    fn rehearse(&mut self, request: &UpRequest) -> Result<PlanReport, Failure>;

    /// Applies what is pending. Events are told while it runs.
    ///
    /// The summary is complete also when something failed: `failure` says why.
    fn up(&mut self, request: &UpRequest, on_event: &mut (dyn FnMut(Event) + Send)) -> RunReport;

    /// What [`down`](Self::down) would do. Does not write, takes no lock.
    ///
    /// # Errors
    /// As `plan`; something on the way cannot be reverted.
    fn plan_down(&mut self, request: &DownRequest) -> Result<PlanReport, Failure>;

    /// Reverts. Refuses before touching anything when something on the way cannot be reverted.
    fn down(
        &mut self,
        request: &DownRequest,
        on_event: &mut (dyn FnMut(Event) + Send),
    ) -> RunReport;

    /// Reverts and applies again what was reverted, under one lock.
    fn redo(
        &mut self,
        request: &DownRequest,
        on_event: &mut (dyn FnMut(Event) + Send),
    ) -> RunReport;

    /// Whether code, history and database agree. Does not write, takes no lock.
    ///
    /// # Errors
    /// When the database or its history cannot be read.
    fn check(&mut self) -> Result<CheckReport, Failure>;

    /// Settles an interrupted migration. Returns its full id.
    ///
    /// # Errors
    /// An unknown or ambiguous id; the migration is not interrupted (or failed); the lock was not obtained.
    fn resolve(
        &mut self,
        id: &str,
        decision: Resolution,
        wait: Option<Duration>,
    ) -> Result<String, Failure>;

    /// What [`mark`](Self::mark) would record: full ids, in order. Does not write, takes no lock.
    ///
    /// # Errors
    /// An unknown or ambiguous id; one that is applied; one that requires what would not be applied; a
    /// history where there must be none.
    fn plan_mark(&mut self, request: &MarkRequest) -> Result<Vec<String>, Failure>;

    /// Records migrations as applied without running them, all or none. Returns their full ids, in order.
    ///
    /// # Errors
    /// As `plan_mark`; the lock was not obtained.
    fn mark(&mut self, request: &MarkRequest) -> Result<Vec<String>, Failure>;

    /// Takes applied migrations whose code changed for unchanged, all or none. Returns their full ids, in
    /// order.
    ///
    /// # Errors
    /// An unknown or ambiguous id; one that did not change; no reason; the lock was not obtained.
    fn accept(&mut self, request: &AcceptRequest) -> Result<Vec<String>, Failure>;

    /// What [`adopt`](Self::adopt) would record. Does not write, takes no lock.
    ///
    /// # Errors
    /// The other tool's table is not there; rows of which nobody can tell which of ours they are.
    fn plan_adoption(&mut self, request: &AdoptRequest) -> Result<Adoption, Failure>;

    /// Records as applied what another tool's history in the same database says was, all or nothing.
    /// What is applied already stays as it is; their table is only read.
    ///
    /// # Errors
    /// As `plan_adoption`; the lock was not obtained.
    fn adopt(&mut self, request: &AdoptRequest) -> Result<Adoption, Failure>;

    /// Which session holds the deploy lock, if one does. Does not write.
    ///
    /// # Errors
    /// When the database cannot be asked.
    fn lock_session(&mut self) -> Result<Option<LockSession>, Failure>;

    /// Ends the session that holds the deploy lock, and waits until it is gone: what it has not committed is
    /// rolled back. `None` where nobody holds it.
    ///
    /// # Errors
    /// It may be at work and nobody forces us; the database cannot end it, or does not let us.
    fn unlock(&mut self, force: Force) -> Result<Option<LockSession>, Failure>;

    /// What a front end has noted under `name` beside the history. Does not write.
    ///
    /// # Errors
    /// When it cannot be read.
    fn note(&mut self, name: &str) -> Result<Option<String>, Failure>;

    /// Notes `value`, in place of what was noted under that name. `false` where there is no history to keep it.
    ///
    /// # Errors
    /// When it cannot be written.
    fn set_note(&mut self, name: &str, value: &str) -> Result<bool, Failure>;

    /// Takes a note away, if it still says `value`.
    ///
    /// # Errors
    /// When it cannot be written.
    fn remove_note(&mut self, name: &str, value: &str) -> Result<(), Failure>;

    /// The newest `limit` log entries, oldest first.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn log(&mut self, limit: usize) -> Result<Vec<LogEntry>, Failure>;

    /// Fills the database from a dump. Holds the lock meanwhile; stops at the first error. Where the
    /// database can, it is one transaction; where not, a database that holds a part is told from a whole
    /// one by all other commands.
    ///
    /// # Errors
    /// The database holds tables; the dump cannot be read or is not whole; the database refuses a part of it.
    fn restore(
        &mut self,
        request: &RestoreRequest,
        dump: &mut dyn Dump,
    ) -> Result<Restored, Failure>;

    /// Its mass migrations.
    fn mass(&mut self) -> &mut dyn MassOperations;
}

/// What `up` is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpRequest {
    /// What to apply.
    pub target: Target,
    /// One transaction for everything.
    pub grouping: Grouping,
    /// What to do after a failure.
    pub on_failure: OnFailure,
    /// For how long to wait for the lock; the setting where `None`.
    pub wait: Option<Duration>,
    /// Which repeatable migrations run.
    pub repeats: Repeats,
    /// What becomes of mass migrations; the setting where `None`.
    pub mass: Option<MassInUp>,
    /// What becomes of what waits for another database.
    pub waiting: Waiting,
    /// `(database, id)`: counts as applied there, in a plan for several databases at once.
    pub planned: Vec<(String, String)>,
}

/// What becomes of what requires something that is not applied in another database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waiting {
    /// It is told, and a failure.
    #[default]
    Refuse,
    /// It is counted: the other database comes next.
    Leave,
}

/// What `up` does about mass migrations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MassInUp {
    /// Starts them, for workers: `up` ends without waiting, and what requires one waits for a later `up`.
    #[default]
    Enqueue,
    /// Runs what is left of them, in this process and in their place in the order.
    Inline,
    /// Leaves them alone.
    Leave,
}

/// Which repeatable migrations run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// Those that have something to do.
    #[default]
    AsNeeded,
    /// All.
    All,
}

/// What to apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Everything.
    #[default]
    All,
    /// These (`package:name`, or a name where it is unambiguous) and what they require.
    Ids(Vec<String>),
    /// The first so many of what is pending.
    Steps(usize),
}

/// How steps are grouped into transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// A transaction for each migration.
    #[default]
    Each,
    /// One transaction for all: all or nothing.
    Atomic,
}

/// What to do after a migration failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Stop.
    #[default]
    Stop,
    /// Go on with what does not depend on it.
    KeepGoing,
}

/// What `down` is asked to revert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownRequest {
    /// Which.
    pub target: DownTarget,
    /// For how long to wait for the lock; the setting where `None`.
    pub wait: Option<Duration>,
}

/// What to revert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownTarget {
    /// The so many applied last.
    Steps(usize),
    /// This one, and what was applied that requires it.
    Id(String),
    /// Everything applied after this one, which stays.
    To(String),
}

/// How to settle an interrupted migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Run it again at the next `up` (finished steps are not repeated).
    Retry,
    /// It took effect: record it as applied.
    Applied,
    /// A person undid what it did: forget the attempt.
    Reverted,
}

/// How a run went.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// What was done, also when it failed.
    pub summary: Summary,
    /// Why it did not do everything.
    pub failure: Option<Failure>,
}
