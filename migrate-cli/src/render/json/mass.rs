//! Mass migrations for programs.

use migrate_core::mass::{
    MassRun, MassState, QuarantineState, Quarantined, Shard, ShardState,
    frontend::{MassDetail, MassEvent, MassStatus, Progress},
};
use serde::Serialize;
use serde_json::Value;

use super::{Place, ProblemJson, document, line, milliseconds, problems};

#[derive(Serialize)]
struct DatabaseJson<'a> {
    database: &'a str,
    mass: Vec<MassJson<'a>>,
}

#[derive(Serialize)]
struct MassJson<'a> {
    id: &'a str,
    description: &'a str,
    over: &'a str,
    state: &'static str,
    reason: Option<&'a str>,
    waits_for: &'a [String],
    progress: ProgressJson,
    run: Option<RunJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shards: Option<Vec<ShardJson<'a>>>,
    problems: Vec<ProblemJson<'a>>,
    #[serde(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct ProgressJson {
    units: u64,
    total: Option<u64>,
    rows: u64,
    batches: u64,
    failures: u64,
    shards_done: u32,
    shards: u32,
    workers: u32,
    units_per_second: Option<f64>,
    eta_ms: Option<f64>,
}

impl From<&Progress> for ProgressJson {
    fn from(progress: &Progress) -> Self {
        let (shards_done, shards) = progress.shards;
        Self {
            units: progress.units,
            total: progress.total,
            rows: progress.rows,
            batches: progress.batches,
            failures: progress.failures,
            shards_done,
            shards,
            workers: progress.workers,
            units_per_second: progress.rate.map(|rate| (rate * 10.0).round() / 10.0),
            eta_ms: progress.eta.map(milliseconds),
        }
    }
}

/// In `status`.
#[derive(Serialize)]
pub(super) struct MassBriefJson {
    state: &'static str,
    progress: ProgressJson,
}

impl From<&(MassState, Progress)> for MassBriefJson {
    fn from((state, progress): &(MassState, Progress)) -> Self {
        Self {
            state: state.as_str(),
            progress: progress.into(),
        }
    }
}

#[derive(Serialize)]
struct RunJson<'a> {
    run: i64,
    by: &'a str,
    created_at: &'a str,
    started_at: Option<&'a str>,
    ended_at: Option<&'a str>,
    /// Masked ones say so.
    parameters: Option<Value>,
    batch: u32,
    target_ms: Option<f64>,
    pause_ms: f64,
    max_failures: u32,
    throttled_for_ms: Option<f64>,
}

impl<'a> From<&'a MassRun> for RunJson<'a> {
    fn from(run: &'a MassRun) -> Self {
        Self {
            run: run.run,
            by: &run.by,
            created_at: &run.created_at,
            started_at: run.started_at.as_deref(),
            ended_at: run.ended_at.as_deref(),
            parameters: run
                .parameters
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
            batch: run.live.batch,
            target_ms: run.live.target.map(milliseconds),
            pause_ms: milliseconds(run.live.pause),
            max_failures: run.live.max_failures,
            throttled_for_ms: run.throttled_for.map(milliseconds),
        }
    }
}

#[derive(Serialize)]
struct ShardJson<'a> {
    shard: u32,
    state: &'static str,
    after: Option<Value>,
    through: Option<Value>,
    cursor: Option<Value>,
    units: u64,
    rows: u64,
    batches: u64,
    owner: Option<&'a str>,
    leased_for_ms: Option<f64>,
}

/// A key as it is stored: JSON, or else a text.
fn key(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

impl<'a> From<&'a Shard> for ShardJson<'a> {
    fn from(shard: &'a Shard) -> Self {
        Self {
            shard: shard.shard,
            state: match shard.state {
                ShardState::Open => "open",
                ShardState::Done => "done",
            },
            after: shard.after.as_deref().map(key),
            through: shard.through.as_deref().map(key),
            cursor: shard.cursor.as_deref().map(key),
            units: shard.units,
            rows: shard.rows,
            batches: shard.batches,
            owner: shard.owner.as_deref(),
            leased_for_ms: shard.leased_for.map(milliseconds),
        }
    }
}

