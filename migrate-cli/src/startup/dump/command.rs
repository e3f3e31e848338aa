//! What a command of the user's makes of a dump.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread::{self, JoinHandle},
};

/// The output of a command that reads the dump on its standard input.
pub(super) struct Output {
    shown: String,
    child: Child,
    output: ChildStdout,
    errors: Option<JoinHandle<String>>,
}

impl Output {
    /// Starts it, by the shell: it may be a pipe of several. The path is in `MIGRATE_RESTORE_FILE`.
    pub(super) fn start(command: &str, path: &Path, file: File) -> io::Result<Self> {
        let mut shell = if cfg!(windows) {
            let mut shell = Command::new("cmd");
            shell.arg("/C");
            shell
        } else {
            let mut shell = Command::new("sh");
            shell.arg("-c");
            shell
        };
        let mut child = shell
            .arg(command)
            .env("MIGRATE_RESTORE_FILE", path)
            .stdin(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (Some(output), Some(mut errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("the shell has no pipes"));
        };
        let errors = thread::spawn(move || {
            let mut text = Vec::new();
            // The first words say why; the rest is read so that it does not block.
            let _ = errors.by_ref().take(4096).read_to_end(&mut text);
            let _ = io::copy(&mut errors, &mut io::sink());
            String::from_utf8_lossy(&text).trim().to_owned()
        });
        Ok(Self {
            shown: command.to_owned(),
            child,
            output,
            errors: Some(errors),
        })
    }

    /// An end of its output counts when it ended well.
    fn end(&mut self) -> io::Result<()> {
        let status = self.child.wait()?;
        if status.success() {
            return Ok(());
        }
        let errors = self.errors.take().and_then(|errors| errors.join().ok());
        let mut text = format!("`{}` ended with {status}", self.shown);
        if let Some(errors) = errors.filter(|errors| !errors.is_empty()) {
            text.push_str(": ");
            text.push_str(&errors.replace('\n', "; "));
        }
        Err(io::Error::other(text))
    }
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.output.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.end()?;
        }
        Ok(read)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
