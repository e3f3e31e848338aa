//! What the command line means, in migrate-core's words.

pub(crate) mod mass;
pub(crate) mod settle;

use std::{path::PathBuf, time::Duration};

use migrate_core::record::{AcceptRequest, MarkRequest};

use migrate_core::frontend::{
    DownRequest, DownTarget, Grouping, OnFailure, Repeats, Resolution, Target, UpRequest,
};
use migrate_core::{restore::Occupied, unlock::Force};

use crate::args::{
    DecisionArgs, DownArgs, GlobalArgs, NewArgs, SelectionArgs, Typed, TypedCommand, TypedFormat,
    UpArgs,
};
use crate::command::{restore, unlock::Unlock};

/// A command line that makes sense.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) options: Options,
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug)]
pub(crate) struct Options {
    /// Names and patterns; empty for all.
    pub(crate) databases: Vec<String>,
    pub(crate) database_url: Option<String>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) format: Format,
    pub(crate) verbosity: Verbosity,
    pub(crate) colors: Colors,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            databases: Vec::new(),
            database_url: None,
            config: None,
            format: Format::Human,
            verbosity: Verbosity::Normal,
            colors: Colors::WherePossible,
        }
    }
}

/// Who reads the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Info,
    Debug,
}

impl Verbosity {
    /// `-v` or more.
    pub(crate) fn is_verbose(self) -> bool {
        matches!(self, Self::Info | Self::Debug)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colors {
    WherePossible,
    Never,
}

#[derive(Debug)]
pub(crate) enum Command {
    Up(UpRequest, Start),
    Plan(UpRequest),
    /// `up --dry-run`
    Rehearse(UpRequest, Rehearsal),
    Status(StatusExit),
    Graph(GraphFormat),
    Down(DownRequest, Confirmation),
    Redo(DownRequest, Confirmation),
    Check,
    Resolve {
        id: String,
        decision: Resolution,
        wait: Option<Duration>,
    },
    Restore(restore::Typed),
    Mark(MarkRequest, Confirmation),
    Accept(AcceptRequest),
    Adopt(settle::Adopt),
    Log {
        limit: usize,
    },
    Wait {
        timeout: Duration,
    },
    Mass(mass::Mass),
    Unlock(Unlock),
    New(NewArgs),
    Completions(clap_complete::Shell),
}

/// What `up --dry-run` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rehearsal {
    Report,
    /// `--sql`
    Script,
}

/// What the exit code of `status` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusExit {
    Readable,
    Applied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GraphFormat {
    Text,
    Mermaid,
    Dot,
    Svg,
    Json,
}

/// What `up` does around a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// For how long to wait for a database; as configured where `None`.
    pub(crate) wait_for_db: Option<Duration>,
    pub(crate) flush: Flush,
    pub(crate) several: Several,
    /// What is settled before anything runs.
    pub(crate) accept: Option<AcceptRequest>,
}

/// How `up` goes through several databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Several {
    /// How many at a time.
    pub(crate) jobs: usize,
    /// After how many that failed no other one is begun.
    pub(crate) stop_after: usize,
}

/// When Redis is flushed, if one is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    AfterChanges,
    Always,
}

/// Whether to ask before doing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmation {
    Ask,
    Given,
}

/// Why a command line makes no sense although clap could read it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Nonsense {
    pub(crate) message: String,
    pub(crate) next: String,
}

impl TryFrom<Typed> for Request {
    type Error = Nonsense;

    fn try_from(typed: Typed) -> Result<Self, Nonsense> {
        let command = typed
            .command
            .unwrap_or_else(|| TypedCommand::Up(UpArgs::default()));
        let (format, graph_format) = formats(typed.global.format, &command)?;
        let command = match command {
            TypedCommand::Up(up) => up_command(up),
            TypedCommand::Plan(selection) => Command::Plan(UpRequest {
                target: target(selection),
                ..UpRequest::default()
            }),
            TypedCommand::Status(status) => Command::Status(if status.exit_code {
                StatusExit::Applied
            } else {
                StatusExit::Readable
            }),
            TypedCommand::Graph => Command::Graph(graph_format),
            TypedCommand::Down(down) => {
                let (request, confirmation) = down_request(down);
                Command::Down(request, confirmation)
            }
            TypedCommand::Redo(down) => {
                let (request, confirmation) = down_request(down);
                Command::Redo(request, confirmation)
            }
            TypedCommand::Check => Command::Check,
            TypedCommand::Resolve(resolve) => Command::Resolve {
                id: resolve.id,
                decision: decision(&resolve.decision),
                wait: resolve.wait,
            },
            TypedCommand::Restore(restore) => Command::Restore(restore::Typed {
                file: restore.file,
                occupied: if restore.force {
                    Occupied::Allow
                } else {
                    Occupied::Refuse
                },
                wait: restore.wait,
                wait_for_db: restore.wait_for_db,
            }),
            TypedCommand::Mark(typed) => settle::mark(typed),
            TypedCommand::Baseline(typed) => settle::baseline(typed),
            TypedCommand::Accept(typed) => settle::accept(typed),
            TypedCommand::Adopt(typed) => settle::adopt(typed),
            TypedCommand::Log(log) => Command::Log { limit: log.limit },
            TypedCommand::Wait(wait) => Command::Wait {
                timeout: wait.timeout,
            },
            TypedCommand::Mass(typed) => mass::mass(typed)?,
            TypedCommand::Unlock(typed) => Command::Unlock(match (typed.yes, typed.force) {
                (false, _) => Unlock::Show,
                (true, false) => Unlock::End(Force::No),
                (true, true) => Unlock::End(Force::Yes),
            }),
            TypedCommand::New(new) => Command::New(new),
            TypedCommand::Completions { shell } => Command::Completions(shell),
        };
        Ok(Self {
            options: options(typed.global, format),
            command,
        })
    }
}

