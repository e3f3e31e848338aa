//! [`FileDump`]: a dump in a file, whatever it is packed in.

mod command;
mod format;
#[cfg(feature = "compressed")]
mod zstd;

use std::{
    cell::Cell,
    fs::File,
    io::{self, Read, Seek as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use migrate_core::{
    Failure, FailureKind, Interrupt,
    restore::{Dump, Trigger},
};

use crate::render::restoring::Restoring;

/// A dump in a file. Opened when it is needed; flat in memory however long it is.
pub(crate) struct FileDump<'c, 's> {
    path: PathBuf,
    /// Makes SQL of a format that is not known here.
    command: Option<String>,
    /// Not to wait for a command that says nothing.
    interrupt: Interrupt,
    progress: Restoring<'c, 's>,
    reader: Option<Box<dyn Read>>,
    position: Position,
    unopened: bool,
}

/// How far it was read.
enum Position {
    Unopened,
    Counted(Rc<Cell<u64>>),
    /// Somebody else reads: the place in the file is shared with it.
    Shared(File),
}

impl<'c, 's> FileDump<'c, 's> {
    pub(crate) fn new(
        path: &Path,
        command: Option<&str>,
        interrupt: &Interrupt,
        progress: Restoring<'c, 's>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            command: command.map(str::to_owned),
            interrupt: interrupt.clone(),
            progress,
            reader: None,
            position: Position::Unopened,
            unopened: false,
        }
    }

    /// `failure`, with what this file has to do with it.
    pub(crate) fn explain(&self, mut failure: Failure, trigger: Trigger) -> Failure {
        if self.unopened {
            failure.kind = FailureKind::Usage;
            let next = match trigger {
                Trigger::Asked => "see that the file is there and can be read; nothing was done",
                Trigger::NoHistory => {
                    "mount it where `restore_from` says, or take `restore_from` out to begin without a dump; nothing was done"
                }
            };
            failure.next_step = Some(next.to_owned());
        }
        failure
    }

    fn try_open(&mut self) -> io::Result<()> {
        let file = File::open(&self.path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::other("it is a directory"));
        }
        let length = file.metadata()?.len();
        let mut counted = Counted {
            file,
            count: Rc::default(),
        };
        let format = format::of(&self.path, self.command.is_some(), &mut counted.file)?;
        self.reader = Some(match (format, &self.command) {
            (format::Format::Other, Some(command)) => {
                self.position = Position::Shared(counted.file.try_clone()?);
                let interrupt = self.interrupt.clone();
                Box::new(command::Output::start(
                    command,
                    &self.path,
                    counted.file,
                    interrupt,
                )?)
            }
            (format, _) => {
                self.position = Position::Counted(Rc::clone(&counted.count));
                format::reader(format, counted)?
            }
        });
        self.progress.begin(&self.path, length);
        Ok(())
    }

    fn position(&mut self) -> u64 {
        match &mut self.position {
            Position::Unopened => 0,
            Position::Counted(count) => count.get(),
            Position::Shared(file) => file.stream_position().unwrap_or(0),
        }
    }
}

impl Dump for FileDump<'_, '_> {
    fn open(&mut self) -> io::Result<()> {
        self.try_open().map_err(|error| {
            self.unopened = true;
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        })
    }
}

impl Read for FileDump<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(reader) = &mut self.reader else {
            return Err(io::Error::other("the dump was not opened"));
        };
        let read = reader.read(buffer).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        });
        let position = self.position();
        self.progress.at(position);
        read
    }
}

/// Counts what is read of a file.
pub(super) struct Counted {
    file: File,
    count: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.count
            .set(self.count.get() + u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}
