//! What a front end says to have a database begin with a dump.

use std::{io, time::Duration};

/// A dump, as SQL in the database's own dialect.
///
/// It is opened when it is certain to be needed, once, and then read to its end. An error on the way
/// (a damaged file, a command that failed) means that nothing of it is to stay, where the database can.
pub trait Dump: io::Read {
    /// Makes it ready to be read.
    ///
    /// # Errors
    /// There is none, or it is in no format that can be read.
    fn open(&mut self) -> io::Result<()>;
}

/// What is to be restored, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreRequest {
    /// Why it is done.
    pub trigger: Trigger,
    /// What to do about a database that holds tables.
    pub occupied: Occupied,
    /// Tables that have to be there afterwards; those of the history where empty.
    pub expects: Vec<String>,
    /// For how long to wait for the lock; the setting where `None`.
    pub wait: Option<Duration>,
}

/// Why something is restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// Somebody asked.
    #[default]
    Asked,
    /// The database has no history; one that has is left alone.
    NoHistory,
}

/// What to do about a database that holds tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occupied {
    /// Refuse.
    #[default]
    Refuse,
    /// Restore into it all the same.
    Allow,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// The dump is in the database.
    Done,
    /// The database has a history: nothing was done, and the dump was not opened.
    NotNeeded,
}
