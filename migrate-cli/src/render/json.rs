//! Reports and events for programs. Field names are a contract; fields may be added, never renamed.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use migrate_core::{
    Location,
    report::{
        Blocked, CheckReport, GraphReport, LockHolder, LogEntry, PlanReport, Problem, StatusReport,
        Summary,
    },
    unlock::{Activity, LockSession},
};
use serde::Serialize;

use super::matrix::{Row, RowJson};
use crate::scaffold::Written;

mod adoption;
mod mass;
mod rehearsal;
mod view;

pub(crate) use adoption::adoption;
use mass::MassBriefJson;
pub(crate) use mass::{
    mass_changed, mass_details, mass_event, mass_failures, mass_finished, mass_list,
};
use rehearsal::{RehearsalJson, StepRehearsalJson};
use view::{GraphViewJson, PlannedViewJson, ViewJson};

/// A document, readable by people too.
pub(crate) fn document(value: &impl Serialize) -> String {
    // Maps with keys that are no strings, the only thing that could fail, do not occur here.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// One line of a stream.
pub(crate) fn line(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
pub(crate) struct Place {
    file: &'static str,
    line: u32,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self {
            file: location.file,
            line: location.line,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct ProblemJson<'a> {
    kind: &'static str,
    id: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Option<Place>,
}

impl<'a> From<&'a Problem> for ProblemJson<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            kind: problem.kind.as_str(),
            id: &problem.id,
            message: &problem.message,
            place: problem.location.map(Place::from),
        }
    }
}

fn problems(problems: &[Problem]) -> Vec<ProblemJson<'_>> {
    problems.iter().map(ProblemJson::from).collect()
}

#[derive(Serialize)]
pub(crate) struct HolderJson<'a> {
    pid: Option<u32>,
    host: Option<&'a str>,
    since_ms: Option<f64>,
}

impl<'a> From<&'a LockHolder> for HolderJson<'a> {
    fn from(holder: &'a LockHolder) -> Self {
        Self {
            pid: holder.pid,
            host: holder.host.as_deref(),
            since_ms: holder.since.map(milliseconds),
        }
    }
}

/// Who holds the deploy lock of a database.
#[derive(Serialize)]
pub(crate) struct LockJson<'a> {
    database: &'a str,
    held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<bool>,
    holder: Option<HolderJson<'a>>,
    /// `working`, `idle`, `unknown`
    activity: Option<&'static str>,
    idle_ms: Option<f64>,
}

impl<'a> LockJson<'a> {
    pub(crate) fn shown(database: &'a str, session: Option<&'a LockSession>) -> Self {
        let (activity, idle) = match session.map(|session| session.activity) {
            None => (None, None),
            Some(Activity::Working) => (Some("working"), None),
            Some(Activity::Idle(idle)) => (Some("idle"), Some(idle)),
            Some(Activity::Unknown) => (Some("unknown"), None),
        };
        Self {
            database,
            held: session.is_some(),
            ended: None,
            holder: session.map(|session| HolderJson::from(&session.holder)),
            activity,
            idle_ms: idle.map(milliseconds),
        }
    }

    pub(crate) fn ended(database: &'a str, session: Option<&'a LockSession>) -> Self {
        Self {
            held: false,
            ended: Some(session.is_some()),
            ..Self::shown(database, session)
        }
    }
}

/// As reports have durations: milliseconds, to the microsecond.
pub(crate) fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

#[derive(Serialize)]
struct StatusJson<'a> {
    database: &'a str,
    backend: &'a str,
    migrations: Vec<MigrationJson<'a>>,
    views: Vec<ViewJson<'a>>,
    problems: Vec<ProblemJson<'a>>,
    locked_by: Option<HolderJson<'a>>,
}

#[derive(Serialize)]
struct MigrationJson<'a> {
    id: &'a str,
    package: &'a str,
    name: &'a str,
    description: &'a str,
    state: &'static str,
    requires: &'a [String],
    applied_at: Option<&'a str>,
    duration_ms: Option<f64>,
    #[serde(flatten)]
    place: Place,
    fingerprint: &'a str,
    detail: Option<&'a str>,
    /// Only of a mass migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    mass: Option<MassBriefJson>,
}

/// `status`.
pub(crate) fn status(reports: &[StatusReport]) -> String {
    document(&reports.iter().map(of_status).collect::<Vec<_>>())
}

