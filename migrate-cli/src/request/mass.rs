//! What `mass ..` means, in migrate-core's words.

use migrate_core::{
    frontend::MassInUp,
    mass::frontend::{Order, Setting, SkipTarget, StartRequest, Stay, WorkRequest},
};

use super::{Command, Nonsense, StatusExit};
use crate::args::mass::{
    FailuresArgs, MassArgs, OrderArgs, PaceArgs, RunArgs, SetArgs, Switch, TypedInUp, TypedMass,
    WorkersArgs,
};

/// `mass ..`
#[derive(Debug)]
pub(crate) enum Mass {
    List(StatusExit),
    Status(String, StatusExit),
    /// What each of the ids is started with; without ids, everything that can be.
    Run {
        starts: Vec<StartRequest>,
        set: Vec<Setting>,
        work: WorkRequest,
        presence: Presence,
    },
    Work(WorkRequest),
    Order {
        id: String,
        order: Order,
        reason: Option<String>,
    },
    Failures {
        id: String,
        limit: usize,
    },
}

/// Whether `run` works itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Works,
    /// `--detach`
    Starts,
}

pub(super) fn in_up(typed: TypedInUp) -> MassInUp {
    match typed {
        TypedInUp::Enqueue => MassInUp::Enqueue,
        TypedInUp::Inline => MassInUp::Inline,
        TypedInUp::Leave => MassInUp::Leave,
    }
}

pub(super) fn mass(typed: MassArgs) -> Result<Command, Nonsense> {
    Ok(Command::Mass(match typed.command {
        TypedMass::List(list) => Mass::List(exit(list.exit_code)),
        TypedMass::Status(status) => match status.id {
            Some(id) => Mass::Status(id, exit(status.exit_code)),
            None => Mass::List(exit(status.exit_code)),
        },
        TypedMass::Run(typed) => run(typed),
        TypedMass::Work(typed) => Mass::Work(WorkRequest {
            stay: if typed.once {
                Stay::UntilIdle
            } else {
                Stay::Forever
            },
            ..work(&typed.workers)
        }),
        TypedMass::Pause(typed) => order(typed, Order::Pause),
        TypedMass::Resume(typed) => order(typed, Order::Resume),
        TypedMass::Cancel(typed) => order(typed, Order::Cancel),
        TypedMass::Retry(typed) => order(typed, Order::Retry),
        TypedMass::Failures(typed) => failures(typed)?,
        TypedMass::Set(typed) => set(typed)?,
    }))
}

fn exit(asked: bool) -> StatusExit {
    if asked {
        StatusExit::Applied
    } else {
        StatusExit::Readable
    }
}

fn run(typed: RunArgs) -> Mass {
    let set = settings(&typed.pace);
    let starts = typed.ids.into_iter().map(|id| StartRequest {
        id,
        parameters: typed.parameters.iter().cloned().collect(),
        set: set.clone(),
    });
    Mass::Run {
        starts: starts.collect(),
        set: set.clone(),
        work: work(&typed.workers),
        presence: if typed.detach {
            Presence::Starts
        } else {
            Presence::Works
        },
    }
}

fn work(typed: &WorkersArgs) -> WorkRequest {
    WorkRequest {
        workers: typed.workers,
        lease: typed.lease,
        ..WorkRequest::default()
    }
}

fn order(typed: OrderArgs, order: Order) -> Mass {
    Mass::Order {
        id: typed.id,
        order,
        reason: typed.reason,
    }
}

fn failures(typed: FailuresArgs) -> Result<Mass, Nonsense> {
    let target = match (typed.skip, typed.skip_all) {
        (Some(key), _) => SkipTarget::Key(key),
        (None, true) => SkipTarget::All,
        (None, false) => {
            return match typed.reason {
                None => Ok(Mass::Failures {
                    id: typed.id,
                    limit: typed.limit,
                }),
                Some(_) => Err(Nonsense {
                    message: "`--reason` says why something is skipped, and nothing is".to_owned(),
                    next: "add `--skip KEY` or `--skip-all`".to_owned(),
                }),
            };
        }
    };
    Ok(Mass::Order {
        id: typed.id,
        order: Order::Skip(target),
        reason: typed.reason,
    })
}

fn set(typed: SetArgs) -> Result<Mass, Nonsense> {
    let settings = settings(&typed.pace);
    if settings.is_empty() {
        return Err(Nonsense {
            message: "there is nothing to set".to_owned(),
            next: "add `--batch N`, `--target DURATION`, `--pause DURATION` or `--max-failures N`"
                .to_owned(),
        });
    }
    Ok(Mass::Order {
        id: typed.id,
        order: Order::Set(settings),
        reason: typed.reason,
    })
}

fn settings(typed: &PaceArgs) -> Vec<Setting> {
    let target = typed.target.map(|target| match target {
        Switch::Off => None,
        Switch::After(after) => Some(after),
    });
    [
        typed.batch.map(Setting::Batch),
        target.map(Setting::Target),
        typed.pause.map(Setting::Pause),
        typed.max_failures.map(Setting::MaxFailures),
    ]
    .into_iter()
    .flatten()
    .collect()
}
