//! What the machinery must know of one kind of server.

use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use super::account::Account;
use crate::error::Error;

/// Whether a committed transaction must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// No fsync: tests kill clients, never the machine.
    Relaxed,
    /// As in production, for benchmarks.
    Durable,
}

/// One server's own directory, its secret and its settings.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) directory: PathBuf,
    pub(super) account: Account,
    pub(super) password: String,
    pub(super) durability: Durability,
}

/// One kind of server.
pub(super) trait Engine {
    /// Its name, for people.
    fn name(&self) -> &'static str;
    /// The environment variable that carries its URL.
    fn variable(&self) -> &'static str;
    /// Accounts it may run as, best first.
    fn accounts(&self) -> &'static [&'static str];
    /// The signal for a quick and orderly stop, and its name for `setpriv`.
    fn stop_signal(&self) -> (Signal, &'static str);
    /// Writes configuration; the command, if any, creates the data directory.
    fn prepare(&self, home: &Home) -> Result<Option<Command>, Error>;
    /// The server itself, in the foreground.
    fn serve(&self, home: &Home, port: u16) -> Result<Command, Error>;
    /// A client that succeeds as soon as the server lets us in with the password.
    fn probe(&self, home: &Home, port: u16) -> Result<Command, Error>;
    /// The URL with all privileges.
    fn url(&self, home: &Home, port: u16) -> String;
}