fn of_status(report: &StatusReport) -> StatusJson<'_> {
    let migrations = report.migrations.iter().map(|migration| MigrationJson {
        id: &migration.id,
        package: &migration.package,
        name: &migration.name,
        description: &migration.description,
        state: migration.state.as_str(),
        requires: &migration.requires,
        applied_at: migration.applied_at.as_deref(),
        duration_ms: migration.duration_ms,
        place: migration.location.into(),
        fingerprint: &migration.fingerprint,
        detail: migration.detail.as_deref(),
        mass: migration.mass.as_ref().map(MassBriefJson::from),
    });
    StatusJson {
        database: &report.database,
        backend: &report.backend,
        migrations: migrations.collect(),
        views: report.views.iter().map(ViewJson::from).collect(),
        problems: problems(&report.problems),
        locked_by: report.locked_by.as_ref().map(HolderJson::from),
    }
}

#[derive(Serialize)]
struct PlanJson<'a> {
    database: &'a str,
    backend: &'a str,
    steps: Vec<StepJson<'a>>,
    /// What comes after the last step.
    views: Vec<PlannedViewJson<'a>>,
    blocked: Vec<BlockedJson<'a>>,
    /// Mass migrations that `up` leaves alone.
    left: &'a [String],
    problems: Vec<ProblemJson<'a>>,
    /// Of `up --dry-run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rehearsal: Option<RehearsalJson<'a>>,
}

#[derive(Serialize)]
struct StepJson<'a> {
    id: &'a str,
    action: &'static str,
    description: &'a str,
    requires: &'a [String],
    state: &'static str,
    atomic: bool,
    views: Vec<PlannedViewJson<'a>>,
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    rehearsal: Option<StepRehearsalJson<'a>>,
}

#[derive(Serialize)]
struct BlockedJson<'a> {
    id: &'a str,
    because: &'a str,
    /// The database that it waits for, what of it, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
}

impl<'a> From<&'a Blocked> for BlockedJson<'a> {
    fn from(blocked: &'a Blocked) -> Self {
        let elsewhere = blocked.elsewhere.as_ref();
        Self {
            id: &blocked.id,
            because: &blocked.because,
            database: elsewhere.map(|it| it.database.as_str()),
            waits_for: elsewhere.map(|it| it.id.as_str()),
            next: elsewhere.map(|it| it.next_step.as_str()),
        }
    }
}

/// `plan`, `up --dry-run`.
pub(crate) fn plan(reports: &[PlanReport]) -> String {
    document(&reports.iter().map(of_plan).collect::<Vec<_>>())
}

fn of_plan(report: &PlanReport) -> PlanJson<'_> {
    let steps = report.steps.iter().map(|step| StepJson {
        id: &step.id,
        action: step.action.as_str(),
        description: &step.description,
        requires: &step.requires,
        state: step.state.as_str(),
        atomic: step.atomic,
        views: view::planned(&step.views),
        place: step.location.into(),
        rehearsal: step.rehearsal.as_ref().map(StepRehearsalJson::from),
    });
    PlanJson {
        database: &report.database,
        backend: &report.backend,
        steps: steps.collect(),
        views: view::planned(&report.views),
        blocked: report.blocked.iter().map(BlockedJson::from).collect(),
        left: &report.left,
        problems: problems(&report.problems),
        rehearsal: report.rehearsal.as_ref().map(RehearsalJson::from),
    }
}

#[derive(Serialize)]
struct CheckJson<'a> {
    database: &'a str,
    backend: &'a str,
    carried: usize,
    pending: &'a [String],
    /// Of what is pending, the mass migrations.
    pending_mass: &'a [String],
    pending_views: &'a [String],
    blocked: Vec<BlockedJson<'a>>,
    problems: Vec<ProblemJson<'a>>,
}

/// `check`.
pub(crate) fn check(reports: &[CheckReport]) -> String {
    let documents = reports.iter().map(|report| CheckJson {
        database: &report.database,
        backend: &report.backend,
        carried: report.carried,
        pending: &report.pending,
        pending_mass: &report.pending_mass,
        pending_views: &report.pending_views,
        blocked: report.blocked.iter().map(BlockedJson::from).collect(),
        problems: problems(&report.problems),
    });
    document(&documents.collect::<Vec<_>>())
}

#[derive(Serialize)]
struct LogJson<'a> {
    database: &'a str,
    entries: Vec<EntryJson<'a>>,
}

#[derive(Serialize)]
struct EntryJson<'a> {
    at: &'a str,
    id: &'a str,
    event: &'a str,
    by: &'a str,
    duration_ms: Option<f64>,
    detail: Option<&'a str>,
}

