//! `up` with what stands around it at the start of a container.
//!
//! marker? → wait for the databases → restore, where there is no history → apply → Redis → marker.

use std::time::Duration;

use migrate_core::{
    DatabaseSettings, Failure,
    frontend::{Repeats, Target, UpRequest},
    report::Summary,
};

use super::{
    Context, Done, accept,
    flush::{self, Ran},
    patience::Patience,
    restore, up,
};
use crate::{
    exit,
    render::{duration, json},
    request::{Flush, Start},
    startup::{Completion, State},
};

pub(super) fn run(context: &mut Context<'_, '_>, request: &UpRequest, start: &Start) -> Done {
    let completion = context.config.marker(&context.directory)?;
    let completion = completion.as_ref().map(Completion::new);
    let done = checked(context, request, start, completion.as_ref());
    if !matches!(done, Ok(exit::DONE))
        && let Some(completion) = &completion
        && let Err(failure) = completion.remove()
    {
        context.console.failure(&failure);
    }
    done
}

/// What reverts makes "complete" untrue.
///
/// # Errors
/// The configuration is wrong, or the marker stays.
pub(super) fn forget_completion(context: &Context<'_, '_>) -> Result<(), Failure> {
    match context.config.marker(&context.directory)? {
        Some(marker) => Completion::new(&marker).remove(),
        None => Ok(()),
    }
}

fn checked(
    context: &mut Context<'_, '_>,
    request: &UpRequest,
    start: &Start,
    completion: Option<&Completion>,
) -> Done {
    let startup = context.config.startup(&context.directory)?;
    #[cfg(not(feature = "redis"))]
    if let Some(redis) = &startup.redis {
        // Before anything is applied, not after.
        crate::startup::flush(redis)?;
    }
    let targets = context.targets()?;
    // A part of the work is no completion, and is not stopped by one.
    let all = context.config.names(&context.app.databases()).len();
    let whole = request.target == Target::All && targets.len() == all;
    let completion = completion.filter(|_| whole);
    if let Some(completion) = completion {
        let forced = request.repeats == Repeats::All || start.flush == Flush::Always;
        if completion.look()? == State::Complete && !forced {
            say_complete(context, completion, &targets);
            return Ok(exit::DONE);
        }
    }
    if let Some(timeout) = start.wait_for_db.or(startup.wait_for_db) {
        wait_for(context, &targets, timeout)?;
    }
    context.applied.restored = restore::begin(context, &targets, &startup.restore, request.wait)?;
    if let Some(request) = &start.accept {
        accept::run(context, request)?;
    }
    let ran = up::run(context, request, start.several);
    let well = match &ran {
        Ok(exit::DONE) => Ran::Well,
        _ => Ran::Badly,
    };
    let flushed = flush::run(context, &targets, startup.redis.as_ref(), start.flush, well);
    let code = match (ran, flushed) {
        (Ok(exit::DONE), flushed) => flushed?,
        (ran, Ok(_)) => ran?,
        (ran, Err(failure)) => {
            // The run's own failure decides the exit code.
            context.console.failure(&failure);
            ran?
        }
    };
    if code == exit::DONE
        && let Some(completion) = completion
    {
        completion.write()?;
    }
    Ok(code)
}

fn say_complete(
    context: &mut Context<'_, '_>,
    completion: &Completion,
    targets: &[DatabaseSettings],
) {
    let shown = completion.shown();
    context.console.note(&format!(
        "nothing to do: {shown} says that everything is applied\n"
    ));
    if context.is_json() {
        for database in targets {
            let line = json::finished(&database.name, &Summary::default(), None);
            context.console.out(&line);
        }
    }
}

/// Waits until every database lets us in.
///
/// # Errors
/// One cannot be reached in time, or never will.
pub(super) fn wait_for(
    context: &mut Context<'_, '_>,
    targets: &[DatabaseSettings],
    timeout: Duration,
) -> Result<(), Failure> {
    let mut patience = Patience::new(timeout);
    for database in targets {
        let mut said = None;
        loop {
            let failure = match context.open_within(database, patience.left()) {
                Ok(_) => break,
                Err(failure) => failure,
            };
            if !failure.may_pass() {
                return Err(failure);
            }
            if patience.is_over() {
                let mut failure = failure;
                let waited = format!("still so after {}", duration(patience.waited()));
                failure.causes.push(waited);
                return Err(failure);
            }
            // Once for each change, not once for each look.
            let why = failure.causes.last().unwrap_or(&failure.message).clone();
            if said.as_ref() != Some(&why) {
                let name = &database.name;
                context
                    .console
                    .note(&format!("waiting for database `{name}`: {why}\n"));
                said = Some(why.clone());
            }
            patience.pause(&context.config.settings.interrupt, &why)?;
        }
    }
    Ok(())
}
