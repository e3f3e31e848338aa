//! The words of database migrations, as data and pure functions.
//!
//! No database, no I/O, no macros: everything here can be tested with plain values.
//!
//! - A [`Descriptor`] states the facts of one **migration**; a [`Graph`] holds those that a program
//!   carries, in their order.
//! - A [`History`] is what a database says was done. A [`Plan`] is what is to be done: graph and
//!   history in, steps out. [`drift`] tells where the two disagree.
//! - A [`ViewDescriptor`] states the facts of one **view** and the migrations that it lives between;
//!   [`Views`] holds them in the order in which they come up.
//! - [`report`] is what a front end may show; [`Application`] and [`Deployment`] are what it drives.

pub mod adopt;
mod credentials;
pub mod databases;
mod descriptor;
pub mod drift;
pub mod elsewhere;
mod error;
mod fingerprint;
pub mod frontend;
mod graph;
mod history;
mod id;
mod interrupt;
mod limits;
pub mod mass;
mod node;
mod plan;
pub mod record;
pub mod report;
pub mod restore;
mod settings;
mod sql;
mod standing;
pub mod unlock;
pub mod view;

pub use credentials::mask_credentials;
pub use descriptor::{
    DEFAULT_DATABASE, Descriptor, Location, Phase, Repeat, Reversal, Scale, SqlFile,
    TransactionMode,
};
pub use error::{Failure, FailureKind, Outlook, error_chain};
pub use fingerprint::{Fingerprint, ParseFingerprintError};
pub use frontend::{Application, Deployment};
pub use graph::{Graph, LookupError};
pub use history::{AppliedMigration, AttemptDetails, History, ParseStateError, State};
pub use id::{MAX_NAME_BYTES, MigrationId, check_name};
pub use interrupt::{Interrupt, OnRequest};
pub use limits::{Limits, duration};
pub use node::{NodeRef, StaticRef, ViewRef};
pub use plan::{Irreversible, Obstacle, Plan, PlanError, Step, Unsettled};
pub use settings::{
    DEFAULT_CONNECT_TIMEOUT, DatabaseSettings, DatabaseUrl, OnChanged, Ordering, SessionSettings,
    Settings, percent_decode,
};
pub use standing::{PartlyReplaced, Standing};
pub use view::{ViewDescriptor, ViewKind, Views};
