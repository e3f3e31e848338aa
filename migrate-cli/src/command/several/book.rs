//! [`Book`]: what is known of each database in a run over several.

use migrate_core::{
    DatabaseSettings, FailureKind,
    databases::Order,
    frontend::{RunReport, Target, UpRequest, Waiting},
    report::Summary,
};

use super::turns::{Ended, Turns};
use crate::{
    exit,
    render::{
        Console, json,
        matrix::{Outcome, Row},
    },
};

/// What is known of each database.
pub(super) struct Book {
    entries: Vec<Entry>,
    turns: Turns,
    /// `--steps` counts over all databases: N migrations, not N times as many.
    steps_left: Option<usize>,
    /// Whose last event is not told yet: the last of all says how all ended.
    untold: Option<usize>,
}

struct Entry {
    database: DatabaseSettings,
    request: UpRequest,
    /// Of all its turns.
    total: Summary,
    end: Option<End>,
}

struct End {
    code: u8,
    error: Option<String>,
}

/// A turn of a database.
#[derive(Clone)]
pub(super) struct Turn {
    pub(super) at: usize,
    pub(super) database: DatabaseSettings,
    pub(super) request: UpRequest,
}

impl Book {
    pub(super) fn new(
        shares: Vec<(DatabaseSettings, UpRequest)>,
        order: Order,
        target: &Target,
        stop_after: usize,
    ) -> Self {
        let entries = shares.into_iter().map(|(database, request)| Entry {
            database,
            request,
            total: Summary::default(),
            end: None,
        });
        Self {
            entries: entries.collect(),
            turns: Turns::new(order, stop_after),
            steps_left: match target {
                Target::Steps(steps) => Some(*steps),
                _ => None,
            },
            untold: None,
        }
    }

    pub(super) fn name(&self, at: usize) -> &str {
        self.entries.get(at).map_or("", |it| &it.database.name)
    }

    /// Whose turn it is.
    pub(super) fn next(&mut self) -> Option<Turn> {
        if self.steps_left == Some(0) {
            return None;
        }
        let (at, waiting) = self.turns.next()?;
        let entry = self.entries.get(at)?;
        let mut request = UpRequest {
            waiting,
            ..entry.request.clone()
        };
        if let Some(steps) = self.steps_left {
            request.target = Target::Steps(steps);
        }
        Some(Turn {
            at,
            database: entry.database.clone(),
            request,
        })
    }

    /// Whether a turn ends with something that waits for other databases, which come next.
    pub(super) fn gives_way(turn: &Turn, report: &RunReport) -> bool {
        turn.request.waiting == Waiting::Leave
            && report.failure.is_none()
            && report.summary.failed == 0
            && report.summary.waiting > 0
    }

    /// A turn ended with this code.
    pub(super) fn ended(&mut self, turn: &Turn, report: &RunReport, code: u8) {
        let applied = report.summary.applied;
        if let Some(steps) = &mut self.steps_left {
            *steps = steps.saturating_sub(applied);
        }
        let Some(entry) = self.entries.get_mut(turn.at) else {
            return;
        };
        let before = std::mem::replace(&mut entry.total, report.summary.clone());
        let total = &mut entry.total;
        total.applied += before.applied;
        total.reverted += before.reverted;
        total.enqueued += before.enqueued;
        total.views += before.views;
        total.duration += before.duration;
        if Self::gives_way(turn, report) {
            self.turns.ended(turn.at, Ended::GaveWay(applied));
            return;
        }
        let error = report.failure.as_ref().map(|it| it.message.clone());
        let failed = error.is_some() || report.summary.failed > 0;
        entry.end = Some(End { code, error });
        self.untold = Some(turn.at);
        let how = if failed { Ended::Failed } else { Ended::Done };
        self.turns.ended(turn.at, how);
    }

    /// Tells programs how the last database ended, as another one goes on.
    pub(super) fn tell(&mut self, console: &mut Console<'_>) {
        self.tell_with(console, None);
    }

    /// Tells programs how the last database ended, and with it how all did.
    pub(super) fn tell_all(&mut self, console: &mut Console<'_>) {
        let rows = self.rows();
        self.tell_with(console, Some(&rows));
    }

    fn tell_with(&mut self, console: &mut Console<'_>, rows: Option<&[Row]>) {
        let entry = self.untold.take().and_then(|at| self.entries.get(at));
        if let Some(entry) = entry
            && let Some(end) = &entry.end
        {
            let name = &entry.database.name;
            let line = json::finished_of(name, &entry.total, end.error.as_deref(), rows);
            console.out(&line);
        }
    }

    /// One for each database, as they were named.
    pub(super) fn rows(&self) -> Vec<Row> {
        let rows = self.entries.iter().map(|entry| Row {
            database: entry.database.name.clone(),
            applied: entry.total.applied,
            pending: entry.total.pending,
            failed: entry.total.failed,
            outcome: match &entry.end {
                None => Outcome::NotStarted,
                Some(end) => outcome(end.code, &entry.total),
            },
            code: entry.end.as_ref().map(|end| end.code),
        });
        rows.collect()
    }

    /// Of the first database that was not done.
    pub(super) fn code(&self) -> u8 {
        let codes = self.entries.iter().filter_map(|it| it.end.as_ref());
        let mut codes = codes.map(|end| end.code);
        codes.find(|code| *code != exit::DONE).unwrap_or(exit::DONE)
    }

    /// Whether any was not at its end, or not even begun.
    pub(super) fn is_open(&self) -> bool {
        self.entries.iter().any(|it| it.end.is_none())
    }
}

fn outcome(code: u8, total: &Summary) -> Outcome {
    match code {
        exit::DONE => Outcome::Done,
        exit::NOT_DONE if total.failed > 0 => Outcome::Failed,
        exit::NOT_DONE if total.skipped > 0 => Outcome::Blocked,
        exit::NOT_DONE if total.deferred > 0 => Outcome::NotYet,
        exit::USAGE => Outcome::Of(FailureKind::Usage),
        exit::DISAGREEMENT => Outcome::Of(FailureKind::Disagreement),
        exit::LOCK => Outcome::Of(FailureKind::Lock),
        exit::UNREACHABLE => Outcome::Of(FailureKind::Unreachable),
        _ => Outcome::Failed,
    }
}
