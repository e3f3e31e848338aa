//! `up --dry-run` for programs.

use migrate_core::report::{Rehearsal, Rehearsals, Statement};
use serde::Serialize;

/// What a step has beside its plan.
#[derive(Serialize)]
pub(super) struct StepRehearsalJson<'a> {
    /// The texts alone, for those who want a script.
    #[serde(skip_serializing_if = "Option::is_none")]
    sql: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statements: Option<Vec<StatementJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<f64>,
    /// Inserted, updated and deleted by all of them; absent where the database does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deferred: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_shown: Option<&'a str>,
}

#[derive(Serialize)]
struct StatementJson<'a> {
    sql: &'a str,
    duration_ms: Option<f64>,
}

/// What a plan has beside its steps.
#[derive(Serialize)]
pub(super) struct RehearsalJson<'a> {
    before: Vec<StatementJson<'a>>,
    after: Vec<StatementJson<'a>>,
    not_shown: Option<&'a str>,
    error: Option<Vec<&'a str>>,
}

impl<'a> From<&'a Rehearsal> for StepRehearsalJson<'a> {
    fn from(rehearsal: &'a Rehearsal) -> Self {
        match rehearsal {
            Rehearsal::Ran(ran) => Self {
                sql: Some(ran.statements.iter().map(|it| it.sql.as_str()).collect()),
                statements: Some(statements(&ran.statements)),
                duration_ms: Some(ran.duration.as_secs_f64() * 1000.0),
                rows: ran.rows,
                deferred: ran.deferred.as_deref(),
                not_shown: None,
            },
            Rehearsal::NotShown(why) => Self {
                sql: None,
                statements: None,
                duration_ms: None,
                rows: None,
                deferred: None,
                not_shown: Some(why),
            },
        }
    }
}

impl<'a> From<&'a Rehearsals> for RehearsalJson<'a> {
    fn from(beside: &'a Rehearsals) -> Self {
        Self {
            before: statements(&beside.before),
            after: statements(&beside.after),
            not_shown: beside.not_shown.as_deref(),
            error: beside.failure.as_ref().map(|failure| {
                let causes = failure.causes.iter().map(String::as_str);
                std::iter::once(failure.message.as_str())
                    .chain(causes)
                    .collect()
            }),
        }
    }
}

fn statements(statements: &[Statement]) -> Vec<StatementJson<'_>> {
    let statements = statements.iter().map(|it| StatementJson {
        sql: &it.sql,
        duration_ms: it.duration.map(|took| took.as_secs_f64() * 1000.0),
    });
    statements.collect()
}
