//! How a body can end, and what becomes of the run.

use std::error::Error as StdError;

use migrate_diesel::{
    BodyError, Error, Undone,
    core::{Failure, FailureKind, frontend::Target},
    migrations,
    prelude::*,
};

use super::{is_on, leave};
use crate::{
    database::Scratch,
    run::{chain, keep_going, log, migrator, only, states, up, up_with},
};

#[migration(requires = [order_users, order_roles, order_users])]
pub(crate) fn order_grants(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE grants (user_id INTEGER NOT NULL, role_id INTEGER NOT NULL)")?;
    leave(db, "3 grants")
}

#[migration]
pub(crate) fn order_users(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")?;
    leave(db, "1 users")
}

#[migration]
pub(crate) fn order_roles(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE roles (id INTEGER PRIMARY KEY)")?;
    db.progress(1, 2);
    leave(db, "2 roles")
}

/// E-true, E-rerun-skips, E-dup-req-harmless.
pub fn requirements_come_first_and_each_is_applied_once(scratch: &Scratch) {
    let migrator = migrator(migrations![order_grants, order_roles, order_users]);
    let told = up(scratch, &migrator);
    assert_eq!(
        told.events,
        [
            "started order_users",
            "applied order_users",
            "started order_roles",
            "progress order_roles: 1/2",
            "applied order_roles",
            "started order_grants",
            "applied order_grants",
        ]
    );
    let summary = told.done();
    assert_eq!((summary.applied, summary.pending), (3, 0));
    assert_eq!(
        states(scratch, &migrator),
        "order_users applied, order_roles applied, order_grants applied"
    );

    let again = up(scratch, &migrator);
    assert!(again.events.is_empty(), "{:?}", again.events);
    let summary = again.done();
    assert_eq!((summary.applied, summary.already_applied), (0, 3));
    assert_eq!(scratch.effects(), ["1 users", "2 roles", "3 grants"]);
    assert_eq!(
        log(scratch, &migrator),
        [
            "applied order_users",
            "applied order_roles",
            "applied order_grants"
        ]
    );
}

#[derive(Debug)]
struct NoLuck(std::num::ParseIntError);

impl std::fmt::Display for NoLuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no luck")
    }
}

impl StdError for NoLuck {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

#[migration]
pub(crate) fn fail_before(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "before")
}

#[migration]
pub(crate) fn fail_here(db: &mut AnyConnection) -> Result<(), Box<dyn StdError + Send + Sync>> {
    leave(db, "here")?;
    if is_on(db, "mended") {
        return Ok(());
    }
    Err(Box::new(NoLuck("x".parse::<u32>().unwrap_err())))
}

#[migration]
pub(crate) fn fail_independent(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "independent")
}

#[migration(requires = [fail_here])]
pub(crate) fn fail_dependant(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "dependant")
}

#[migration(requires = [fail_dependant])]
pub(crate) fn fail_far_dependant(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "far dependant")
}

fn failing() -> migrate_diesel::Migrator {
    migrator(migrations![
        fail_before,
        fail_here,
        fail_independent,
        fail_dependant,
        fail_far_dependant
    ])
}

