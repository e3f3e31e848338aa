//! What `up --dry-run` saw.

use std::fmt::Write as _;

use migrate_core::report::{PlanReport, Rehearsal, Rehearsals, Rehearsed, Statement};

use super::Page;
use crate::render::{
    style,
    text::{count, dedented, duration, one_line},
};

impl Page {
    /// Under a step: its statements and what they took; or why there are none.
    pub(super) fn rehearsal(self, rehearsal: Option<&Rehearsal>, indent: usize) -> String {
        match rehearsal {
            None => String::new(),
            Some(Rehearsal::Ran(ran)) => {
                let mut page = self.statements(&ran.statements, indent);
                let summary = self.palette.paint(style::DIM, summary(ran));
                let _ = writeln!(page, "{:indent$}= {summary}", "");
                if let Some(reason) = &ran.deferred {
                    let reason = format!("not yet: {}", one_line(reason));
                    let reason = self.palette.paint(style::CARE, reason);
                    let _ = writeln!(page, "{:indent$}= {reason}", "");
                }
                page
            }
            Some(Rehearsal::NotShown(why)) => {
                let why = format!("not shown: {}", one_line(why));
                let why = self.palette.paint(style::CARE, why);
                format!("{:indent$}= {why}\n", "")
            }
        }
    }

    /// Each with its time behind its last line.
    pub(super) fn statements(self, statements: &[Statement], indent: usize) -> String {
        let mut page = String::new();
        for statement in statements {
            let sql = shown(&statement.sql);
            let lines = dedented(sql);
            for (at, line) in lines.iter().enumerate() {
                let _ = write!(page, "{:indent$}| {line}", "");
                if at + 1 == lines.len() {
                    let took = match statement.duration {
                        Some(took) => duration(took),
                        None => "no answer".to_owned(),
                    };
                    let took = self.palette.paint(style::DIM, took);
                    let _ = write!(page, "   {took}");
                }
                page.push('\n');
            }
        }
        page
    }

    /// Statements that belong to no step.
    pub(super) fn beside(self, title: &str, statements: &[Statement]) -> String {
        if statements.is_empty() {
            return String::new();
        }
        format!("  {title}\n{}", self.statements(statements, 4))
    }

    /// The last words of a rehearsal.
    pub(super) fn rolled_back(self, report: &PlanReport) -> String {
        let Some(rehearsals) = &report.rehearsal else {
            return String::new();
        };
        match rehearsals {
            Rehearsals {
                not_shown: Some(why),
                ..
            } => format!("nothing was tried: {}\n", one_line(why)),
            Rehearsals {
                failure: Some(_), ..
            } => "tried and rolled back; it would fail\n".to_owned(),
            _ => "tried and rolled back: nothing is changed\n".to_owned(),
        }
    }
}

fn summary(ran: &Rehearsed) -> String {
    let mut parts = vec![count(ran.statements.len(), "statement")];
    parts.extend(ran.rows.map(|rows| {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        format!("{} changed", count(rows, "row"))
    }));
    parts.push(duration(ran.duration));
    parts.join(", ")
}

/// Without the parameters that Diesel lists where there are none.
fn shown(sql: &str) -> &str {
    sql.strip_suffix(" -- binds: []").unwrap_or(sql)
}

/// `up --dry-run --sql`: a script of what reached the database, a transaction per step, as `up` has it.
pub(crate) fn script(report: &PlanReport) -> String {
    let mut script = format!(
        "-- database {} ({}): what `up` would send\n",
        one_line(&report.database),
        one_line(&report.backend)
    );
    let beside = report.rehearsal.clone().unwrap_or_default();
    if let Some(why) = &beside.not_shown {
        let _ = writeln!(script, "-- not shown: {}", one_line(why));
    }
    block(&mut script, "views that are missing", &beside.before);
    for step in &report.steps {
        let id = one_line(&step.id);
        match &step.rehearsal {
            Some(Rehearsal::Ran(ran)) => match &ran.deferred {
                None => block(&mut script, &id, &ran.statements),
                Some(why) => {
                    let _ = writeln!(script, "\n-- {id}: not yet: {}", one_line(why));
                }
            },
            Some(Rehearsal::NotShown(why)) => {
                let _ = writeln!(script, "\n-- {id}: not shown: {}", one_line(why));
            }
            None => {}
        }
    }
    block(&mut script, "views that changed", &beside.after);
    script
}

fn block(script: &mut String, title: &str, statements: &[Statement]) {
    if statements.is_empty() {
        return;
    }
    let _ = writeln!(script, "\n-- {title}\nBEGIN;");
    for statement in statements {
        let (sql, binds) = match shown(&statement.sql).rsplit_once(" -- binds: [") {
            Some((sql, binds)) => (sql, Some(binds)),
            None => (shown(&statement.sql), None),
        };
        if let Some(binds) = binds {
            let _ = writeln!(script, "-- with parameters: [{}", one_line(binds));
        }
        // As it is: a line of it may be part of a literal.
        let sql = sql.trim_end();
        script.push_str(sql);
        // Behind a comment it would belong to that.
        let ending = match sql.lines().last() {
            Some(last) if last.contains("--") => "\n;\n",
            _ if sql.ends_with(';') => "\n",
            _ => ";\n",
        };
        script.push_str(ending);
    }
    script.push_str("COMMIT;\n");
}
