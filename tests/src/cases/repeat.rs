//! Repeatable migrations and squashes.

use migrate_diesel::{
    Error,
    core::{
        State,
        frontend::{Repeats, UpRequest},
    },
    migrations,
    prelude::*,
};

use super::{is_on, leave};
use crate::{
    database::{Backend, Scratch},
    run::{chain, log, migrator, states, up, up_with},
};

#[migration]
pub(crate) fn repeat_once(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "2 once")
}

#[migration(requires = [repeat_once])]
pub(crate) fn repeat_fails(db: &mut AnyConnection) -> QueryResult<()> {
    if is_on(db, "mended") {
        leave(db, "3 mended")
    } else {
        db.batch_execute("NONSENSE")
    }
}

#[migration(repeat = always, phase = before)]
pub(crate) fn repeat_before(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "1 before")
}

#[migration(repeat = always, phase = before, requires = [repeat_before])]
pub(crate) fn repeat_before_fails(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("NONSENSE")
}

#[migration(repeat = always, requires = [repeat_on_change])]
pub(crate) fn repeat_after(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "5 after")
}

#[migration(repeat = on_change)]
pub(crate) fn repeat_on_change(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "4 on change")
}

#[migration(repeat = always, requires = [repeat_fails])]
pub(crate) fn repeat_after_fails(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("NONSENSE TOO")
}

/// F-pre-post-order; with nothing to do they do nothing.
pub fn around_the_others_and_only_with_them(scratch: &Scratch) {
    let first = migrator(migrations![
        repeat_after,
        repeat_before,
        repeat_on_change,
        repeat_once
    ]);
    let summary = up(scratch, &first).done();
    assert_eq!((summary.applied, summary.pending), (4, 0));
    assert_eq!(
        scratch.effects(),
        ["1 before", "2 once", "4 on change", "5 after"]
    );
    assert!(up(scratch, &first).events.is_empty());

    let forced = UpRequest {
        repeats: Repeats::All,
        ..UpRequest::default()
    };
    let told = up_with(&mut scratch.connect(), &first, &forced);
    assert_eq!(
        told.events,
        [
            "started repeat_before",
            "applied repeat_before",
            "started repeat_on_change",
            "applied repeat_on_change",
            "started repeat_after",
            "applied repeat_after",
        ]
    );
    told.done();
    assert_eq!(scratch.effects().len(), 7);
    assert_eq!(
        log(scratch, &first)
            .iter()
            .filter(|it| *it == "applied repeat_after")
            .count(),
        2,
        "each run is in the log"
    );
}

/// `repeat = on_change`: its code is another than the one that ran.
pub fn what_changed_runs_again(scratch: &Scratch) {
    let migrator = migrator(migrations![repeat_after, repeat_on_change, repeat_once]);
    up(scratch, &migrator).done();
    scratch.sql(
        "UPDATE migrate_history SET fingerprint = '0000000000000001' WHERE id LIKE '%repeat_on_change'",
    );
    assert_eq!(
        states(scratch, &migrator),
        "repeat_once applied, repeat_on_change pending, repeat_after applied"
    );
    let told = up(scratch, &migrator);
    assert_eq!(
        told.events,
        [
            "started repeat_on_change",
            "applied repeat_on_change",
            "started repeat_after",
            "applied repeat_after",
        ]
    );
    told.done();
    assert!(up(scratch, &migrator).events.is_empty());
}

/// F-post-after-failure+original-error-kept.
pub fn what_comes_after_runs_after_a_failure_and_hides_nothing(scratch: &Scratch) {
    let migrator = migrator(migrations![
        repeat_once,
        repeat_fails,
        repeat_before,
        repeat_on_change,
        repeat_after,
        repeat_after_fails
    ]);
    let told = up(scratch, &migrator);
    assert!(
        told.events.contains(&"applied repeat_after".to_owned()),
        "{:?}",
        told.events
    );
    let error = told.error();
    assert!(
        matches!(&error, Error::Migration { id, .. } if id.ends_with(":repeat_fails")),
        "{}",
        chain(&error)
    );
    scratch.switch_on("mended");
    let told = up(scratch, &migrator);
    let error = told.error();
    assert!(
        matches!(&error, Error::Migration { id, .. } if id.ends_with(":repeat_after_fails")),
        "{}",
        chain(&error)
    );
    assert!(scratch.effects().contains(&"3 mended".to_owned()));
}

/// F-pre-failure-restores: a failing `before` leaves nothing half done, where DDL can be rolled back.
pub fn a_failing_before_leaves_nothing(scratch: &Scratch) {
    let migrator = migrator(migrations![repeat_once, repeat_before, repeat_before_fails]);
    up(scratch, &migrator).error();
    let left: &[&str] = match scratch.backend {
        Backend::Mysql => &["1 before"],
        _ => &[],
    };
    assert_eq!(scratch.effects(), left);
}

#[migration]
pub(crate) fn squash_one(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "one")
}

#[migration(requires = [squash_one])]
pub(crate) fn squash_two(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "two")
}

#[migration(requires = [squash_two])]
pub(crate) fn squash_three(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "three")
}

#[migration(replaces = [squash_one, squash_two])]
pub(crate) fn squash_both(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "both")
}

/// Instead of them on a fresh database, nothing where all ran, refused in between.
pub fn squashed(scratch: &Scratch) {
    let all = migrator(migrations![
        squash_one,
        squash_two,
        squash_three,
        squash_both
    ]);
    let summary = up(scratch, &all).done();
    assert_eq!((summary.applied, summary.pending), (2, 0));
    assert_eq!(scratch.effects(), ["both", "three"]);
    let status = all.status(&mut scratch.connect()).unwrap();
    assert!(
        status
            .migrations
            .iter()
            .all(|it| it.state == State::Applied),
        "{status:?}"
    );
    assert!(up(scratch, &all).events.is_empty());

    let old = scratch.another();
    up(&old, &migrator(migrations![squash_one, squash_two])).done();
    let told = up(&old, &all);
    assert_eq!(
        told.events,
        ["started squash_three", "applied squash_three"]
    );
    assert_eq!(old.effects(), ["one", "three", "two"]);

    let half = scratch.another();
    up(&half, &migrator(migrations![squash_one])).done();
    let told = up(&half, &all);
    assert!(told.events.is_empty(), "{:?}", told.events);
    let error = told.error();
    assert!(
        migrate_diesel::core::Failure::from(error)
            .problems
            .iter()
            .any(|it| it.kind.as_str() == "partly_replaced")
    );
    // The way out: a program of before the squash.
    up(&half, &migrator(migrations![squash_one, squash_two])).done();
    up(&half, &all).done();
    assert_eq!(half.effects(), ["one", "three", "two"]);
}