/// E-err-stops-and-rolls-back.
pub fn a_failure_is_rolled_back_recorded_and_stops_the_run(scratch: &Scratch) {
    let migrator = failing();
    let mut connection = scratch.connect();
    let told = up_with(&mut connection, &migrator, &Default::default());
    assert_eq!(
        told.events,
        [
            "started fail_before",
            "applied fail_before",
            "started fail_here",
            "failed fail_here: no luck: invalid digit found in string",
        ]
    );
    let error = told.error();
    let Error::Migration {
        id,
        location,
        undone,
        ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(id, "migrate_tests:fail_here");
    assert!(
        location.file.ends_with("src/cases/outcome.rs"),
        "{location}"
    );
    assert_eq!(*undone, Undone::Everything);
    assert_eq!(
        chain(&error),
        "migration `migrate_tests:fail_here` failed: no luck: invalid digit found in string"
    );
    assert_eq!(error.kind(), FailureKind::Migration);
    let failure = Failure::from(error);
    assert_eq!(failure.location.unwrap().file, file!());
    assert!(failure.next_step.is_some());

    assert_eq!(scratch.effects(), ["before"]);
    assert_eq!(
        states(scratch, &migrator),
        "fail_before applied, fail_here failed, fail_dependant pending, fail_far_dependant pending, \
         fail_independent pending"
    );
    let status = migrator.status(&mut connection).unwrap();
    let detail = status.migrations[1].detail.as_deref();
    assert_eq!(detail, Some("no luck: invalid digit found in string"));
    assert_eq!(
        log(scratch, &migrator),
        ["applied fail_before", "failed fail_here"]
    );
    assert_eq!(status.locked_by, None, "the lock is given back");
}

/// E-failed-retries, E-unmet-stops: it fails again, alone, and what requires it never runs before it is mended.
pub fn what_failed_is_tried_again(scratch: &Scratch) {
    let migrator = failing();
    up(scratch, &migrator).error();
    let again = up(scratch, &migrator);
    assert_eq!(
        again.events,
        [
            "started fail_here",
            "failed fail_here: no luck: invalid digit found in string"
        ]
    );
    again.error();
    assert_eq!(scratch.effects(), ["before"]);

    scratch.switch_on("mended");
    assert_eq!(up(scratch, &migrator).done().applied, 4);
    assert_eq!(
        scratch.effects(),
        [
            "before",
            "dependant",
            "far dependant",
            "here",
            "independent"
        ]
    );
    assert_eq!(
        log(scratch, &migrator),
        [
            "applied fail_before",
            "failed fail_here",
            "failed fail_here",
            "applied fail_here",
            "applied fail_dependant",
            "applied fail_far_dependant",
            "applied fail_independent",
        ]
    );
}

/// `--keep-going`.
pub fn keep_going_skips_only_what_depends_on_a_failure(scratch: &Scratch) {
    let migrator = failing();
    let mut connection = scratch.connect();
    let told = up_with(&mut connection, &migrator, &keep_going());
    assert_eq!(
        told.events,
        [
            "started fail_before",
            "applied fail_before",
            "started fail_here",
            "failed fail_here: no luck: invalid digit found in string",
            "skipped fail_dependant: requires `fail_here`, which was not applied",
            "skipped fail_far_dependant: requires `fail_dependant`, which was not applied",
            "started fail_independent",
            "applied fail_independent",
        ]
    );
    assert_eq!(told.error().kind(), FailureKind::Migration);
    assert_eq!(scratch.effects(), ["before", "independent"]);
    assert_eq!(
        states(scratch, &migrator),
        "fail_before applied, fail_here failed, fail_dependant pending, fail_far_dependant pending, \
         fail_independent applied"
    );
}

/// E-empty-is-failure.
pub fn nothing_carried_is_a_failure(_: &Scratch) {
    let error = migrate_diesel::Migrator::new([]).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert!(chain(&error).contains("carries no migration"), "{error}");
    assert!(error.next_step().unwrap().contains("#[migration]"));
}

#[migration]
pub(crate) fn defer_here(db: &mut AnyConnection) -> QueryResult<Outcome> {
    leave(db, "here")?;
    Ok(if is_on(db, "ready") {
        Outcome::Done
    } else {
        Outcome::NotYet("3 rows are without an owner")
    })
}

#[migration(requires = [defer_here])]
pub(crate) fn defer_dependant(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "dependant")
}

#[migration]
pub(crate) fn defer_independent(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "independent")
}

/// `Outcome::NotYet`, the seed's False: what is independent goes on.
pub fn deferred_is_rolled_back_and_what_requires_it_waits(scratch: &Scratch) {
    let migrator = migrator(migrations![defer_here, defer_dependant, defer_independent]);
    for _ in 0..2 {
        let told = up(scratch, &migrator);
        assert_eq!(
            told.events[..3],
            [
                "started defer_here",
                "deferred defer_here: 3 rows are without an owner",
                "skipped defer_dependant: requires `defer_here`, which was not applied",
            ]
        );
        let summary = told.done();
        assert_eq!(
            (summary.deferred, summary.skipped, summary.pending),
            (1, 1, 2)
        );
        assert_eq!(scratch.effects(), ["independent"]);
        assert_eq!(
            states(scratch, &migrator),
            "defer_here deferred, defer_dependant pending, defer_independent applied"
        );
    }
    let status = migrator.status(&mut scratch.connect()).unwrap();
    assert_eq!(
        status.migrations[0].detail.as_deref(),
        Some("3 rows are without an owner")
    );

    scratch.switch_on("ready");
    assert_eq!(up(scratch, &migrator).done().applied, 2);
    assert_eq!(scratch.effects(), ["dependant", "here", "independent"]);
    assert_eq!(
        log(scratch, &migrator),
        [
            "deferred defer_here",
            "applied defer_independent",
            "deferred defer_here",
            "applied defer_here",
            "applied defer_dependant"
        ]
    );
}

