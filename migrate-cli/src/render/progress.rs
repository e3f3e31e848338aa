//! A run while it goes: lines for people (and a live one in a terminal), events for programs.

use std::time::{Duration, Instant};

use migrate_core::{
    DatabaseSettings,
    mass::MassState,
    report::{Event, LockHolder},
};

use super::{Console, console::Liveness, failure, human::Page, json, style, text};
use crate::{invocation::StreamKind, request::Format};

mod ending;
mod event;
mod live;
mod notices;
mod views;

use live::LiveLine;
use notices::Notices;
use views::Tally;

/// Between two lines that say how long we have been waiting.
const WAITING_EVERY: Duration = Duration::from_secs(10);
/// Between two `progress` events.
pub(crate) const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// Ids are padded to the longest so far, and to this.
const ID_COLUMNS: usize = 28;

/// What a run does, for its last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Up,
    Down,
    Redo,
}

/// Tells of one run on one database.
pub(crate) struct Reporter<'c, 's> {
    console: &'c mut Console<'s>,
    database: &'c DatabaseSettings,
    live: Option<LiveLine>,
    notices: Option<Notices>,
    id_columns: usize,
    headed: bool,
    applied_lines: usize,
    failed_lines: usize,
    views: Tally,
    said_waiting: Option<Instant>,
    said_progress: Option<Instant>,
}

impl<'c, 's> Reporter<'c, 's> {
    pub(crate) fn new(console: &'c mut Console<'s>, database: &'c DatabaseSettings) -> Self {
        Self {
            live: (console.live() == Liveness::Line).then(LiveLine::new),
            notices: None,
            console,
            database,
            id_columns: ID_COLUMNS,
            headed: false,
            applied_lines: 0,
            failed_lines: 0,
            views: Tally::default(),
            said_waiting: None,
            said_progress: None,
        }
    }

    /// Of a run that is at its end: there is nothing to show while it goes.
    pub(crate) fn afterwards(console: &'c mut Console<'s>, database: &'c DatabaseSettings) -> Self {
        Self {
            live: None,
            ..Self::new(console, database)
        }
    }

    /// Which database it is about, if that was not told yet.
    pub(crate) fn head(&mut self) {
        self.heading();
    }

    /// The heading stands there already.
    pub(crate) fn headed(mut self) -> Self {
        self.headed = true;
        self
    }

    /// Tells of `event`.
    pub(crate) fn event(&mut self, event: &Event) {
        if self.console.look().format == Format::Json {
            self.json(event);
        } else {
            self.human(event);
        }
    }

    /// Tells of `event` afterwards: programs know of it already.
    pub(crate) fn told(&mut self, event: &Event) {
        if self.console.look().format == Format::Json {
            self.aside(event);
        } else {
            self.human(event);
        }
    }

    fn human(&mut self, event: &Event) {
        self.heading();
        if !matches!(event, Event::ViewDown { .. } | Event::ViewUp { .. }) {
            self.between();
        }
        self.views.note(event);
        match event {
            Event::Waiting { holder, waited } => self.waiting(holder.as_ref(), *waited),
            Event::Started {
                id,
                position,
                total,
                ..
            } => {
                self.id_columns = self.id_columns.max(text::width(id));
                self.started(id, *position, *total);
            }
            Event::Progress { id, done, total } => {
                if let Some(live) = &mut self.live {
                    live.progress(id, *done, *total);
                }
                if let Some(notices) = &self.notices
                    && due(&mut self.said_progress, PROGRESS_EVERY)
                {
                    notices.far(format!(", {}", live::far(*done, *total)));
                }
            }
            Event::Applied { id, duration } => {
                self.applied_lines += 1;
                let tail = text::duration(*duration) + &self.views.around();
                self.done('✓', "applied", style::GOOD, id, &tail);
            }
            Event::Reverted { id, duration } => {
                let tail = text::duration(*duration) + &self.views.around();
                self.done('↩', "reverted", style::CARE, id, &tail);
            }
            Event::Deferred { id, reason } => {
                self.views.forget();
                let reason = text::one_line(reason);
                self.done(
                    '…',
                    "deferred",
                    style::CARE,
                    id,
                    &format!("not yet: {reason}"),
                );
            }
            Event::Enqueued { id, state, reason } => {
                let tail = reason.as_deref().map(text::one_line).unwrap_or_default();
                let style = match state {
                    MassState::Failed => style::BAD,
                    state if state.is_open_to_workers() => style::BUSY,
                    _ => style::CARE,
                };
                self.done('▸', state.as_str(), style, id, &tail);
            }
            Event::Skipped { id, because } => {
                let because = text::one_line(because);
                self.done(
                    '·',
                    "skipped",
                    style::DIM,
                    id,
                    &format!("not run: {because}"),
                );
            }
            Event::Failed { .. } => self.failed(event),
            Event::ViewDown { id, name, .. } => self.view('↓', "down", id, name),
            Event::ViewUp { id, name, .. } => self.view('↑', "up", id, name),
            Event::Warning { problem } => {
                let console = &mut *self.console;
                live::suspended(self.live.as_ref(), || console.problem(problem));
            }
            _ => {}
        }
    }

