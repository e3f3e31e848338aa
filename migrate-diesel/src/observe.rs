//! What a run tells through `tracing`: a span for it, one for each body, and an event for what happens. The
//! names of the fields are in `docs/programs.md`.
//!
//! Where nobody listens, each costs the look at a static.

use std::time::Duration;

use migrate_core::{
    DatabaseUrl,
    report::{Action, Event, LockHolder, Summary},
};
use tracing::{Span, debug, error, info, info_span, warn};

use crate::{error::Error, history::Claim};

/// Where all of it is from, whichever file: a filter needs one name.
macro_rules! told {
    ($level:ident, $($rest:tt)+) => { $level!(target: "migrate_diesel", $($rest)+) };
}

/// Of one run on one database.
pub(crate) fn run_span(database: &str, backend: &str) -> Span {
    told!(info_span, "migrate", database, backend)
}

/// Of one body and the views around it.
pub(crate) fn migration_span(claim: &Claim, action: Action) -> Span {
    told!(
        info_span,
        "migration",
        id = %claim.id,
        attempt = claim.attempt,
        action = action.as_str()
    )
}

/// An observer that passes everything on, and tells it. What the URL keeps secret stays so, also where a body
/// makes its error of it.
pub(crate) fn telling<'o>(
    observer: &'o mut (dyn FnMut(Event) + Send),
    url: Option<&'o DatabaseUrl>,
) -> impl FnMut(Event) + Send + 'o {
    move |mut event| {
        if let Some(url) = url {
            clean(&mut event, url);
        }
        tell(&event);
        observer(event);
    }
}

/// The lock was taken after that time.
pub(crate) fn locked(waited: Duration) {
    told!(debug, waited_ms = milliseconds(waited), "deploy lock taken");
}

/// How a run ended.
pub(crate) fn finished(summary: &Summary, result: &Result<(), Error>) {
    told!(
        info,
        applied = summary.applied,
        reverted = summary.reverted,
        failed = summary.failed,
        deferred = summary.deferred,
        skipped = summary.skipped,
        pending = summary.pending,
        ok = result.is_ok(),
        duration_ms = milliseconds(summary.duration),
        "finished"
    );
}

/// Of text that a body or a database made.
fn clean(event: &mut Event, url: &DatabaseUrl) {
    match event {
        Event::Failed { error, .. } => {
            for text in error {
                *text = url.redact(text);
            }
        }
        Event::Deferred { reason, .. } => *reason = url.redact(reason),
        Event::Warning { problem } => problem.message = url.redact(&problem.message),
        _ => {}
    }
}

fn tell(event: &Event) {
    match event {
        Event::Waiting { holder, waited } => {
            let holder = holder.as_ref().map(LockHolder::to_string);
            told!(
                info,
                holder = holder.as_deref(),
                waited_ms = milliseconds(*waited),
                "waiting for the deploy lock"
            );
        }
        Event::Started {
            id,
            action,
            position,
            total,
        } => told!(
            debug,
            id,
            action = action.as_str(),
            position,
            total,
            "started"
        ),
        Event::Progress { id, done, total } => told!(debug, id, done, total, "progress"),
        Event::Applied { id, duration } => {
            told!(info, id, duration_ms = milliseconds(*duration), "applied");
        }
        Event::Reverted { id, duration } => {
            told!(info, id, duration_ms = milliseconds(*duration), "reverted");
        }
        Event::Failed {
            id,
            duration,
            error,
            location,
            rolled_back,
        } => told!(
            error,
            id,
            duration_ms = milliseconds(*duration),
            rolled_back,
            %location,
            error = error.join(": "),
            "failed"
        ),
        Event::Deferred { id, reason } => {
            told!(warn, id, reason, "deferred");
        }
        Event::Skipped { id, because } => told!(warn, id, reason = because, "skipped"),
        Event::ViewDown {
            id,
            name,
            migration,
        } => told!(debug, id, name, migration, "view down"),
        Event::ViewUp {
            id,
            name,
            migration,
        } => told!(debug, id, name, migration, "view up"),
        Event::Warning { problem } => told!(
            warn,
            id = problem.id,
            kind = problem.kind.as_str(),
            problem = problem.message,
            "problem"
        ),
        // A kind that came later says so itself.
        _ => {}
    }
}

/// As in the command line's JSON.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
