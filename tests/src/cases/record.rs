//! What is recorded without being run: `mark`, `baseline` and `accept`.

use migrate_diesel::{
    Error, Migrator,
    core::{FailureKind, OnChanged, record::Marked, report::ProblemKind},
    migrations,
    prelude::*,
};

use super::leave;
use crate::{
    database::Scratch,
    run::{chain, log, migrator, states, up},
};

#[migration]
pub(crate) fn marked_first(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "first")
}

#[migration(requires = [marked_first])]
pub(crate) fn marked_second(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "second")
}

#[migration(requires = [marked_second], down = unleave)]
pub(crate) fn marked_third(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "third")
}

fn unleave(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "third reverted")
}

fn three() -> Migrator {
    migrator(migrations![marked_first, marked_second, marked_third])
}

fn these(ids: &[&str]) -> Marked {
    Marked::These(ids.iter().map(|&id| id.to_owned()).collect())
}

fn up_to(ids: &[&str]) -> Marked {
    Marked::UpTo(ids.iter().map(|&id| id.to_owned()).collect())
}

fn mark(scratch: &Scratch, marked: Marked) -> Result<Vec<String>, Error> {
    three().mark(&mut scratch.connect(), marked)
}

/// Recorded, not run; the log says so and by whom; the rest goes on from there.
pub fn marked_is_applied_and_did_not_run(scratch: &Scratch) {
    let migrator = three();
    let marked = mark(scratch, these(&["marked_second", "marked_first"])).unwrap();
    assert_eq!(
        marked,
        ["migrate_tests:marked_first", "migrate_tests:marked_second"]
    );
    assert_eq!(
        states(scratch, &migrator),
        "marked_first applied, marked_second applied, marked_third pending"
    );
    let entries = migrator.log(&mut scratch.connect(), 10).unwrap();
    let marks = entries.iter().filter(|it| it.event == "marked");
    let marks: Vec<_> = marks.map(|it| it.by.is_empty()).collect();
    assert_eq!(marks, [false, false], "{entries:?}");
    assert_eq!(up(scratch, &migrator).done().applied, 1);
    assert_eq!(scratch.effects(), ["third"]);
    let check = migrator.check(&mut scratch.connect()).unwrap();
    assert!(check.problems.is_empty(), "{:?}", check.problems);
}

/// What is applied, unknown, or would stand without what it requires: nothing is recorded.
pub fn what_cannot_be_marked_is_refused(scratch: &Scratch) {
    up(scratch, &migrator(migrations![marked_first])).done();
    for (ids, said) in [
        (
            &["marked_second", "marked_first"][..],
            "`migrate_tests:marked_first`: it is applied already",
        ),
        (
            &["marked_third"],
            "requires `migrate_tests:marked_second`, which is pending",
        ),
        (&["marked_second", "marked_forth"], "marked_forth"),
    ] {
        let error = mark(scratch, these(ids)).unwrap_err();
        assert_eq!(error.kind(), FailureKind::Usage);
        assert!(chain(&error).contains(said), "{}", chain(&error));
        assert!(error.next_step().is_some());
    }
    let error = mark(scratch, Marked::All).unwrap_err();
    assert!(chain(&error).contains("has a history"), "{}", chain(&error));
    assert!(error.next_step().unwrap().contains("baseline ID.."));
    assert_eq!(
        states(scratch, &three()),
        "marked_first applied, marked_second pending, marked_third pending"
    );
}

/// A database that is there already.
pub fn a_baseline_records_everything(scratch: &Scratch) {
    let migrator = three();
    assert_eq!(mark(scratch, Marked::All).unwrap().len(), 3);
    assert_eq!(up(scratch, &migrator).done().applied, 0);
    assert!(scratch.effects().is_empty());
    let mut connection = scratch.connect();
    let check = migrator.check(&mut connection).unwrap();
    assert!(check.problems.is_empty() && check.pending.is_empty());
}

/// With ids: these and what they require, also where something is recorded; twice is nothing.
pub fn a_baseline_goes_so_far(scratch: &Scratch) {
    up(scratch, &migrator(migrations![marked_first])).done();
    let marked = mark(scratch, up_to(&["marked_second"])).unwrap();
    assert_eq!(marked, ["migrate_tests:marked_second"]);
    assert!(mark(scratch, up_to(&["marked_second"])).unwrap().is_empty());
    assert_eq!(mark(scratch, up_to(&["marked_third"])).unwrap().len(), 1);
    assert_eq!(scratch.effects(), ["first"]);
}