    fn started(&mut self, id: &str, position: usize, total: usize) {
        if let Some(live) = &mut self.live {
            live.running(id, position, total);
        } else if self.console.live() == Liveness::Notices {
            self.notices = self.notices.take().or_else(Notices::start);
            if let Some(notices) = &self.notices {
                notices.running(id);
            }
        }
    }

    fn heading(&mut self) {
        if !self.headed {
            self.headed = true;
            let palette = self.console.look().err;
            let page = Page {
                palette,
                columns: None,
            };
            let heading = page.heading(self.database);
            self.console.note(&heading);
        }
    }

    /// What was done to views before or after the migrations.
    fn between(&mut self) {
        // With `-v` each had a line of its own.
        let told = self.console.look().verbosity.is_verbose();
        if let Some(views) = self.views.between().filter(|_| !told) {
            let palette = self.console.look().err;
            let label = match self.console.err_kind() {
                StreamKind::Terminal { .. } => {
                    format!("  {} views ", palette.paint(style::GOOD, '✓'))
                }
                StreamKind::Pipe => palette.paint(style::GOOD, format!("{:<8}", "views")),
            };
            let line = format!("{label} {}\n", palette.paint(style::DIM, views));
            let console = &mut *self.console;
            live::suspended(self.live.as_ref(), || console.note(&line));
        }
    }

    /// One line for one view, for those who asked for more.
    fn view(&mut self, sign: char, word: &str, id: &str, name: &str) {
        if self.console.look().verbosity.is_verbose() {
            let name = format!("view {name}");
            // Of what is not declared, the id is the name.
            let id = text::one_line(id);
            let line = self.line(sign, word, style::DIM, &name, &id);
            self.console.note(&line);
        }
    }

    /// One line for one migration or view.
    fn line(
        &mut self,
        sign: char,
        word: &str,
        style: anstyle::Style,
        id: &str,
        tail: &str,
    ) -> String {
        let palette = self.console.look().err;
        self.id_columns = self.id_columns.max(text::width(id));
        let label = match self.console.err_kind() {
            StreamKind::Terminal { .. } => format!("  {}", palette.paint(style, sign)),
            StreamKind::Pipe => palette.paint(style, format!("{word:<8}")),
        };
        let id = text::padded(&text::one_line(id), self.id_columns);
        let line = format!("{label} {id}  {}", palette.paint(style::DIM, tail));
        format!("{}\n", line.trim_end())
    }

    fn done(&mut self, sign: char, word: &str, style: anstyle::Style, id: &str, tail: &str) {
        self.idle();
        let line = self.line(sign, word, style, id, tail);
        let console = &mut *self.console;
        live::suspended(self.live.as_ref(), || console.note(&line));
    }

    /// The migration has ended.
    fn idle(&self) {
        if let Some(notices) = &self.notices {
            notices.idle();
        }
    }

    /// What failed is said here, once; the end of the run only counts it.
    fn failed(&mut self, event: &Event) {
        let Event::Failed {
            id,
            duration,
            error,
            location,
            rolled_back,
        } = event
        else {
            return;
        };
        self.failed_lines += 1;
        self.idle();
        let mut tail = text::duration(*duration);
        if *rolled_back {
            self.views.forget();
        } else {
            tail.push_str(&self.views.around());
        }
        let mut text = self.line('✗', "failed", style::BAD, id, &tail);
        let palette = self.console.look().err;
        let block = failure::of_migration(error, *location, *rolled_back, palette);
        // At a terminal it stands under the id.
        let indent = match self.console.err_kind() {
            StreamKind::Terminal { .. } => "  ",
            StreamKind::Pipe => "",
        };
        for line in block.lines() {
            text.push_str(&format!("{indent}{line}\n"));
        }
        let console = &mut *self.console;
        live::suspended(self.live.as_ref(), || console.say(&text));
    }

    fn waiting(&mut self, holder: Option<&LockHolder>, waited: Duration) {
        let holder = holder.cloned().unwrap_or_default();
        let text = format!("waiting for the lock, held by {holder}");
        if let Some(live) = &mut self.live {
            live.waiting(&text);
        } else if due(&mut self.said_waiting, WAITING_EVERY) {
            let waited = match waited.as_secs() {
                0 => String::new(),
                seconds => format!(" (for {seconds} s now)"),
            };
            self.console.note(&format!("{text}{waited}\n"));
        }
    }

    fn json(&mut self, event: &Event) {
        if let Event::Progress { .. } = event
            && !due(&mut self.said_progress, PROGRESS_EVERY)
        {
            return;
        }
        tell(self.console, &self.database.name, event);
        self.aside(event);
    }

    /// People read what went wrong on standard error.
    fn aside(&mut self, event: &Event) {
        match event {
            Event::Failed { .. } => self.failed(event),
            Event::Warning { problem } => self.console.problem(problem),
            _ => {}
        }
    }
}

/// Tells programs of `event`.
pub(crate) fn tell(console: &mut Console<'_>, database: &str, event: &Event) {
    if let Some(event) = event::json(database, event) {
        console.out(&json::line(&event));
    }
}

/// Whether `interval` has passed since it last had.
pub(crate) fn due(last: &mut Option<Instant>, interval: Duration) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= interval);
    if due {
        *last = Some(Instant::now());
    }
    due
}
