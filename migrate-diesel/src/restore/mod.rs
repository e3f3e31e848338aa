//! A database begins with a dump.
//!
//! PostgreSQL's and MySQL's dumps are scripts for their own client programs (`COPY .. FROM stdin`,
//! `\connect`, `DELIMITER`), which nothing reads better than these; SQLite's is SQL, and read here.
//! PostgreSQL and SQLite restore in one transaction. MySQL cannot: there a table says that a restore
//! was begun, and goes when it has ended well; while it is there, no run takes the database for whole.

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod client;
mod error;
mod frame;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod statements;
mod tables;

use std::io::{self, Read};

use migrate_core::{Interrupt, restore::Dump};

pub use error::{RestoreError, Said};
pub(crate) use tables::{begun_table, held};

use crate::{backend::Driver, error::Error};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// What a dump is restored into.
pub(crate) struct Restoration<'r> {
    pub(crate) driver: &'r mut dyn Driver,
    #[cfg(feature = "mysql")]
    pub(crate) store: &'r crate::history::Store,
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) url: &'r migrate_core::DatabaseUrl,
    /// Asks it to end.
    pub(crate) interrupt: &'r Interrupt,
    /// Tables that have to be there afterwards.
    pub(crate) expects: Vec<String>,
}

impl Restoration<'_> {
    /// Restores. The lock is held, and the dump is open.
    pub(crate) fn restore(mut self, dump: &mut dyn Dump) -> Result<(), Error> {
        let interrupt = self.interrupt;
        let dump = &mut Heeding { dump, interrupt };
        match self.driver.dialect().name {
            #[cfg(feature = "sqlite")]
            "sqlite" => self.sqlite(dump),
            #[cfg(feature = "postgres")]
            "postgres" => self.postgres(dump),
            #[cfg(feature = "mysql")]
            "mysql" => self.mysql(dump),
            other => Err(RestoreError::Unknown(other).into()),
        }
    }

    /// Expected tables that are not there.
    #[cfg(any(feature = "sqlite", feature = "mysql"))]
    fn lacking(&mut self) -> Result<Vec<String>, Error> {
        let mut lacking = Vec::new();
        for table in &self.expects {
            let columns = self
                .driver
                .columns(table)
                .map_err(Error::database(format!("look for the table `{table}`")))?;
            if columns.is_empty() {
                lacking.push(table.clone());
            }
        }
        Ok(lacking)
    }
}

/// A dump that cannot be read any more once the run is asked to end.
struct Heeding<'d> {
    dump: &'d mut dyn Dump,
    interrupt: &'d Interrupt,
}

impl Read for Heeding<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.requested() {
            // Not `ErrorKind::Interrupted`, after which one reads on.
            return Err(io::Error::other("interrupted"));
        }
        self.dump.read(buffer)
    }
}

impl Dump for Heeding<'_> {
    fn open(&mut self) -> io::Result<()> {
        self.dump.open()
    }
}
