//! How several databases stand: a line for each.

use migrate_core::FailureKind;
use serde::Serialize;

use super::{
    human::Page,
    style,
    table::{self, Align, Narrow},
    text::one_line,
};
use crate::exit;

/// How one database stands, or ended.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) database: String,
    pub(crate) applied: usize,
    pub(crate) pending: usize,
    pub(crate) failed: usize,
    pub(crate) outcome: Outcome,
    /// What alone it would have ended with.
    pub(crate) code: Option<u8>,
}

/// How it stands in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    UpToDate,
    Pending,
    Failed,
    Blocked,
    NotYet,
    NotStarted,
    Of(FailureKind),
}

impl Outcome {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::UpToDate => "up to date",
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::NotYet => "deferred",
            Self::NotStarted => "not started",
            Self::Of(FailureKind::Usage) => "refused",
            Self::Of(FailureKind::Disagreement) => "disagrees",
            Self::Of(FailureKind::Lock) => "locked",
            Self::Of(FailureKind::Unreachable) => "unreachable",
            Self::Failed | Self::Of(_) => "failed",
        }
    }

    /// Whether nothing is known of the database.
    fn is_unknown(self) -> bool {
        matches!(self, Self::NotStarted | Self::Of(FailureKind::Unreachable))
    }
}

/// The row in JSON.
#[derive(Serialize)]
pub(super) struct RowJson<'a> {
    database: &'a str,
    applied: usize,
    pending: usize,
    failed: usize,
    state: String,
    exit: Option<u8>,
}

impl<'a> From<&'a Row> for RowJson<'a> {
    fn from(row: &'a Row) -> Self {
        Self {
            database: &row.database,
            applied: row.applied,
            pending: row.pending,
            failed: row.failed,
            state: row.outcome.word().replace(' ', "_"),
            exit: row.code,
        }
    }
}

impl Page {
    /// A table of all, with a heading.
    pub(crate) fn matrix(self, rows: &[Row]) -> String {
        let heading = ["database", "applied", "pending", "failed", "state"];
        let heading = heading.map(str::to_owned).to_vec();
        let cells = rows.iter().map(|row| {
            let number = |n: usize| match row.outcome.is_unknown() {
                true => "-".to_owned(),
                false => n.to_string(),
            };
            let mut state = row.outcome.word().to_owned();
            if let Some(code) = row.code.filter(|code| *code != exit::DONE) {
                state.push_str(&format!(", exit {code}"));
            }
            vec![
                one_line(&row.database),
                number(row.applied),
                number(row.pending),
                number(row.failed),
                state,
            ]
        });
        let alignments = [
            Align::Left,
            Align::Right,
            Align::Right,
            Align::Right,
            Align::Left,
        ];
        let all = std::iter::once(heading).chain(cells);
        let lines = table::lines(&alignments, all, None, Narrow::Keep);
        let mut page = String::from("\n");
        for (at, line) in lines.iter().enumerate() {
            let row = at.checked_sub(1).and_then(|at| rows.get(at));
            let line = match row {
                None => self.palette.paint(style::DIM, line),
                Some(row) => match row.outcome {
                    Outcome::Done | Outcome::UpToDate => line.clone(),
                    Outcome::Pending | Outcome::NotYet | Outcome::NotStarted => {
                        self.palette.paint(style::CARE, line)
                    }
                    _ => self.palette.paint(style::BAD, line),
                },
            };
            page.push_str(&line);
            page.push('\n');
        }
        page
    }
}
