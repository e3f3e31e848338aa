//! How far a restore is: a bar on a terminal, a line now and then in a log.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::{Console, Liveness};

/// Between two lines in a log.
const EVERY: Duration = Duration::from_secs(10);

/// Shows how far it is.
pub(crate) struct Restoring<'c, 's> {
    console: &'c mut Console<'s>,
    name: String,
    length: u64,
    bar: Option<ProgressBar>,
    told: Instant,
}

impl<'c, 's> Restoring<'c, 's> {
    pub(crate) fn new(console: &'c mut Console<'s>) -> Self {
        Self {
            console,
            name: String::new(),
            length: 0,
            bar: None,
            told: Instant::now(),
        }
    }

    /// A file of so many bytes is opened.
    pub(crate) fn begin(&mut self, path: &Path, length: u64) {
        let name = path.file_name().unwrap_or(path.as_os_str());
        self.name = super::text::one_line(&name.to_string_lossy());
        self.length = length;
        self.told = Instant::now();
        let size = HumanBytes(length);
        self.console
            .note(&format!("restoring {} ({size})\n", path.display()));
        if self.console.live() == Liveness::Line {
            let style = ProgressStyle::with_template(
                "  {msg}  {bar:30}  {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar());
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style);
            bar.set_message(self.name.clone());
            self.bar = Some(bar);
        }
    }

    /// So many of them were read.
    pub(crate) fn at(&mut self, position: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(position);
        } else if self.console.live() == Liveness::Notices && self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            let percent = u128::from(position) * 100 / u128::from(self.length.max(1));
            let (done, all) = (HumanBytes(position), HumanBytes(self.length));
            let line = format!("restoring {}: {done} of {all}, {percent} %\n", self.name);
            self.console.note(&line);
        }
    }
}

impl Drop for Restoring<'_, '_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