#[migration]
pub(crate) fn panic_here(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "here")?;
    assert!(is_on(db, "calm"), "the switch is {}", "off");
    Ok(())
}

/// A panic of the body, not of the runner.
pub fn a_panic_is_a_failure_and_the_connection_goes_on(scratch: &Scratch) {
    let migrator = migrator(migrations![panic_here]);
    let mut connection = scratch.connect();
    let told = up_with(&mut connection, &migrator, &Default::default());
    assert!(
        told.events[1].starts_with("failed panic_here: panicked: the switch is off (")
            && told.events[1].contains("src/cases/outcome.rs:"),
        "{:?}",
        told.events
    );
    let error = told.error();
    assert!(matches!(
        error,
        Error::Migration {
            source: BodyError::Panicked(_),
            ..
        }
    ));
    assert_eq!(states(scratch, &migrator), "panic_here failed");
    assert!(scratch.effects().is_empty());

    scratch.switch_on("calm");
    let told = up_with(&mut connection, &migrator, &Default::default());
    assert_eq!(told.done().applied, 1);
}

const LONG: &str = "a_name_that_goes_on_and_on_because_somebody_wanted_to_say_everything_about_what_it_does_to_the_tables_and_why_it_does_so_and_who_had_asked_for_it_and_when_that_had_been_and_then_so";

#[migration(
    id = "a_name_that_goes_on_and_on_because_somebody_wanted_to_say_everything_about_what_it_does_to_the_tables_and_why_it_does_so_and_who_had_asked_for_it_and_when_that_had_been_and_then_so"
)]
pub(crate) fn long_name(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "long")
}

/// E-long-name.
pub fn a_long_name_is_kept_whole(scratch: &Scratch) {
    let migrator = migrator(migrations![long_name]);
    assert!(LONG.len() >= 180);
    assert_eq!(up(scratch, &migrator).done().applied, 1);
    assert_eq!(up(scratch, &migrator).done().applied, 0);
    assert_eq!(states(scratch, &migrator), format!("{LONG} applied"));
    assert_eq!(log(scratch, &migrator), [format!("applied {LONG}")]);
    assert_eq!(scratch.effects(), ["long"]);
}

/// `up ID..`, `up --steps N`, and what they are when there is no such thing.
pub fn targets_go_only_so_far(scratch: &Scratch) {
    let migrator = migrator(migrations![
        order_users,
        order_roles,
        order_grants,
        defer_independent
    ]);
    let mut connection = scratch.connect();
    let mut run = |target| up_with(&mut connection, &migrator, &only(target));

    assert_eq!(run(Target::Steps(1)).done().applied, 1);
    assert_eq!(
        states(scratch, &migrator),
        "order_users applied, order_roles pending, order_grants pending, defer_independent pending"
    );
    let ids = |ids: &[&str]| Target::Ids(ids.iter().copied().map(Into::into).collect());
    let error = run(ids(&["order_grunts", "nothing"])).error();
    assert_eq!(error.kind(), FailureKind::Usage);
    let failure = Failure::from(error);
    assert!(
        failure.message.contains("order_grunts") && failure.message.contains("nothing"),
        "{failure}"
    );
    assert!(failure.next_step.unwrap().contains("order_grants"));

    let told = run(ids(&["migrate_tests:order_grants"]));
    assert_eq!(told.done().applied, 2);
    assert_eq!(
        states(scratch, &migrator),
        "order_users applied, order_roles applied, order_grants applied, defer_independent pending"
    );
    assert_eq!(run(Target::Steps(0)).done().applied, 0);
    assert_eq!(run(Target::Steps(9)).done().applied, 1);
}
