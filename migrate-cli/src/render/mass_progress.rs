//! A mass migration while it runs: a bar in a terminal, lines in a log, events for programs.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use migrate_core::{
    DatabaseSettings, Failure,
    mass::{
        MassState,
        frontend::{MassEvent, MassStatus, Progress},
    },
};

use super::{
    Console,
    console::Liveness,
    human::{
        Page,
        mass::{self, far, grouped, percent},
    },
    json,
    style::{self, Palette},
    text::{clean, one_line},
};
use crate::request::Format;

/// Frames for each second. More is unrest.
const HERTZ: u8 = 10;
/// Between two lines about progress in a log.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How wide the bar is.
const BAR: &str = "{bar:24.cyan/dim}";

/// Tells of one worker process on one database.
pub(crate) struct MassReporter<'c, 's> {
    console: &'c mut Console<'s>,
    database: &'c DatabaseSettings,
    bars: BTreeMap<String, ProgressBar>,
    lines: BTreeMap<String, Instant>,
    multi: indicatif::MultiProgress,
    headed: bool,
}

impl<'c, 's> MassReporter<'c, 's> {
    pub(crate) fn new(console: &'c mut Console<'s>, database: &'c DatabaseSettings) -> Self {
        let target = match console.live() {
            Liveness::Line => ProgressDrawTarget::stderr_with_hz(HERTZ),
            _ => ProgressDrawTarget::hidden(),
        };
        Self {
            multi: indicatif::MultiProgress::with_draw_target(target),
            console,
            database,
            bars: BTreeMap::new(),
            lines: BTreeMap::new(),
            headed: false,
        }
    }

    pub(crate) fn event(&mut self, event: &MassEvent) {
        if self.console.look().format == Format::Json {
            let line = json::mass_event(&self.database.name, event);
            self.console.out(&line);
            return;
        }
        self.heading();
        match event {
            MassEvent::State { id, state, reason } => self.state(id, *state, reason.as_deref()),
            MassEvent::Progress {
                id,
                progress,
                batch,
            } => self.progress(id, progress, *batch),
            MassEvent::Quarantined { id, key, error } => {
                let text = format!("{}: {}", mass::key(key), one_line(error));
                self.line("failed", style::BAD, id, &text);
            }
            MassEvent::TakenOver { id, shard, from } => {
                let text = format!("shard {shard}, from {}", one_line(from));
                self.line("took over", style::CARE, id, &text);
            }
            MassEvent::Reconnecting { error } => {
                self.line("reconnects", style::CARE, "", &one_line(error));
            }
        }
    }

    fn heading(&mut self) {
        if !std::mem::replace(&mut self.headed, true) {
            let heading = self.page().heading(self.database);
            self.console.note(&heading);
        }
    }

    fn page(&self) -> Page {
        Page {
            palette: self.palette(),
            columns: None,
        }
    }

    fn palette(&self) -> Palette {
        self.console.look().err
    }

    fn state(&mut self, id: &str, state: MassState, reason: Option<&str>) {
        if state.is_at_rest()
            && let Some(bar) = self.bars.remove(id)
        {
            bar.finish_and_clear();
        }
        self.line(
            state.as_str(),
            style::of_mass(state),
            id,
            &reason.map(one_line).unwrap_or_default(),
        );
    }

    fn progress(&mut self, id: &str, progress: &Progress, batch: u32) {
        match self.console.live() {
            Liveness::Off => {}
            Liveness::Line => {
                let multi = &self.multi;
                let bar = self.bars.entry(id.to_owned()).or_insert_with(|| {
                    let style =
                        ProgressStyle::with_template(&format!("  {{prefix}} {BAR} {{msg}}"))
                            .unwrap_or_else(|_| ProgressStyle::default_bar())
                            .progress_chars("█▉▊▋▌▍▎▏ ");
                    let bar = multi.add(ProgressBar::new(100).with_style(style));
                    bar.set_prefix(one_line(id));
                    bar
                });
                bar.set_position(percent(progress.units, progress.total.unwrap_or(0)));
                let far = far(progress, MassState::Running);
                bar.set_message(format!("{far}, batch {}", grouped(batch.into())));
            }
            Liveness::Notices => {
                let due = self
                    .lines
                    .get(id)
                    .is_none_or(|last| last.elapsed() >= LINE_EVERY);
                if due {
                    self.lines.insert(id.to_owned(), Instant::now());
                    let text = far(progress, MassState::Running);
                    self.line("at", style::DIM, id, &text);
                }
            }
        }
    }

    fn line(&mut self, word: &str, style: anstyle::Style, id: &str, text: &str) {
        let word = self.palette().paint(style, format!("{word:<11}"));
        let text = self.palette().paint(style::DIM, clean(text));
        let line = format!("  {word} {}  {text}", one_line(id));
        let line = format!("{}\n", line.trim_end());
        let console = &mut *self.console;
        self.multi.suspend(|| console.note(&line));
    }

    /// How it ended.
    pub(crate) fn finish(self, runs: &[MassStatus], failure: Option<&Failure>) {
        for bar in self.bars.values() {
            bar.finish_and_clear();
        }
        if self.console.look().format == Format::Json {
            let error = failure.map(|failure| {
                let mut text = failure.message.clone();
                for cause in &failure.causes {
                    text.push_str(": ");
                    text.push_str(cause);
                }
                text
            });
            let line = json::mass_finished(&self.database.name, runs, error.as_deref());
            self.console.out(&line);
        }
        let page = self.page();
        for run in runs {
            let far = far(&run.progress, run.state);
            let text = page.mass_line(run);
            let text = match far.as_str() {
                "" => text,
                far => format!("{} ({far})\n", text.trim_end()),
            };
            self.console.note(&text);
            if let Some(next) = next_step(run) {
                self.console.note(&format!("  next: {next}\n"));
            }
        }
        if let Some(failure) = failure {
            self.console.failure(failure);
        }
    }
}

/// What a person does about a run that is not applied.
fn next_step(run: &MassStatus) -> Option<String> {
    let id = &run.id;
    match run.state {
        MassState::Failed if run.progress.failures > 0 => Some(format!(
            "`mass failures {id}` shows them; mend what is wrong, then `mass retry {id}` and `mass run {id}`"
        )),
        MassState::Failed => Some(format!("`mass retry {id}`, then `mass run {id}`")),
        MassState::Interrupted | MassState::Enqueued | MassState::Running => {
            Some(format!("`mass run {id}` goes on"))
        }
        MassState::Paused | MassState::Pausing => Some(format!("`mass resume {id}` goes on")),
        MassState::Cancelled => Some(format!("`mass retry {id}` would go on")),
        _ => None,
    }
}
