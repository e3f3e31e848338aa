//! Running migrations and telling what happened in few words.

use std::fmt::Write as _;

use migrate_diesel::{
    AnyConnection, Error, MigrationConnection, Migrator,
    core::{
        NodeRef,
        frontend::{Grouping, OnFailure, Target, UpRequest},
        report::{Event, Summary},
    },
};

use crate::database::Scratch;

const PACKAGE: &str = "migrate_tests:";

/// A run and what it told.
#[derive(Debug)]
pub struct Told {
    /// A line per event: `applied first`. Without the package's name, without durations.
    pub events: Vec<String>,
    /// How it ended.
    pub result: Result<Summary, Error>,
}

impl Told {
    /// The summary of a run that went well.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn done(self) -> Summary {
        self.result
            .unwrap_or_else(|error| panic!("{}\n{:#?}", chain(&error), self.events))
    }

    /// The error of a run that did not go well.
    ///
    /// # Panics
    /// When it did.
    #[track_caller]
    pub fn error(self) -> Error {
        match self.result {
            Err(error) => error,
            Ok(summary) => panic!("no error: {summary:?}\n{:#?}", self.events),
        }
    }
}

/// A migrator of a list.
///
/// # Panics
/// When they do not fit together.
#[must_use]
pub fn migrator(nodes: impl IntoIterator<Item = NodeRef>) -> Migrator {
    Migrator::new(nodes).unwrap()
}

/// `up` on a new connection.
pub fn up(scratch: &Scratch, migrator: &Migrator) -> Told {
    up_with(&mut scratch.connect(), migrator, &UpRequest::default())
}

/// `up` as asked for.
pub fn up_with<C: MigrationConnection>(
    connection: &mut C,
    migrator: &Migrator,
    request: &UpRequest,
) -> Told {
    let mut events = Vec::new();
    let result = migrator.up_with(connection, request, &mut |event| events.push(line(&event)));
    Told { events, result }
}

/// A request that goes on after a failure.
#[must_use]
pub fn keep_going() -> UpRequest {
    UpRequest {
        on_failure: OnFailure::KeepGoing,
        ..UpRequest::default()
    }
}

/// A request for all or nothing.
#[must_use]
pub fn atomic() -> UpRequest {
    UpRequest {
        grouping: Grouping::Atomic,
        ..UpRequest::default()
    }
}

/// A request for a part.
#[must_use]
pub fn only(target: Target) -> UpRequest {
    UpRequest {
        target,
        ..UpRequest::default()
    }
}

/// Every migration with its state: `first applied, second failed`.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn states(scratch: &Scratch, migrator: &Migrator) -> String {
    states_on(&mut scratch.connect(), migrator)
}

/// As [`states`], on a connection that there is.
///
/// # Panics
/// When it cannot be read.
pub fn states_on(connection: &mut AnyConnection, migrator: &Migrator) -> String {
    let status = migrator.status(connection).unwrap();
    let states = status.migrations.iter().map(|migration| {
        let state = migration.state;
        format!("{} {state}", migration.id.trim_start_matches(PACKAGE))
    });
    states.collect::<Vec<_>>().join(", ")
}

/// The log: `applied first`, in order.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn log(scratch: &Scratch, migrator: &Migrator) -> Vec<String> {
    let entries = migrator.log(&mut scratch.connect(), 1_000).unwrap();
    entries
        .iter()
        .map(|entry| format!("{} {}", entry.event, entry.id.trim_start_matches(PACKAGE)))
        .collect()
}

/// An error and its causes, as a front end would say them.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    migrate_diesel::core::error_chain(error).join(": ")
}

fn line(event: &Event) -> String {
    let (word, id, more) = match event {
        Event::Waiting { .. } => return "waiting".to_owned(),
        Event::Started { id, .. } => ("started", id, None),
        Event::Progress { id, done, total } => (
            "progress",
            id,
            Some(format!("{done}/{}", total.map_or(-1, u64::cast_signed))),
        ),
        Event::Applied { id, .. } => ("applied", id, None),
        Event::Reverted { id, .. } => ("reverted", id, None),
        Event::Failed {
            id,
            error,
            rolled_back,
            ..
        } => {
            let undone = if *rolled_back { "" } else { " (not undone)" };
            ("failed", id, Some(format!("{}{undone}", error.join(": "))))
        }
        Event::Deferred { id, reason } => ("deferred", id, Some(reason.clone())),
        Event::Skipped { id, because } => ("skipped", id, Some(because.clone())),
        Event::ViewDown { name, .. } => ("down", name, None),
        Event::ViewUp { name, .. } => ("up", name, None),
        Event::Warning { problem } => (
            "warning",
            &problem.id,
            Some(problem.kind.as_str().to_owned()),
        ),
        _ => return format!("{event:?}"),
    };
    let mut line = format!("{word} {}", id.trim_start_matches(PACKAGE));
    if let Some(more) = more {
        // Writing into a string cannot fail.
        let _ = write!(line, ": {}", more.replace(PACKAGE, ""));
    }
    line
}
