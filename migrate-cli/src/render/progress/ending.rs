//! The end of a run: one line for people, one event for programs, the exit code.

use migrate_core::frontend::RunReport;

use super::{Doing, Reporter};
use crate::{
    exit,
    render::{
        json, style,
        text::{self, count},
    },
    request::Format,
};

impl Reporter<'_, '_> {
    /// Tells how the run ended and returns the exit code.
    pub(crate) fn finish(self, report: &RunReport, doing: Doing) -> u8 {
        if self.console.look().format == Format::Json {
            let error = report
                .failure
                .as_ref()
                .map(|failure| failure.message.as_str());
            let line = json::finished(&self.database.name, &report.summary, error);
            self.console.out(&line);
        }
        self.end(report, doing)
    }

    /// Nothing is told: there is another turn.
    pub(crate) fn give_way(mut self) {
        self.quiet();
    }

    fn quiet(&mut self) {
        if let Some(live) = self.live.take() {
            live.clear();
        }
        if let Some(notices) = self.notices.take() {
            notices.stop();
        }
    }

    /// Tells people how the run ended and returns the exit code.
    pub(crate) fn end(mut self, report: &RunReport, doing: Doing) -> u8 {
        self.quiet();
        let summary = &report.summary;
        if self.console.look().format != Format::Json {
            if report.failure.is_some() && self.failed_lines == 0 {
                // If that was about them, nobody knows what was told too early.
                self.views.forget();
            }
            self.between();
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
            + summary.enqueued
            + summary.skipped
            + summary.views;
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
        if summary.enqueued > 0 {
            part(summary.enqueued, "enqueued for `mass work`", style::BUSY);
        }
        if summary.left > 0 {
            part(summary.left, "left to `mass run`", style::CARE);
        }
        if summary.deferred > 0 {
            part(summary.deferred, "deferred", style::CARE);
        }
        match summary.views {
            0 => {}
            1 => part(1, "view built", style::GOOD),
            n => part(n, "views built", style::GOOD),
        }
        if summary.waiting > 0 {
            part(summary.waiting, "waiting for another database", style::CARE);
        }
        // What failed or was deferred is pending too; it was counted.
        let counted =
            summary.failed + summary.deferred + summary.enqueued + summary.left + summary.waiting;
        let rest = summary.pending.saturating_sub(counted);
        let stopped = report.failure.is_some() || summary.skipped > 0;
        match doing {
            _ if stopped && rest > 0 => part(rest, "not run", style::DIM),
            _ if stopped => {}
            _ if rest == 0 && summary.waiting + summary.left > 0 => {}
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
            Doing::Up if summary.pending == summary.left => format!(
                "nothing to do: {} applied, {} left to `mass run`",
                count(summary.already_applied, "migration"),
                summary.left
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
