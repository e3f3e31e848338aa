//! Reports for people.

use std::fmt::Write as _;

use migrate_core::{
    DatabaseSettings, State,
    report::{
        Action, Blocked, LogEntry, MigrationStatus, PlanReport, Problem, StatusReport, ViewAction,
    },
};

use super::{
    failure,
    style::{self, Palette},
    table::{self, Align, Narrow},
    text::{count, hanging, milliseconds, one_line, padded},
};

mod adoption;
mod check;
pub(crate) mod mass;
mod rehearsal;
mod totals;
pub(super) mod view;

pub(crate) use rehearsal::script;

/// How a page looks: colours, and the width where it is a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) palette: Palette,
    pub(crate) columns: Option<usize>,
}

impl Page {
    /// Which database this is about.
    pub(crate) fn heading(self, database: &DatabaseSettings) -> String {
        format!(
            "{} {}\n",
            self.palette.paint(style::BOLD, &database.name),
            self.palette
                .paint(style::DIM, format!("({})", database.url))
        )
    }

    /// `status`.
    pub(crate) fn status(self, report: &StatusReport) -> String {
        let mut page = String::from("\n");
        page.push_str(&self.migrations(report));
        page.push_str(&self.views(&report.views));
        if let Some(holder) = &report.locked_by {
            let _ = writeln!(
                page,
                "\n{} the lock is held by {holder}",
                self.palette.paint(style::BUSY, "deploying:")
            );
        }
        page.push_str(&self.problems(&report.problems));
        let _ = writeln!(page, "\n{}", self.totals(report));
        page
    }

    fn migrations(self, report: &StatusReport) -> String {
        let rows = report.migrations.iter().map(|migration| {
            let at = migration.applied_at.as_deref();
            let at = match self.columns {
                Some(_) => at.map(short_moment),
                None => at.map(moment),
            };
            let tail = match trouble(migration) {
                // One line for each migration, for what reads lines.
                Some(trouble) if self.columns.is_none() => one_line(trouble),
                _ => one_line(&migration.description),
            };
            vec![
                migration.state.to_string(),
                one_line(&migration.id),
                at.unwrap_or_default(),
                migration.duration_ms.map(milliseconds).unwrap_or_default(),
                tail,
            ]
        });
        let alignments = [
            Align::Left,
            Align::Left,
            Align::Left,
            Align::Right,
            Align::Left,
        ];
        let columns = self.columns.map(|columns| columns.saturating_sub(4));
        let lines = table::lines(&alignments, rows, columns, Narrow::Hide);
        // Trouble stands under the id: after margin, sign, the widest word and a gap.
        let word = |migration: &MigrationStatus| migration.state.as_str().len();
        let indent = 6 + report.migrations.iter().map(word).max().unwrap_or(0);
        let mut page = String::new();
        for (line, migration) in lines.iter().zip(&report.migrations) {
            page.push_str(&self.stated(migration.state, line));
            if let Some(trouble) = trouble(migration).filter(|_| self.columns.is_some()) {
                let trouble = hanging(trouble, indent);
                let style = style::of_state(migration.state);
                let trouble = self.palette.paint(style, trouble);
                let _ = writeln!(page, "{:indent$}{trouble}", "");
            }
        }
        page
    }

    /// A line that begins with a state: with a colour, and a sign for it in a terminal.
    fn stated(self, state: State, line: &str) -> String {
        let word = state.as_str();
        let rest = line.strip_prefix(word).unwrap_or(line);
        let word = match self.columns {
            Some(_) => format!("{} {word}", style::sign_of_state(state)),
            None => word.to_owned(),
        };
        format!(
            "  {}{rest}\n",
            self.palette.paint(style::of_state(state), word)
        )
    }

    /// What disagrees, each with its place.
    pub(crate) fn problems(self, problems: &[Problem]) -> String {
        if problems.is_empty() {
            return String::new();
        }
        let mut page = format!("\n{}\n", self.palette.paint(style::BOLD, "problems"));
        for problem in problems {
            page.push_str(&failure::problem(problem, self.palette));
        }
        page
    }

    /// `plan`, `up --dry-run`.
    pub(crate) fn plan(self, report: &PlanReport) -> String {
        let mut page = String::from("\n");
        let beside = report.rehearsal.clone().unwrap_or_default();
        page.push_str(&self.beside("before: views that are missing", &beside.before));
        page.push_str(&self.steps(report));
        page.push_str(&self.besides(report));
        page.push_str(&self.beside("after: views that changed", &beside.after));
        for blocked in &report.blocked {
            page.push_str(&self.blocked(blocked));
        }
        for id in &report.left {
            let left = self.palette.paint(style::CARE, "left");
            let id = one_line(id);
            let _ = writeln!(page, "  {left} {id}: a mass migration, for `mass run {id}`");
        }
        page.push_str(&self.problems(&report.problems));
        if report.steps.is_empty() && report.blocked.is_empty() && report.views.is_empty() {
            return format!("{}nothing to do\n", page.trim_start_matches('\n'));
        }
        let not_atomic = report.steps.iter().filter(|step| !step.atomic).count();
        let mut parts = Vec::new();
        if !report.steps.is_empty() || report.views.is_empty() {
            parts.push(format!("{} to run", count(report.steps.len(), "migration")));
        }
        if not_atomic > 0 {
            parts.push(format!("{not_atomic} of them outside a transaction"));
        }
        // What is suspended meanwhile is nobody's aim.
        let views = |what: fn(ViewAction) -> bool| {
            let views = report.views.iter().filter(|view| what(view.action));
            views.count()
        };
        let built = views(|action| matches!(action, ViewAction::Up | ViewAction::Rebuild));
        let dropped = views(|action| action == ViewAction::Down);
        for (n, verb) in [(built, "build"), (dropped, "drop")] {
            if n > 0 {
                parts.push(format!("{} to {verb}", count(n, "view")));
            }
        }
        if !report.blocked.is_empty() {
            parts.push(format!("{} blocked", report.blocked.len()));
        }
        let _ = writeln!(page, "\n{}", parts.join(", "));
        page.push_str(&self.rolled_back(report));
        page
    }

