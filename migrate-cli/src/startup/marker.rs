//! [`Completion`]: a file that says that a version's migrations are all applied.
//!
//! It is no lock, and nothing trusts it for more than to do nothing: two runs that begin without it
//! meet at the database's own lock.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
    process,
};

use migrate_core::{Failure, FailureKind};

use crate::config::Marker;

/// The marker of one version.
#[derive(Debug)]
pub(crate) struct Completion {
    directory: PathBuf,
    path: PathBuf,
}

/// What a marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Complete,
    Open,
}

impl Completion {
    pub(crate) fn new(marker: &Marker) -> Self {
        let name = format!("migrate-{}.complete", marker.version);
        Self {
            path: marker.directory.join(name),
            directory: marker.directory.clone(),
        }
    }

    /// What it says; where it says nothing, makes sure that it can be written later.
    ///
    /// # Errors
    /// The directory cannot be made or written to.
    pub(crate) fn look(&self) -> Result<State, Failure> {
        let ready = || -> io::Result<State> {
            if self.path.try_exists()? {
                return Ok(State::Complete);
            }
            fs::create_dir_all(&self.directory)?;
            let probe = self.temporary();
            File::create(&probe)?;
            fs::remove_file(&probe)?;
            Ok(State::Open)
        };
        ready().map_err(|error| {
            let mut failure = Failure::new(
                FailureKind::Usage,
                format!(
                    "the directory of the completion marker cannot be used: {}",
                    self.directory.display()
                ),
            );
            failure.causes.push(error.to_string());
            failure.next("make it writable, mount it, or leave out `flag_dir`; nothing was done")
        })
    }

    /// Says that it is complete. Whoever sees the file sees all of it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let temporary = self.temporary();
        let write = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(b"every migration of this version is applied\n")?;
            file.sync_all()?;
            fs::rename(&temporary, &self.path)?;
            // The name is on disk when its directory is; not every system can open one.
            if let Ok(directory) = File::open(&self.directory) {
                directory.sync_all()?;
            }
            Ok(())
        };
        write().map_err(|error| {
            // Half of it would say nothing anyway.
            let _ = fs::remove_file(&temporary);
            let mut failure = Failure::new(
                FailureKind::Migration,
                format!(
                    "everything is applied, and the completion marker {} cannot be written",
                    self.path.display()
                ),
            );
            failure.causes.push(error.to_string());
            failure.next("the next `up` finds nothing to do, and tries to write it again")
        })
    }

    /// Takes it away.
    ///
    /// # Errors
    /// It is there and stays.
    pub(crate) fn remove(&self) -> Result<(), Failure> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => {
                let mut failure = Failure::new(
                    FailureKind::Usage,
                    format!(
                        "the completion marker {} cannot be removed",
                        self.path.display()
                    ),
                );
                failure.causes.push(error.to_string());
                Err(failure.next("remove it by hand: while it is there, `up` does nothing"))
            }
        }
    }

    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// In the same directory, so that a rename is one step; of this process alone.
    fn temporary(&self) -> PathBuf {
        let mut name = std::ffi::OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(format!(".{}", process::id()));
        self.directory.join(name)
    }
}
