//! Deployers as processes of their own: started, stopped at a point, killed.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio},
};

use migrate_diesel::core::DatabaseUrl;

/// A process of `src/bin/deployer.rs`; killed, should the test forget it.
#[derive(Debug)]
pub struct Deployer {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Deployer {
    /// Starts `program` for the configured database `name` at `url`. It says that it is ready and
    /// waits for [`go`](Self::go); it stops for good at the point `pause_at`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(program: &str, name: &str, url: &DatabaseUrl, pause_at: &str) -> Self {
        let mut child = Command::new(program)
            .args([name, pause_at])
            // Not an argument, which everybody on the machine may read.
            .env("DEPLOYER_URL", url.reveal())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut deployer = Self {
            child,
            stdin,
            stdout,
        };
        assert_eq!(deployer.line(), "ready");
        deployer
    }

    /// Lets it begin.
    ///
    /// # Panics
    /// When it is gone.
    pub fn go(&mut self) {
        let mut stdin = self.stdin.take().unwrap();
        stdin.write_all(b"go\n").unwrap();
    }

    /// The next line that it says; empty at its end.
    ///
    /// # Panics
    /// When it says no text.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits until it has stopped at its point. `false` when it ended without coming there.
    #[must_use]
    pub fn is_paused(&mut self) -> bool {
        loop {
            match self.line().as_str() {
                "" => return false,
                "paused" => return true,
                _ => {}
            }
        }
    }

    /// SIGKILL, and its end.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it cannot be waited for.
    #[must_use]
    pub fn finish(mut self) -> Output {
        drop(self.stdin.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.stdout.read_to_end(&mut stdout).unwrap();
        let mut pipe = self.child.stderr.take().unwrap();
        pipe.read_to_end(&mut stderr).unwrap();
        Output {
            status: self.child.wait().unwrap(),
            stdout,
            stderr,
        }
    }
}

impl Drop for Deployer {
    fn drop(&mut self) {
        // An error when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