fn of_status<'a>(status: &'a MassStatus, shards: Option<&'a [Shard]>) -> MassJson<'a> {
    MassJson {
        id: &status.id,
        description: &status.description,
        over: &status.over,
        state: status.state.as_str(),
        reason: status.reason.as_deref(),
        waits_for: &status.waits_for,
        progress: (&status.progress).into(),
        run: status.run.as_ref().map(RunJson::from),
        shards: shards.map(|shards| shards.iter().map(ShardJson::from).collect()),
        problems: problems(&status.problems),
        place: status.location.into(),
    }
}

/// `mass list`
pub(crate) fn mass_list(lists: &[(&str, &Vec<MassStatus>)]) -> String {
    let documents = lists.iter().map(|(database, list)| DatabaseJson {
        database,
        mass: list.iter().map(|status| of_status(status, None)).collect(),
    });
    document(&documents.collect::<Vec<_>>())
}

/// `mass status ID`
pub(crate) fn mass_details(details: &[(&str, &MassDetail)]) -> String {
    let documents = details.iter().map(|(database, detail)| DatabaseJson {
        database,
        mass: vec![of_status(&detail.status, Some(&detail.shards))],
    });
    document(&documents.collect::<Vec<_>>())
}

#[derive(Serialize)]
struct FailuresJson<'a> {
    database: &'a str,
    id: &'a str,
    failures: Vec<FailureJson<'a>>,
}

#[derive(Serialize)]
struct FailureJson<'a> {
    key: Value,
    state: &'static str,
    error: &'a str,
    attempts: u32,
    at: &'a str,
    shard: u32,
    reason: Option<&'a str>,
}

/// `mass failures ID`
pub(crate) fn mass_failures(id: &str, lists: &[(&str, &Vec<Quarantined>)]) -> String {
    let documents = lists.iter().map(|(database, list)| FailuresJson {
        database,
        id,
        failures: list
            .iter()
            .map(|failure| FailureJson {
                key: key(&failure.key),
                state: match failure.state {
                    QuarantineState::Open => "open",
                    QuarantineState::Resolved => "resolved",
                    QuarantineState::Skipped => "skipped",
                },
                error: &failure.error,
                attempts: failure.attempts,
                at: &failure.at,
                shard: failure.shard,
                reason: failure.reason.as_deref(),
            })
            .collect(),
    });
    document(&documents.collect::<Vec<_>>())
}

#[derive(Default, Serialize)]
struct EventJson<'a> {
    event: &'static str,
    database: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
}

/// One event of `mass run` or `mass work`.
pub(crate) fn mass_event(database: &str, event: &MassEvent) -> String {
    let json = match event {
        MassEvent::State { id, state, reason } => EventJson {
            event: "state",
            id: Some(id),
            state: Some(state.as_str()),
            reason: reason.as_deref(),
            ..EventJson::default()
        },
        MassEvent::Progress {
            id,
            progress,
            batch,
        } => EventJson {
            event: "progress",
            id: Some(id),
            progress: Some(progress.into()),
            batch: Some(*batch),
            ..EventJson::default()
        },
        MassEvent::Quarantined { id, key: at, error } => EventJson {
            event: "quarantined",
            id: Some(id),
            key: Some(key(at)),
            error: Some(error),
            ..EventJson::default()
        },
        MassEvent::TakenOver { id, shard, from } => EventJson {
            event: "taken_over",
            id: Some(id),
            shard: Some(*shard),
            from: Some(from),
            ..EventJson::default()
        },
        MassEvent::Reconnecting { error } => EventJson {
            event: "reconnecting",
            error: Some(error),
            ..EventJson::default()
        },
    };
    line(&EventJson { database, ..json })
}

#[derive(Serialize)]
struct ChangedJson<'a> {
    event: &'static str,
    database: &'a str,
    #[serde(flatten)]
    mass: MassJson<'a>,
}

/// What became of an order.
pub(crate) fn mass_changed(database: &str, status: &MassStatus) -> String {
    line(&ChangedJson {
        event: "state",
        database,
        mass: of_status(status, None),
    })
}

#[derive(Serialize)]
struct FinishedJson<'a> {
    event: &'static str,
    database: &'a str,
    mass: Vec<MassJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// The last event of `mass run` or `mass work`.
pub(crate) fn mass_finished(database: &str, runs: &[MassStatus], error: Option<&str>) -> String {
    line(&FinishedJson {
        event: "finished",
        database,
        mass: runs.iter().map(|status| of_status(status, None)).collect(),
        error,
    })
}
