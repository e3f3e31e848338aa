//! What a command of the user's makes of a dump.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread::{self, JoinHandle},
    time::Duration,
};

use migrate_core::Interrupt;

/// How much is read at once, and how many of these wait: memory stays flat.
const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 4;
/// Between two looks whether we are to end.
const PAUSE: Duration = Duration::from_millis(100);

/// The output of a command that reads the dump on its standard input.
pub(super) struct Output {
    shown: String,
    child: Child,
    chunks: Receiver<io::Result<Vec<u8>>>,
    /// What is left of the last one.
    chunk: Cursor<Vec<u8>>,
    interrupt: Interrupt,
    errors: Option<JoinHandle<String>>,
}

impl Output {
    /// Starts it, by the shell: it may be a pipe of several. The path is in `MIGRATE_RESTORE_FILE`.
    pub(super) fn start(
        command: &str,
        path: &Path,
        file: File,
        interrupt: Interrupt,
    ) -> io::Result<Self> {
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
        // Read beside: it may say nothing for long, and we may be asked to end meanwhile.
        let (tell, chunks) = mpsc::sync_channel(CHUNKS);
        thread::spawn(move || hand_on(output, &tell));
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
            chunks,
            chunk: Cursor::default(),
            interrupt,
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
        loop {
            let read = self.chunk.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.chunks.recv_timeout(PAUSE) {
                Ok(chunk) => self.chunk = Cursor::new(chunk?),
                Err(RecvTimeoutError::Disconnected) => {
                    self.end()?;
                    return Ok(0);
                }
                Err(RecvTimeoutError::Timeout) if self.interrupt.requested() => {
                    // Not `ErrorKind::Interrupted`, after which one reads on.
                    return Err(io::Error::other("interrupted"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// Until its end, an error, or nobody wants more.
fn hand_on(mut output: impl Read, tell: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = match output.read(&mut chunk) {
            Ok(0) => return,
            Ok(read) => {
                chunk.truncate(read);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = read.is_err();
        if tell.send(read).is_err() || is_over {
            return;
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
