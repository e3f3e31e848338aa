//! `down` and `redo`.

use migrate_diesel::{
    Migrator,
    core::{
        Failure, FailureKind,
        frontend::{DownTarget, Target},
    },
    migrations,
    prelude::*,
};

use super::{is_on, leave};
use crate::{
    database::{Backend, Scratch},
    run::{chain, log, migrator, only, states, up, up_with},
};

fn forget(db: &mut AnyConnection, name: &str) -> QueryResult<()> {
    db.batch_execute(&format!("DELETE FROM effects WHERE name = '{name}'"))
}

#[migration(down = down_base_down)]
pub(crate) fn down_base(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "base")
}

fn down_base_down(db: &mut AnyConnection) -> QueryResult<()> {
    forget(db, "base")
}

#[migration(requires = [down_base], down = down_child_down)]
pub(crate) fn down_child(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "child")
}

fn down_child_down(db: &mut Session<'_, AnyConnection>) -> QueryResult<()> {
    forget(db, "child")?;
    if is_on(db, "stuck") {
        return Err(diesel::result::Error::NotFound);
    }
    Ok(())
}

#[migration(down = down_other_down)]
pub(crate) fn down_other(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "other")
}

fn down_other_down(db: &mut AnyConnection) -> QueryResult<()> {
    forget(db, "other")
}

#[migration(requires = [down_child], irreversible = "the letters are sent")]
pub(crate) fn down_never(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "never")
}

#[migration]
pub(crate) fn down_unsaid(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "unsaid")
}

#[migration(transaction = none, down = down_outside_down)]
pub(crate) fn down_outside(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "outside")
}

fn down_outside_down(db: &mut Session<'_, AnyConnection>) -> QueryResult<()> {
    db.step("first", |db| forget(db, "outside"))?;
    if is_on(db, "stuck") {
        return Err(diesel::result::Error::NotFound);
    }
    leave(db, "gone outside")
}

fn three() -> Migrator {
    migrator(migrations![down_base, down_child, down_other])
}

fn down(
    scratch: &Scratch,
    migrator: &Migrator,
    target: DownTarget,
) -> Result<usize, migrate_diesel::Error> {
    migrator
        .down(&mut scratch.connect(), target)
        .map(|summary| summary.reverted)
}

/// `down --steps`, `down ID`, `down --to`: what requires something goes before it.
pub fn what_was_applied_last_goes_first(scratch: &Scratch) {
    let migrator = three();
    up(scratch, &migrator).done();
    assert_eq!(down(scratch, &migrator, DownTarget::Steps(1)).unwrap(), 1);
    assert_eq!(scratch.effects(), ["base", "child"]);
    assert_eq!(
        states(scratch, &migrator),
        "down_base applied, down_child applied, down_other pending"
    );
    up(scratch, &migrator).done();

    assert_eq!(
        down(scratch, &migrator, DownTarget::Id("down_base".into())).unwrap(),
        2
    );
    assert_eq!(scratch.effects(), ["other"]);
    assert_eq!(up(scratch, &migrator).done().applied, 2);

    // Applied by now: other, base, child.
    assert_eq!(
        down(scratch, &migrator, DownTarget::To("down_other".into())).unwrap(),
        2
    );
    assert_eq!(scratch.effects(), ["other"]);
    assert_eq!(
        log(scratch, &migrator),
        [
            "applied down_base",
            "applied down_child",
            "applied down_other",
            "reverted down_other",
            "applied down_other",
            "reverted down_child",
            "reverted down_base",
            "applied down_base",
            "applied down_child",
            "reverted down_child",
            "reverted down_base",
        ]
    );
    assert_eq!(up(scratch, &migrator).done().applied, 2);
    assert_eq!(scratch.effects(), ["base", "child", "other"]);
}

/// `redo`.
pub fn redo_reverts_and_applies_again(scratch: &Scratch) {
    let migrator = three();
    up(scratch, &migrator).done();
    let target = DownTarget::Id("down_base".into());
    let summary = migrator.redo(&mut scratch.connect(), target).unwrap();
    assert_eq!(
        (summary.reverted, summary.applied, summary.pending),
        (2, 2, 0)
    );
    assert_eq!(scratch.effects(), ["base", "child", "other"]);
    assert_eq!(
        states(scratch, &migrator),
        "down_base applied, down_child applied, down_other applied"
    );
    assert_eq!(
        log(scratch, &migrator)[3..],
        [
            "reverted down_child",
            "reverted down_base",
            "applied down_base",
            "applied down_child"
        ]
    );
}