    /// What is pending and cannot run, why, and what to do.
    fn blocked(self, blocked: &Blocked) -> String {
        let next = blocked.elsewhere.as_ref().map(|it| it.next_step.as_str());
        let next = next.map(|next| format!("; {next}")).unwrap_or_default();
        format!(
            "  {} {}: {}{next}\n",
            self.palette.paint(style::CARE, "blocked"),
            one_line(&blocked.id),
            one_line(&blocked.because)
        )
    }

    /// The steps of a plan, numbered, with the views that go down and come up around each.
    pub(crate) fn steps(self, report: &PlanReport) -> String {
        let digits = report.steps.len().to_string().len();
        let rows = report.steps.iter().enumerate().map(|(at, step)| {
            let mut facts = Vec::new();
            if !step.atomic {
                facts.push("[no transaction]".to_owned());
            }
            if step.state != State::Pending && step.state != State::Applied {
                facts.push(format!("[{}]", step.state));
            }
            facts.push(one_line(&step.description));
            vec![
                format!("{:>digits$}", at + 1),
                step.action.as_str().to_owned(),
                one_line(&step.id),
                facts.join(" "),
            ]
        });
        let columns = self.columns.map(|columns| columns.saturating_sub(2));
        let mut page = String::new();
        for (line, step) in table::lines(&[], rows, columns, Narrow::Hide)
            .iter()
            .zip(&report.steps)
        {
            let word = step.action.as_str();
            let style = match step.action {
                Action::Revert => style::CARE,
                _ => style::GOOD,
            };
            let line = line.replacen(word, &self.palette.paint(style, word), 1);
            let _ = writeln!(page, "  {line}");
            page.push_str(&self.rehearsal(step.rehearsal.as_ref(), 4 + digits));
            page.push_str(&self.planned_views(&step.views, 4 + digits));
        }
        page
    }

    /// `log`.
    pub(crate) fn log(self, entries: &[LogEntry]) -> String {
        if entries.is_empty() {
            return "nothing was done here yet\n".to_owned();
        }
        let rows = entries.iter().map(|entry| {
            vec![
                moment(&entry.at),
                one_line(&entry.event),
                one_line(&entry.id),
                entry.duration_ms.map(milliseconds).unwrap_or_default(),
                one_line(&entry.by),
                entry.detail.as_deref().map(one_line).unwrap_or_default(),
            ]
        });
        let alignments = [
            Align::Left,
            Align::Left,
            Align::Left,
            Align::Right,
            Align::Left,
        ];
        let columns = self.columns.map(|columns| columns.saturating_sub(2));
        let mut page = String::new();
        for (line, entry) in table::lines(&alignments, rows, columns, Narrow::Keep)
            .iter()
            .zip(entries)
        {
            let style = match entry.event.as_str() {
                "applied" => style::GOOD,
                "failed" | "interrupted" => style::BAD,
                _ => style::CARE,
            };
            let word = one_line(&entry.event);
            let line = line.replacen(&word, &self.palette.paint(style, &word), 1);
            let _ = writeln!(page, "  {line}");
        }
        page
    }

    /// A list of ids that a question is about.
    pub(crate) fn reverting(self, report: &PlanReport) -> String {
        let ids = report.steps.iter().map(|step| super::text::width(&step.id));
        let widest = ids.max().unwrap_or(0);
        let mut page = String::new();
        for step in &report.steps {
            let id = padded(&one_line(&step.id), widest);
            let description = self.palette.paint(style::DIM, one_line(&step.description));
            let line = format!("{id}  {description}");
            let _ = writeln!(
                page,
                "  {} {}",
                self.palette.paint(style::CARE, "revert"),
                line.trim_end()
            );
            page.push_str(&self.planned_views(&step.views, 9));
        }
        page.push_str(&self.besides(report));
        page
    }
}

/// Why a migration is not applied, where it is known.
fn trouble(migration: &MigrationStatus) -> Option<&str> {
    let detail = migration.detail.as_deref()?;
    (migration.state != State::Applied).then_some(detail)
}

/// As [`moment`], to the minute: `2026-11-20 09:30Z`.
fn short_moment(rfc3339: &str) -> String {
    let moment = moment(rfc3339);
    match moment.get(..16) {
        Some(minute) if moment.ends_with('Z') => format!("{minute}Z"),
        _ => moment,
    }
}

/// `2026-11-20T09:30:00Z` as a person reads it: `2026-11-20 09:30:00Z`.
fn moment(rfc3339: &str) -> String {
    let text = one_line(rfc3339);
    match text.split_once('T') {
        Some((date, time)) => {
            let time = time.trim_end_matches('Z');
            let time = time.split('.').next().unwrap_or(time);
            format!("{date} {time}Z")
        }
        None => text,
    }
}