fn options(global: GlobalArgs, format: Format) -> Options {
    Options {
        databases: global.database,
        database_url: global.database_url,
        config: global.config,
        format,
        verbosity: match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Info,
            (false, _) => Verbosity::Debug,
        },
        colors: if global.no_color {
            Colors::Never
        } else {
            Colors::WherePossible
        },
    }
}

/// `--format` means more to `graph` than to the others.
fn formats(
    typed: Option<TypedFormat>,
    command: &TypedCommand,
) -> Result<(Format, GraphFormat), Nonsense> {
    let (format, graph, word) = match typed {
        None | Some(TypedFormat::Human) => return Ok((Format::Human, GraphFormat::Text)),
        Some(TypedFormat::Json) => return Ok((Format::Json, GraphFormat::Json)),
        Some(TypedFormat::Text) => (Format::Human, GraphFormat::Text, "text"),
        Some(TypedFormat::Mermaid) => (Format::Human, GraphFormat::Mermaid, "mermaid"),
        Some(TypedFormat::Dot) => (Format::Human, GraphFormat::Dot, "dot"),
        Some(TypedFormat::Svg) => (Format::Human, GraphFormat::Svg, "svg"),
    };
    if matches!(command, TypedCommand::Graph) {
        Ok((format, graph))
    } else {
        Err(Nonsense {
            message: format!("`--format {word}` is for `graph` only"),
            next: "use `--format human` or `--format json`".to_owned(),
        })
    }
}

fn up_command(up: UpArgs) -> Command {
    let accept = up.reason.filter(|_| !up.accept.is_empty());
    let start = Start {
        accept: accept.map(|reason| AcceptRequest {
            ids: up.accept,
            reason,
            wait: up.wait,
        }),
        wait_for_db: up.start.wait_for_db,
        flush: if up.start.flush_redis {
            Flush::Always
        } else {
            Flush::AfterChanges
        },
        several: Several {
            jobs: up.jobs.max(1),
            stop_after: up.stop_after.max(1),
        },
    };
    let request = UpRequest {
        target: target(up.selection),
        grouping: if up.atomic {
            Grouping::Atomic
        } else {
            Grouping::Each
        },
        on_failure: if up.keep_going {
            OnFailure::KeepGoing
        } else {
            OnFailure::Stop
        },
        wait: up.wait,
        mass: up.mass.map(mass::in_up),
        repeats: if up.repeat {
            Repeats::All
        } else {
            Repeats::AsNeeded
        },
        ..UpRequest::default()
    };
    match (up.dry_run, up.sql) {
        (true, true) => Command::Rehearse(request, Rehearsal::Script),
        (true, false) => Command::Rehearse(request, Rehearsal::Report),
        (false, _) => Command::Up(request, start),
    }
}

fn target(selection: SelectionArgs) -> Target {
    match selection.steps {
        Some(steps) => Target::Steps(steps),
        None if selection.ids.is_empty() => Target::All,
        None => Target::Ids(selection.ids),
    }
}

fn down_request(down: DownArgs) -> (DownRequest, Confirmation) {
    let target = match (down.id, down.to) {
        (Some(id), _) => DownTarget::Id(id),
        (None, Some(to)) => DownTarget::To(to),
        (None, None) => DownTarget::Steps(down.steps.unwrap_or(1)),
    };
    let confirmation = if down.yes {
        Confirmation::Given
    } else {
        Confirmation::Ask
    };
    let wait = down.wait;
    (DownRequest { target, wait }, confirmation)
}

/// clap saw to it that exactly one is set.
fn decision(decision: &DecisionArgs) -> Resolution {
    if decision.applied {
        Resolution::Applied
    } else if decision.reverted {
        Resolution::Reverted
    } else {
        Resolution::Retry
    }
}
