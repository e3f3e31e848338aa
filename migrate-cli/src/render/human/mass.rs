//! Mass migrations for people.

use std::fmt::Write as _;

use migrate_core::mass::{
    MassState, QuarantineState, Quarantined, Shard, ShardState,
    frontend::{MassDetail, MassStatus, Progress},
};
use serde_json::Value;

use super::Page;
use crate::render::{
    style,
    table::{self, Align, Narrow},
    text::{clean, count, duration, hanging, one_line},
};

impl Page {
    /// `mass list`
    pub(crate) fn mass(self, list: &[MassStatus]) -> String {
        if list.is_empty() {
            return "  no mass migration belongs to this database\n".to_owned();
        }
        let rows = list.iter().map(|status| {
            vec![
                status.state.to_string(),
                one_line(&status.id),
                both(&far(&status.progress, status.state), &remark(status)),
            ]
        });
        let columns = self.columns.map(|columns| columns.saturating_sub(4));
        let lines = table::lines(&[], rows, columns, Narrow::Keep);
        let mut page = String::from("\n");
        for (line, status) in lines.iter().zip(list) {
            let word = status.state.as_str();
            let rest = line.strip_prefix(word).unwrap_or(line);
            let word = match self.columns {
                Some(_) => format!("{} {word}", style::sign_of_mass(status.state)),
                None => word.to_owned(),
            };
            let word = self.palette.paint(style::of_mass(status.state), word);
            let _ = writeln!(page, "  {word}{rest}");
            page.push_str(&self.problems(&status.problems));
        }
        page
    }

    /// One of them in one line: after an order.
    pub(crate) fn mass_line(self, status: &MassStatus) -> String {
        let state = self
            .palette
            .paint(style::of_mass(status.state), status.state);
        let remark = remark(status);
        let gap = if remark.is_empty() { "" } else { ", " };
        format!("{}: {state}{gap}{remark}\n", one_line(&status.id))
    }

    /// `mass status ID`
    pub(crate) fn mass_detail(self, detail: &MassDetail) -> String {
        let status = &detail.status;
        let mut page = String::from("\n");
        let mut line = |label: &str, text: &str| {
            if !text.is_empty() {
                let label = self.palette.paint(style::DIM, format!("{label:<10}"));
                let _ = writeln!(page, "  {label} {}", hanging(text, 13));
            }
        };
        let state = self
            .palette
            .paint(style::of_mass(status.state), status.state);
        line("migration", &one_line(&status.id));
        line("", &one_line(&status.description));
        line("state", &state);
        line(
            "because",
            status.reason.as_deref().map(clean).as_deref().unwrap_or(""),
        );
        line("waits for", &status.waits_for.join(", "));
        line("over", &status.over);
        line("progress", &far(&status.progress, status.state));
        if let Some(run) = &status.run {
            line("batches", &batches(&status.progress));
            let mut pace = match run.live.target {
                Some(target) => format!("a batch is to take {}", duration(target)),
                None => format!("{} units in a batch", grouped(run.live.batch.into())),
            };
            if !run.live.pause.is_zero() {
                let _ = write!(pace, ", {} between two", duration(run.live.pause));
            }
            line("pace", &pace);
            let limit = format!(
                "{} in quarantine, limit {}",
                status.progress.failures, run.live.max_failures
            );
            line("failures", &limit);
            line("parameters", run.parameters.as_deref().unwrap_or(""));
            let times = [
                Some(format!("enqueued {} by {}", run.created_at, run.by)),
                run.started_at.as_ref().map(|at| format!("started {at}")),
                run.ended_at.as_ref().map(|at| format!("ended {at}")),
            ];
            for time in times.iter().flatten() {
                line("", time);
            }
        }
        page.push_str(&self.problems(&status.problems));
        page.push_str(&self.shards(&detail.shards));
        page
    }

    fn shards(self, shards: &[Shard]) -> String {
        if shards.is_empty() {
            return String::new();
        }
        let mut page = format!("\n{}\n", self.palette.paint(style::BOLD, "shards"));
        let rows = shards.iter().map(|shard| {
            let held = shard.leased_for.is_some_and(|left| !left.is_zero());
            let state = match (shard.state, held) {
                (ShardState::Done, _) => "done",
                (ShardState::Open, true) => "leased",
                (ShardState::Open, false) => "open",
            };
            let through = match (&shard.through, shard.shard) {
                (_, 0) => "what was in quarantine".to_owned(),
                (Some(through), _) => format!("through {}", key(through)),
                (None, _) => "to the end".to_owned(),
            };
            let cursor = shard
                .cursor
                .as_deref()
                .filter(|_| shard.state == ShardState::Open);
            vec![
                shard.shard.to_string(),
                state.to_owned(),
                grouped(shard.units),
                through,
                cursor.map_or_else(String::new, |at| format!("at {}", key(at))),
                shard
                    .owner
                    .as_deref()
                    .filter(|_| held)
                    .map_or_else(String::new, one_line),
            ]
        });
        let alignments = [
            Align::Right,
            Align::Left,
            Align::Right,
            Align::Left,
            Align::Left,
            Align::Left,
        ];
        let columns = self.columns.map(|columns| columns.saturating_sub(2));
        for line in table::lines(&alignments, rows, columns, Narrow::Hide) {
            let _ = writeln!(page, "  {line}");
        }
        page
    }