#[migration]
pub(crate) fn marked_broken(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("SELECT * FROM there_is_no_such_table")
}

/// A person finished by hand what failed.
pub fn what_failed_can_be_marked(scratch: &Scratch) {
    let migrator = migrator(migrations![marked_broken]);
    up(scratch, &migrator).error();
    assert_eq!(states(scratch, &migrator), "marked_broken failed");
    migrator
        .mark(&mut scratch.connect(), these(&["marked_broken"]))
        .unwrap();
    assert_eq!(states(scratch, &migrator), "marked_broken applied");
    assert_eq!(up(scratch, &migrator).done().applied, 0);
    let log = log(scratch, &migrator);
    for event in ["failed", "marked", "applied"] {
        let line = format!("{event} marked_broken");
        assert!(log.contains(&line), "{log:?}");
    }
}

#[migration(replaces = [marked_first, marked_second])]
pub(crate) fn marked_squash(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "squash")
}

/// A baseline records the squash; part of what it replaces is refused.
pub fn squashes_are_marked_whole(scratch: &Scratch) {
    let migrator = migrator(migrations![marked_first, marked_second, marked_squash]);
    let mut connection = scratch.connect();
    let error = migrator
        .mark(&mut connection, these(&["marked_first"]))
        .unwrap_err();
    assert!(chain(&error).contains("marked_squash"), "{}", chain(&error));
    assert_eq!(
        migrator.mark(&mut connection, Marked::All).unwrap(),
        ["migrate_tests:marked_squash"]
    );
    assert_eq!(up(scratch, &migrator).done().applied, 0);
    assert!(scratch.effects().is_empty());
}

fn change(scratch: &Scratch) {
    scratch.sql(
        "UPDATE migrate_history SET fingerprint = '00000000deadbeef' WHERE id = 'migrate_tests:marked_first'",
    );
}

/// `on_changed = refuse`: nothing is applied before the change is accepted, and then it is forgotten.
pub fn a_change_is_refused_until_accepted(scratch: &Scratch) {
    up(scratch, &migrator(migrations![marked_first])).done();
    change(scratch);
    let migrator = three().on_changed(OnChanged::Refuse);
    let error = up(scratch, &migrator).error();
    assert_eq!(error.kind(), FailureKind::Disagreement);
    assert!(chain(&error).contains("on_changed"), "{}", chain(&error));
    assert!(error.next_step().unwrap().contains("accept"));
    assert_eq!(scratch.effects(), ["first"]);

    let mut connection = scratch.connect();
    let error = migrator.accept(&mut connection, &["marked_first"], "  ");
    assert!(chain(&error.unwrap_err()).contains("reason"));
    let ids = ["marked_first", "marked_second"];
    let error = migrator.accept(&mut connection, &ids, "why").unwrap_err();
    assert!(chain(&error).contains("marked_second"), "{}", chain(&error));
    assert_eq!(
        up(scratch, &migrator).error().kind(),
        FailureKind::Disagreement
    );

    let reason = "it's formatted anew";
    let accepted = migrator.accept(&mut connection, &["marked_first"], reason);
    assert_eq!(accepted.unwrap(), ["migrate_tests:marked_first"]);
    let log = migrator.log(&mut connection, 10).unwrap();
    let event = log.iter().find(|it| it.event == "accepted").unwrap();
    assert_eq!(event.detail.as_deref(), Some(reason));
    assert!(!event.by.is_empty());
    let told = up(scratch, &migrator);
    assert!(!told.events.iter().any(|it| it.contains("warning")));
    assert_eq!(told.done().applied, 2);
    let error = migrator.accept(&mut connection, &["marked_first"], reason);
    assert!(chain(&error.unwrap_err()).contains("is what ran"));
}

/// As always: said, and no reason to stop; `check` tells what disagrees.
pub fn a_change_is_told_where_nothing_else_is_said(scratch: &Scratch) {
    up(scratch, &migrator(migrations![marked_first])).done();
    change(scratch);
    let migrator = three();
    let told = up(scratch, &migrator);
    assert!(
        told.events
            .contains(&"warning marked_first: changed".to_owned())
    );
    assert_eq!(told.done().applied, 2);
    let check = migrator.check(&mut scratch.connect()).unwrap();
    let kinds: Vec<ProblemKind> = check.problems.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [ProblemKind::Changed]);
}
