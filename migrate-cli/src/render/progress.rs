//! A run while it goes: lines for people (and a live one in a terminal), events for programs.

use std::time::{Duration, Instant};

use migrate_core::{
    DatabaseSettings,
    frontend::RunReport,
    report::{Event, LockHolder},
};

use super::{
    Console,
    console::Liveness,
    failure,
    human::Page,
    json, style,
    text::{self, count},
};
use crate::{exit, invocation::StreamKind, request::Format};

mod event;
mod live;
mod notices;

use live::LiveLine;
use notices::Notices;

/// Between two lines that say how long we have been waiting.
const WAITING_EVERY: Duration = Duration::from_secs(10);
/// Between two `progress` events.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
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
            said_waiting: None,
            said_progress: None,
        }
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

    fn human(&mut self, event: &Event) {
        self.heading();
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
                self.done('✓', "applied", style::GOOD, id, &text::duration(*duration));
            }
            Event::Reverted { id, duration } => {
                self.done('↩', "reverted", style::CARE, id, &text::duration(*duration));
            }
            Event::Deferred { id, reason } => {
                let reason = text::one_line(reason);
                self.done(
                    '…',
                    "deferred",
                    style::CARE,
                    id,
                    &format!("not yet: {reason}"),
                );
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

    /// One line for one migration.
    fn line(
        &mut self,
        sign: char,
        word: &str,
        style: anstyle::Style,
        id: &str,
        tail: &str,
    ) -> String {
        if let Some(notices) = &self.notices {
            notices.idle();
        }
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
        let line = self.line(sign, word, style, id, tail);
        let console = &mut *self.console;
        live::suspended(self.live.as_ref(), || console.note(&line));
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
        let mut text = self.line('✗', "failed", style::BAD, id, &text::duration(*duration));
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
        if let Some(event) = event::json(&self.database.name, event) {
            self.console.out(&json::line(&event));
        }
        // People read what went wrong on standard error.
        match event {
            Event::Failed { .. } => self.failed(event),
            Event::Warning { problem } => self.console.problem(problem),
            _ => {}
        }
    }

    /// Tells how the run ended and returns the exit code.
    pub(crate) fn finish(mut self, report: &RunReport, doing: Doing) -> u8 {
        if let Some(live) = self.live.take() {
            live.clear();
        }
        if let Some(notices) = self.notices.take() {
            notices.stop();
        }
        let summary = &report.summary;
        if self.console.look().format == Format::Json {
            let error = report
                .failure
                .as_ref()
                .map(|failure| failure.message.as_str());
            self.console
                .out(&json::finished(&self.database.name, summary, error));
        } else {
            let text = self.last_line(report, doing);
            self.console.note(&text);
        }
        match &report.failure {
            Some(failure) => self.failure(failure),
            None if summary.failed + summary.deferred + summary.skipped > 0 => exit::NOT_DONE,
            None => exit::DONE,
        }
    }

    fn failure(&mut self, failure: &migrate_core::Failure) -> u8 {
        let said = self.failed_lines > 0 && failure.kind == migrate_core::FailureKind::Migration;
        if !said {
            return self.console.failure(failure);
        }
        if let Some(next) = &failure.next_step {
            let label = self.console.look().err.paint(style::DIM, "next:");
            self.console
                .say(&format!("{label} {}\n", text::hanging(next, 6)));
        }
        exit::of(failure)
    }

    fn last_line(&self, report: &RunReport, doing: Doing) -> String {
        let summary = &report.summary;
        let palette = self.console.look().err;
        let touched = summary.applied
            + summary.reverted
            + summary.failed
            + summary.deferred
            + summary.skipped;
        if touched == 0 {
            return if report.failure.is_some() {
                String::new()
            } else {
                self.nothing(report, doing)
            };
        }
        let mut parts = Vec::new();
        let mut part = |n: usize, word: &str, style| {
            parts.push(palette.paint(style, format!("{n} {word}")));
        };
        if doing != Doing::Up {
            part(summary.reverted, "reverted", style::CARE);
        }
        if doing != Doing::Down {
            part(summary.applied, "applied", style::GOOD);
        }
        if summary.failed > 0 {
            part(summary.failed, "failed", style::BAD);
        }
        if summary.deferred > 0 {
            part(summary.deferred, "deferred", style::CARE);
        }
        // What failed or was deferred is pending too; it was counted.
        let rest = summary
            .pending
            .saturating_sub(summary.failed + summary.deferred);
        let stopped = report.failure.is_some() || summary.skipped > 0;
        match doing {
            _ if stopped && rest > 0 => part(rest, "not run", style::DIM),
            _ if stopped => {}
            Doing::Up | Doing::Redo => part(rest, "pending", style::DIM),
            Doing::Down => part(rest, "now pending", style::DIM),
        }
        let mut text = format!(
            "\n{} in {}\n",
            parts.join(", "),
            text::duration(summary.duration)
        );
        if self.applied_lines > summary.applied && report.failure.is_some() {
            let undone = count(self.applied_lines - summary.applied, "migration");
            text.push_str(&format!(
                "the {undone} shown as applied went with the one transaction that was rolled back\n"
            ));
        }
        text
    }

    fn nothing(&self, report: &RunReport, doing: Doing) -> String {
        let summary = &report.summary;
        let palette = self.console.look().err;
        let what = match doing {
            Doing::Up if summary.pending == 0 => format!(
                "nothing to do: {} applied",
                count(summary.already_applied, "migration")
            ),
            Doing::Up => format!(
                "nothing to do: what was asked for is applied, {} pending",
                summary.pending
            ),
            Doing::Down | Doing::Redo => "nothing to revert".to_owned(),
        };
        let place = format!("({} {})", self.database.name, self.database.url);
        format!("{what} {}\n", palette.paint(style::DIM, place))
    }
}

/// Whether `interval` has passed since it last had.
fn due(last: &mut Option<Instant>, interval: Duration) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= interval);
    if due {
        *last = Some(Instant::now());
    }
    due
}