/// F-no-undo-refused: before anything is touched.
pub fn what_cannot_be_reverted_is_refused_before_anything(scratch: &Scratch) {
    let migrator = migrator(migrations![down_base, down_child, down_never, down_unsaid]);
    up(scratch, &migrator).done();
    let effects = scratch.effects();
    for (target, words) in [
        (
            DownTarget::Id("down_base".into()),
            vec!["down_never", "src/cases/revert.rs:", "the letters are sent"],
        ),
        (DownTarget::Steps(1), vec!["down_unsaid", "no `down`"]),
        (DownTarget::Steps(4), vec!["down_unsaid", "down_never"]),
    ] {
        let error = down(scratch, &migrator, target).unwrap_err();
        assert_eq!(error.kind(), FailureKind::Usage);
        for word in words {
            assert!(chain(&error).contains(word), "{}", chain(&error));
        }
        assert!(error.next_step().is_some());
    }
    assert_eq!(scratch.effects(), effects);
    assert!(!states(scratch, &migrator).contains("pending"));

    let error = down(scratch, &three(), DownTarget::Id("down_other".into())).unwrap_err();
    assert!(chain(&error).contains("down_other"), "{}", chain(&error));
}

/// What is not applied cannot be reverted, and nothing is no failure.
pub fn reverting_nothing(scratch: &Scratch) {
    let migrator = three();
    assert_eq!(down(scratch, &migrator, DownTarget::Steps(3)).unwrap(), 0);
    assert!(!scratch.has_table("migrate_history"));
    up_with(&mut scratch.connect(), &migrator, &only(Target::Steps(1))).done();
    let error = down(scratch, &migrator, DownTarget::Id("down_child".into())).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert!(
        chain(&error).contains("`migrate_tests:down_child` is not applied"),
        "{}",
        chain(&error)
    );
}

/// A `down` that fails leaves the migration applied.
pub fn a_failing_revert_is_undone(scratch: &Scratch) {
    let migrator = three();
    up(scratch, &migrator).done();
    scratch.switch_on("stuck");
    let error = down(scratch, &migrator, DownTarget::Steps(2)).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Migration);
    assert!(chain(&error).contains("down_child"), "{}", chain(&error));
    assert_eq!(
        Failure::from(error).location.unwrap().file,
        file!(),
        "the place is named"
    );
    // `other` went; `child` was rolled back.
    assert_eq!(scratch.effects(), ["base", "child"]);
    assert_eq!(
        states(scratch, &migrator),
        "down_base applied, down_child applied, down_other pending"
    );
    assert!(log(scratch, &migrator).contains(&"failed down_child".to_owned()));

    scratch.sql("DELETE FROM switches");
    assert_eq!(down(scratch, &migrator, DownTarget::Steps(1)).unwrap(), 1);
    assert_eq!(scratch.effects(), ["base"]);
}

/// Outside a transaction, what a failed `down` did stays; it is a person's to settle, and steps are not repeated.
pub fn a_failing_revert_outside_a_transaction_needs_a_decision(scratch: &Scratch) {
    use migrate_diesel::core::frontend::Resolution;

    let migrator = migrator(migrations![down_outside]);
    up(scratch, &migrator).done();
    scratch.switch_on("stuck");
    down(scratch, &migrator, DownTarget::Steps(1)).unwrap_err();
    assert!(scratch.effects().is_empty());
    assert_eq!(states(scratch, &migrator), "down_outside interrupted");
    let error = down(scratch, &migrator, DownTarget::Id("down_outside".into())).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Usage);

    scratch.sql("DELETE FROM switches");
    migrator
        .resolve(&mut scratch.connect(), "down_outside", Resolution::Retry)
        .unwrap();
    assert_eq!(states(scratch, &migrator), "down_outside applied");
    assert_eq!(down(scratch, &migrator, DownTarget::Steps(1)).unwrap(), 1);
    assert_eq!(scratch.effects(), ["gone outside"]);
    assert_eq!(states(scratch, &migrator), "down_outside pending");
}

#[migration(down = down_table_down)]
pub(crate) fn down_table(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE down_table (id INTEGER PRIMARY KEY)")
}

fn down_table_down(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE down_table")?;
    if is_on(db, "stuck") {
        return Err(diesel::result::Error::NotFound);
    }
    Ok(())
}

/// DDL in a `down` that fails: rolled back where the database can; else somebody has to look.
pub fn ddl_of_a_failing_revert(scratch: &Scratch) {
    let migrator = migrator(migrations![down_table]);
    up(scratch, &migrator).done();
    scratch.switch_on("stuck");
    down(scratch, &migrator, DownTarget::Steps(1)).unwrap_err();
    if scratch.backend == Backend::Mysql {
        assert!(!scratch.has_table("down_table"));
        assert_eq!(states(scratch, &migrator), "down_table interrupted");
    } else {
        assert!(scratch.has_table("down_table"));
        assert_eq!(states(scratch, &migrator), "down_table applied");
    }
}
