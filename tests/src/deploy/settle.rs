//! A person looks at what a dead deployer left, settles it, and runs `up` to the end.

use migrate_diesel::core::{
    FailureKind, State,
    frontend::{Resolution, UpRequest},
};

use crate::{
    database::{Backend, Scratch},
    program,
};

/// Runs the chain to its end, settling what is interrupted. Tells how often a person was needed.
///
/// # Panics
/// When it does not get there.
pub fn settle(scratch: &Scratch) -> usize {
    for decisions in 0..4 {
        let mut deployment = program::open("crash", scratch.url()).unwrap();
        let report = deployment.up(&UpRequest::default(), &mut |_| {});
        let Some(failure) = report.failure else {
            return decisions;
        };
        assert_eq!(failure.kind, FailureKind::Migration, "{failure:?}");
        let status = deployment.status().unwrap();
        let mut interrupted = status
            .migrations
            .iter()
            .filter(|migration| migration.state == State::Interrupted);
        let one = interrupted
            .next()
            .unwrap_or_else(|| panic!("{failure:?}\n{status:#?}"));
        assert!(interrupted.next().is_none(), "{status:#?}");
        // Refused, and the message names it.
        assert!(failure.next_step.unwrap().contains(&one.id));
        let decision = decide(scratch, &one.name);
        deployment.resolve(&one.id, decision, None).unwrap();
    }
    panic!(
        "{:#?}",
        program::open("crash", scratch.url()).unwrap().status()
    );
}

/// What a person would say who looks at the database.
fn decide(scratch: &Scratch, name: &str) -> Resolution {
    let done = |done: bool| {
        if done {
            Resolution::Applied
        } else {
            Resolution::Reverted
        }
    };
    match name {
        // One statement, which is there or not.
        "crash_1_table" => done(scratch.has_table("crash_rows")),
        // Effect and column came together: the DDL has committed both.
        "crash_3_column" => done(scratch.effects().iter().any(|it| it == "3 column")),
        // Made of steps.
        "crash_4_steps" => Resolution::Retry,
        // The index may be there without the row that belongs to it.
        "crash_5_index" => {
            if scratch.effects().iter().any(|it| it == "5 index") {
                return Resolution::Applied;
            }
            if snapshot(scratch)
                .iter()
                .any(|it| it.contains("crash_by_name"))
            {
                scratch.sql("DROP INDEX crash_by_name ON crash_rows");
            }
            Resolution::Reverted
        }
        name => panic!("`{name}` needs nobody's decision on {:?}", scratch.backend),
    }
}

/// Schema, effects, rows and history: what two databases have to have alike.
#[must_use]
pub fn snapshot(scratch: &Scratch) -> Vec<String> {
    let schema = match scratch.backend {
        Backend::Sqlite => {
            "SELECT sql AS value FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
        }
        Backend::Postgres => {
            "SELECT value FROM (\
             SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS value \
             FROM information_schema.columns WHERE table_schema = 'public' \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public') s ORDER BY 1"
        }
        Backend::Mysql => {
            "SELECT value FROM (\
             SELECT CONCAT(table_name, '.', column_name, ' ', column_type, ' ', is_nullable) AS value \
             FROM information_schema.columns WHERE table_schema = DATABASE() \
             UNION ALL SELECT CONCAT(table_name, ' ', index_name, ' ', column_name) \
             FROM information_schema.statistics WHERE table_schema = DATABASE()) s ORDER BY 1"
        }
    };
    let mut snapshot = scratch.texts(schema);
    snapshot.extend(scratch.effects());
    if scratch.has_table("crash_rows") {
        snapshot.extend(scratch.texts("SELECT name AS value FROM crash_rows ORDER BY name"));
    }
    if scratch.has_table("migrate_history") {
        snapshot.extend(scratch.texts("SELECT id AS value FROM migrate_history ORDER BY id"));
        snapshot.extend(scratch.texts("SELECT state AS value FROM migrate_history ORDER BY id"));
        snapshot.extend(scratch.texts("SELECT step AS value FROM migrate_history_steps"));
    }
    snapshot
}