/// `log`.
pub(crate) fn log(logs: &[(String, Vec<LogEntry>)]) -> String {
    let documents = logs.iter().map(|(database, entries)| LogJson {
        database,
        entries: entries
            .iter()
            .map(|entry| EntryJson {
                at: &entry.at,
                id: &entry.id,
                event: &entry.event,
                by: &entry.by,
                duration_ms: entry.duration_ms,
                detail: entry.detail.as_deref(),
            })
            .collect(),
    });
    document(&documents.collect::<Vec<_>>())
}

#[derive(Serialize)]
struct GraphJson<'a> {
    nodes: Vec<NodeJson<'a>>,
    edges: Vec<EdgeJson<'a>>,
    views: Vec<GraphViewJson<'a>>,
}

#[derive(Serialize)]
struct NodeJson<'a> {
    id: &'a str,
    description: &'a str,
    #[serde(flatten)]
    place: Place,
    databases: &'a [String],
    mass: bool,
    state: Option<&'static str>,
}

#[derive(Serialize)]
struct EdgeJson<'a> {
    from: &'a str,
    to: &'a str,
}

/// `graph --format json`.
pub(crate) fn graph(report: &GraphReport) -> String {
    let nodes = report.nodes.iter().map(|node| NodeJson {
        id: &node.id,
        description: &node.description,
        place: node.location.into(),
        databases: &node.databases,
        mass: node.scale == migrate_core::Scale::Mass,
        state: node.state.map(migrate_core::State::as_str),
    });
    let edges = report.edges.iter().map(|(from, to)| EdgeJson { from, to });
    document(&GraphJson {
        nodes: nodes.collect(),
        edges: edges.collect(),
        views: report.views.iter().map(GraphViewJson::from).collect(),
    })
}

/// One event of `up`, `down`, `redo` or `resolve`: a name, the database, and what else there is.
#[derive(Default, Serialize)]
pub(crate) struct EventJson<'a> {
    pub(crate) event: &'static str,
    pub(crate) database: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<&'a str>,
    /// Of a view, in the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    /// What a view went down or came up for; `null` where that is no migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) migration: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) done: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<f64>,
    /// The error and its causes in one text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) causes: Option<&'a [String]>,
    #[serde(flatten)]
    pub(crate) place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rolled_back: Option<bool>,
    /// Of a mass migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) because: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waited_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<HolderJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<ProblemJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decision: Option<&'static str>,
}

#[derive(Serialize)]
struct FinishedJson<'a> {
    event: &'static str,
    database: &'a str,
    applied: usize,
    failed: usize,
    deferred: usize,
    /// Mass migrations that workers run.
    enqueued: usize,
    skipped: usize,
    reverted: usize,
    pending: usize,
    /// Created or built anew for no migration.
    views: usize,
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// Of the last database of a run over several: how all of them ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    databases: Option<Vec<RowJson<'a>>>,
}

/// The last event of a run.
pub(crate) fn finished(database: &str, summary: &Summary, error: Option<&str>) -> String {
    finished_of(database, summary, error, None)
}

/// As [`finished`], of one of several databases; of the last with `rows`, how all of them ended.
pub(crate) fn finished_of(
    database: &str,
    summary: &Summary,
    error: Option<&str>,
    rows: Option<&[Row]>,
) -> String {
    line(&FinishedJson {
        event: "finished",
        database,
        applied: summary.applied,
        failed: summary.failed,
        deferred: summary.deferred,
        enqueued: summary.enqueued,
        skipped: summary.skipped,
        reverted: summary.reverted,
        pending: summary.pending,
        views: summary.views,
        duration_ms: milliseconds(summary.duration),
        error,
        databases: rows.map(|rows| rows.iter().map(RowJson::from).collect()),
    })
}

/// A database began with a dump.
pub(crate) fn restored(database: &str, file: &str, took: Duration) -> String {
    #[derive(Serialize)]
    struct RestoredJson<'a> {
        event: &'static str,
        database: &'a str,
        file: &'a str,
        duration_ms: f64,
    }
    line(&RestoredJson {
        event: "restored",
        database,
        file,
        duration_ms: milliseconds(took),
    })
}

#[derive(Serialize)]
struct WrittenJson {
    id: String,
    requires: Option<String>,
    file: String,
    line: usize,
    created: Vec<String>,
    changed: Vec<String>,
}

/// `new`. `shown` is how a path is told.
pub(crate) fn written(written: &Written, shown: impl Fn(&Path) -> String) -> String {
    let all = |paths: &[PathBuf]| paths.iter().map(|path| shown(path)).collect();
    document(&WrittenJson {
        id: written.id.clone(),
        requires: written.requires.clone(),
        file: shown(&written.file),
        line: written.line,
        created: all(&written.created),
        changed: all(&written.changed),
    })
}