    /// `mass failures ID`
    pub(crate) fn mass_failures(self, list: &[Quarantined]) -> String {
        if list.is_empty() {
            return "  nothing is in quarantine\n".to_owned();
        }
        let mut page = String::from("\n");
        for failure in list {
            let (state, style) = match failure.state {
                QuarantineState::Open => ("open", style::BAD),
                QuarantineState::Resolved => ("resolved", style::GOOD),
                QuarantineState::Skipped => ("skipped", style::DIM),
            };
            let tries = count(failure.attempts as usize, "attempt");
            let _ = writeln!(
                page,
                "  {} {}  {}",
                self.palette.paint(style, format!("{state:<8}")),
                key(&failure.key),
                self.palette
                    .paint(style::DIM, format!("{tries}, {}", failure.at))
            );
            let _ = writeln!(page, "           {}", hanging(&clean(&failure.error), 11));
            if let Some(reason) = &failure.reason {
                let _ = writeln!(page, "           skipped: {}", hanging(&clean(reason), 20));
            }
        }
        page
    }
}

fn both(far: &str, remark: &str) -> String {
    let parts = [far, remark].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("; ")
}

/// A key as one would type it: `17`, `(17, de)`; what is no key as it is.
pub(crate) fn key(json: &str) -> String {
    let text = match serde_json::from_str::<Vec<String>>(json) {
        Ok(parts) if parts.len() > 1 => format!("({})", parts.join(", ")),
        Ok(parts) => parts.concat(),
        // Of a record of a file there is more to tell a program than a person.
        Err(_) => match serde_json::from_str::<Value>(json) {
            Ok(Value::Object(place)) if place.contains_key("file") => match place.get("line") {
                Some(line) => format!("line {line}"),
                None => json.to_owned(),
            },
            _ => json.to_owned(),
        },
    };
    one_line(&text)
}

/// What there is to say beside how far it is.
fn remark(status: &MassStatus) -> String {
    if !status.waits_for.is_empty() && status.state == MassState::Pending {
        return format!("waits for {}", status.waits_for.join(", "));
    }
    match &status.reason {
        Some(reason) => one_line(reason),
        None if status.state == MassState::Pending => one_line(&status.description),
        None => String::new(),
    }
}

fn batches(progress: &Progress) -> String {
    match progress.batches {
        0 => String::new(),
        n => {
            let rows = match progress.rows {
                rows if rows == progress.units => String::new(),
                rows => format!(", {} rows changed", grouped(rows)),
            };
            format!("{}{rows}", grouped(n))
        }
    }
}

/// `64 %, 640,000 of 1,000,000, 12,300/s, 29 s left, 2 workers, 1 in quarantine`.
pub(crate) fn far(progress: &Progress, state: MassState) -> String {
    let mut parts = Vec::new();
    match progress.total.filter(|total| *total > 0) {
        Some(total) => {
            parts.push(format!("{} %", percent(progress.units, total)));
            parts.push(format!("{} of {}", grouped(progress.units), grouped(total)));
        }
        None if progress.batches > 0 => parts.push(format!("{} done", grouped(progress.units))),
        None => {}
    }
    if !state.is_at_rest() {
        if let Some(rate) = progress.rate.filter(|rate| *rate > 0.0) {
            parts.push(format!("{}/s", speed(rate)));
        }
        if let Some(eta) = progress.eta.filter(|_| progress.workers > 0) {
            parts.push(format!("{} left", left(eta)));
        }
        if progress.workers > 0 {
            parts.push(count(progress.workers as usize, "worker"));
        }
    }
    if progress.failures > 0 {
        parts.push(format!("{} in quarantine", grouped(progress.failures)));
    }
    parts.join(", ")
}

/// Whole seconds: an estimate has no tenths.
fn left(eta: std::time::Duration) -> String {
    match eta.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Whole percent, rounded down: 100 only when it is done. Rows that came later count as done, too.
pub(crate) fn percent(units: u64, total: u64) -> u64 {
    let percent = u128::from(units) * 100 / u128::from(total.max(1));
    u64::try_from(percent.min(100)).unwrap_or(100)
}

fn speed(rate: f64) -> String {
    if rate < 10.0 {
        format!("{rate:.1}")
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate for people"
        )]
        let whole = rate.round() as u64;
        grouped(whole)
    }
}

/// `1,234,567`
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(n), text);
        }
    }

    #[test]
    fn a_hundred_percent_is_all() {
        assert_eq!(percent(999_999, 1_000_000), 99);
        assert_eq!(percent(1_000_000, 1_000_000), 100);
        assert_eq!(percent(1_000_010, 1_000_000), 100);
    }

    #[test]
    fn what_is_at_rest_has_no_rate() {
        let progress = Progress {
            units: 640_000,
            total: Some(1_000_000),
            batches: 640,
            failures: 1,
            workers: 2,
            rate: Some(12_345.6),
            eta: Some(Duration::from_secs(29)),
            ..Progress::default()
        };
        assert_eq!(
            far(&progress, MassState::Running),
            "64 %, 640,000 of 1,000,000, 12,346/s, 29 s left, 2 workers, 1 in quarantine"
        );
        assert_eq!(
            far(&progress, MassState::Paused),
            "64 %, 640,000 of 1,000,000, 1 in quarantine"
        );
    }
}
