//! Events as lines of JSON.

use migrate_core::report::Event;

use crate::render::json::{EventJson, HolderJson, milliseconds};

/// The line for an event; `None` for one that programs are not told.
pub(super) fn json<'a>(database: &'a str, event: &'a Event) -> Option<EventJson<'a>> {
    let mut json = EventJson {
        database,
        ..EventJson::default()
    };
    match event {
        Event::Waiting { holder, waited } => {
            json.event = "waiting";
            json.holder = holder.as_ref().map(HolderJson::from);
            json.waited_ms = Some(milliseconds(*waited));
        }
        Event::Started {
            id,
            action,
            position,
            total,
        } => {
            json.event = "started";
            json.id = Some(id);
            json.action = Some(action.as_str());
            json.position = Some(*position);
            json.total = u64::try_from(*total).ok();
        }
        Event::Progress { id, done, total } => {
            json.event = "progress";
            json.id = Some(id);
            json.done = Some(*done);
            json.total = *total;
        }
        Event::Applied { id, duration } => {
            json.event = "applied";
            json.id = Some(id);
            json.duration_ms = Some(milliseconds(*duration));
        }
        Event::Reverted { id, duration } => {
            json.event = "reverted";
            json.id = Some(id);
            json.duration_ms = Some(milliseconds(*duration));
        }
        Event::Failed {
            id,
            duration,
            error,
            location,
            rolled_back,
        } => {
            json.event = "failed";
            json.id = Some(id);
            json.duration_ms = Some(milliseconds(*duration));
            json.error = Some(error.join(": "));
            json.causes = Some(error);
            json.place = Some((*location).into());
            json.rolled_back = Some(*rolled_back);
        }
        Event::Deferred { id, reason } => {
            json.event = "deferred";
            json.id = Some(id);
            json.reason = Some(reason);
        }
        Event::Enqueued { id, state, reason } => {
            json.event = "enqueued";
            json.id = Some(id);
            json.state = Some(state.as_str());
            json.reason = reason.as_deref();
        }
        Event::Skipped { id, because } => {
            json.event = "skipped";
            json.id = Some(id);
            json.because = Some(because);
        }
        Event::ViewDown {
            id,
            name,
            migration,
        } => {
            json.event = "view_down";
            json.id = Some(id);
            json.name = Some(name);
            json.migration = Some(migration.as_deref());
        }
        Event::ViewUp {
            id,
            name,
            migration,
        } => {
            json.event = "view_up";
            json.id = Some(id);
            json.name = Some(name);
            json.migration = Some(migration.as_deref());
        }
        Event::Warning { problem } => {
            json.event = "warning";
            json.id = Some(&problem.id);
            json.problem = Some(problem.into());
        }
        _ => return None,
    }
    Some(json)
}
