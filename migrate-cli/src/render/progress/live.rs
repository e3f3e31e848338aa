//! The live line of a terminal: what runs now, and for how long.

use std::{fmt, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::render::text;

/// Frames for each second. More is unrest.
const HERTZ: u8 = 10;

/// A line below the lines, redrawn by a thread of its own so that its clock goes on while a
/// migration runs. It is started by the first thing there is to show, so that a run with nothing to
/// do starts no thread.
pub(super) struct LiveLine {
    bar: Option<ProgressBar>,
    running: String,
}

impl LiveLine {
    pub(super) fn new() -> Self {
        Self {
            bar: None,
            running: String::new(),
        }
    }

    fn bar(&mut self) -> &ProgressBar {
        self.bar.get_or_insert_with(|| {
            let target = ProgressDrawTarget::stderr_with_hz(HERTZ);
            let style = ProgressStyle::with_template("  {spinner:.cyan} {msg}  {clock:.dim}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner())
                .with_key("clock", clock);
            let bar = ProgressBar::with_draw_target(None, target).with_style(style);
            bar.enable_steady_tick(Duration::from_millis(1000 / u64::from(HERTZ)));
            bar
        })
    }

    /// A migration begins.
    pub(super) fn running(&mut self, id: &str, position: usize, total: usize) {
        self.running = format!("{}  {position}/{total}", text::one_line(id));
        let message = self.running.clone();
        let bar = self.bar();
        bar.reset_elapsed();
        bar.set_message(message);
    }

    /// It says how far it is.
    pub(super) fn progress(&mut self, id: &str, done: u64, total: Option<u64>) {
        let far = far(done, total);
        let message = if self.running.is_empty() {
            format!("{}  {far}", text::one_line(id))
        } else {
            format!("{}  {far}", self.running)
        };
        self.bar().set_message(message);
    }

    /// Somebody else holds the lock.
    pub(super) fn waiting(&mut self, message: &str) {
        let message = text::one_line(message);
        self.bar().set_message(message);
    }

    /// Takes the line away.
    pub(super) fn clear(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `400 of 500, 80 %`.
pub(super) fn far(done: u64, total: Option<u64>) -> String {
    match total.filter(|total| *total > 0) {
        Some(total) => {
            // Whole percent, rounded down: 100 only when it is done.
            let percent = u128::from(done) * 100 / u128::from(total);
            format!("{done} of {total}, {percent} %")
        }
        None => format!("{done} done"),
    }
}

/// For how long, in whole seconds; the first second is not worth a number.
fn clock(state: &ProgressState, to: &mut dyn fmt::Write) {
    let seconds = state.elapsed().as_secs();
    let _ = match seconds {
        0 => Ok(()),
        1..60 => write!(to, "{seconds} s"),
        _ => write!(to, "{} min {} s", seconds / 60, seconds % 60),
    };
}

/// Calls `body` while the live line is away.
pub(super) fn suspended<R>(live: Option<&LiveLine>, body: impl FnOnce() -> R) -> R {
    match live.and_then(|live| live.bar.as_ref()) {
        Some(bar) => bar.suspend(body),
        None => body(),
    }
}
