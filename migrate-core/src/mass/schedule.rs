//! What a worker does next: pure decisions over the rows that the database keeps.
//!
//! A worker reads a run and its shards ([`Sight`]), asks [`next`], and tries it with a statement that
//! holds only while what it saw still does: a claim takes a shard whose token is still the one that was
//! seen and whose lease has ended; a batch moves the cursor only while the token is its own. A worker
//! that is late is therefore refused by the database, never by a clock of its own.

use std::time::Duration;

use super::{
    frontend::Order,
    run::{MassRun, Shard, ShardState},
    state::{MassState, legal},
};

/// What a worker saw of a run, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'s> {
    /// The run.
    pub run: &'s MassRun,
    /// Its shards, in order; none before they were laid out.
    pub shards: &'s [Shard],
    /// Units in quarantine that are to be settled.
    pub open_failures: u64,
}

/// What a worker does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Cut the run into shards: it was not done yet.
    LayOut,
    /// Take this shard, if its token is still the one that was seen.
    Claim {
        /// Which.
        shard: u32,
        /// The token it had.
        token: i64,
    },
    /// Write this state: nobody is at work any more, and this is what it comes to.
    End {
        /// The state.
        state: MassState,
        /// Why, where there is more to say.
        reason: Option<String>,
    },
    /// There may be something later.
    Wait(Wait),
    /// There is nothing for a worker.
    Leave,
}

/// What a worker waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A throttle signal, for so long at least.
    Throttled(Duration),
    /// Others, who hold every shard that is open; the first lease ends after so long.
    Others(Duration),
}

/// What a worker does next.
#[must_use]
pub fn next(sight: Sight<'_>) -> Decision {
    let Sight { run, shards, .. } = sight;
    let leased = shards.iter().filter_map(held).min();
    match run.state {
        state if state.is_open_to_workers() => open(sight, leased),
        MassState::Pausing | MassState::Cancelling => match (leased, verdict(sight)) {
            (Some(left), _) => Decision::Wait(Wait::Others(left)),
            (None, Some((state, reason))) => Decision::End { state, reason },
            (None, None) => Decision::End {
                state: match run.state {
                    MassState::Pausing => MassState::Paused,
                    _ => MassState::Cancelled,
                },
                reason: run.reason.clone(),
            },
        },
        _ => Decision::Leave,
    }
}

fn open(sight: Sight<'_>, leased: Option<Duration>) -> Decision {
    let Sight { run, shards, .. } = sight;
    if let Some(left) = run.throttled_for.filter(|left| !left.is_zero()) {
        return Decision::Wait(Wait::Throttled(left));
    }
    if run.started_at.is_none() {
        return Decision::LayOut;
    }
    let too_many = too_many_failures(sight);
    // What is in quarantine may be tried again also where it is too much: that makes it less.
    let free = shards.iter().find(|it| {
        it.state == ShardState::Open && held(it).is_none() && (too_many.is_none() || it.shard == 0)
    });
    if let Some(shard) = free {
        return Decision::Claim {
            shard: shard.shard,
            token: shard.token,
        };
    }
    if let Some(left) = leased {
        return Decision::Wait(Wait::Others(left));
    }
    match too_many
        .map(|reason| (MassState::Failed, Some(reason)))
        .or_else(|| verdict(sight))
    {
        Some((state, reason)) => Decision::End { state, reason },
        // A shard that is open and held by nobody was taken above.
        None => Decision::Leave,
    }
}

/// How a run whose shards are all done has ended.
fn verdict(sight: Sight<'_>) -> Option<(MassState, Option<String>)> {
    let done = sight.run.started_at.is_some()
        && sight.shards.iter().all(|it| it.state == ShardState::Done);
    done.then(|| match sight.open_failures {
        0 => (MassState::Succeeded, None),
        n => (MassState::Failed, Some(quarantined(n))),
    })
}

fn quarantined(units: u64) -> String {
    match units {
        1 => "1 unit is in quarantine".to_owned(),
        n => format!("{n} units are in quarantine"),
    }
}

/// Why a run must not go on, if so many units failed.
#[must_use]
pub fn too_many_failures(sight: Sight<'_>) -> Option<String> {
    let limit = sight.run.live.max_failures;
    (sight.open_failures > u64::from(limit)).then(|| {
        let quarantined = quarantined(sight.open_failures);
        format!("{quarantined}, and the limit is {limit}")
    })
}

/// For how long somebody still holds it.
fn held(shard: &Shard) -> Option<Duration> {
    shard.leased_for.filter(|left| !left.is_zero())
}

/// Where a run stands once leases are considered: a worker that died wrote nothing.
#[must_use]
pub fn effective(run: &MassRun, shards: &[Shard]) -> MassState {
    if shards.iter().any(|it| held(it).is_some()) {
        return run.state;
    }
    match run.state {
        MassState::Running => MassState::Interrupted,
        MassState::Throttled if run.throttled_for.is_none_or(|left| left.is_zero()) => {
            MassState::Interrupted
        }
        MassState::Pausing => MassState::Paused,
        MassState::Cancelling => MassState::Cancelled,
        other => other,
    }
}

/// Why an order is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is {state}: {why}")]
pub struct Refused {
    /// Where it stands.
    pub state: MassState,
    /// Why that does not fit, and what would.
    pub why: &'static str,
}

/// The state to write for an order; `None` for the one it is in.
///
/// # Errors
/// When the order is not legal in the state that the run is in, leases considered.
pub fn ordered(
    run: &MassRun,
    shards: &[Shard],
    order: &Order,
) -> Result<Option<MassState>, Refused> {
    let state = effective(run, shards);
    let at_work = shards.iter().any(|it| held(it).is_some());
    let refuse = |why| Err(Refused { state, why });
    let to = match order {
        Order::Pause => match state {
            MassState::Paused | MassState::Pausing => return Ok(None),
            MassState::Running | MassState::Throttled if at_work => MassState::Pausing,
            MassState::Enqueued | MassState::Interrupted | MassState::Throttled => {
                MassState::Paused
            }
            _ => return refuse("there is nothing to pause"),
        },
        Order::Resume => match state {
            MassState::Paused => MassState::Enqueued,
            // Its workers have not noticed yet: they go on.
            MassState::Pausing => MassState::Running,
            MassState::Failed | MassState::Cancelled => {
                return refuse("`retry` goes on from where it stopped");
            }
            _ => return refuse("it is not paused"),
        },
        Order::Cancel => match state {
            MassState::Cancelled | MassState::Cancelling => return Ok(None),
            MassState::Running | MassState::Throttled | MassState::Pausing if at_work => {
                MassState::Cancelling
            }
            MassState::Pending | MassState::Succeeded => {
                return refuse("there is nothing to cancel");
            }
            _ => MassState::Cancelled,
        },
        Order::Retry => match state {
            MassState::Failed | MassState::Cancelled | MassState::Interrupted => {
                MassState::Enqueued
            }
            MassState::Paused => return refuse("`resume` goes on"),
            _ => return refuse("there is nothing to try again"),
        },
        Order::Skip(_) | Order::Set(_) => match state {
            MassState::Succeeded | MassState::Pending => return refuse("it has no run at work"),
            _ => return Ok(None),
        },
    };
    // From what is stored: `running` without a lease may become what an interrupted one may.
    if legal(run.state, to) || legal(state, to) {
        Ok(Some(to))
    } else {
        refuse("that is no legal change")
    }
}
