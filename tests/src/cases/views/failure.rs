//! An error, a panic, a swallowed error: the views are there afterwards.

use migrate_diesel::{migrations, prelude::*, view_manager};

use super::{retype_in, table, view_states, views_of};
use crate::{
    cases::leave,
    database::{Backend, Scratch},
    run::{chain, migrator, states, up},
};

#[migration]
pub(crate) fn fail_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "fail")
}

#[view_manager(since = fail_create, sql = "SELECT id, email FROM fail")]
pub(crate) struct FailBase;

#[view_manager(since = fail_create, uses = [FailBase], sql = "SELECT id FROM fail_base")]
pub(crate) struct FailTop;

#[migration(requires = [fail_create])]
pub(crate) fn fail_in_block(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    leave(db, "before")?;
    db.suspend(FailBase, |db| {
        leave(db, "inside")?;
        db.batch_execute("NONSENSE")
    })
}

#[migration(requires = [fail_create])]
pub(crate) fn panic_in_block(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend(FailBase, |_| -> QueryResult<()> { panic!("in the block") })
}

#[migration(requires = [fail_create])]
pub(crate) fn swallowed_block(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    let result = db.suspend(FailBase, |db| {
        leave(db, "inside")?;
        db.batch_execute("NONSENSE")
    });
    assert!(result.is_err());
    leave(db, "after")
}

#[migration(requires = [fail_create], suspends = [FailBase])]
pub(crate) fn fail_suspended(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "inside")?;
    db.batch_execute("NONSENSE")
}

#[migration(requires = [fail_create], suspends = [FailBase], transaction = none)]
pub(crate) fn fail_outside(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("NONSENSE")
}

#[migration(requires = [fail_create], transaction = none)]
pub(crate) fn retype_outside(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend(FailBase, |db| retype_in(db, "fail"))
}

#[migration(requires = [fail_create], suspends = [FailBase])]
pub(crate) fn drops_the_column(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("ALTER TABLE fail RENAME COLUMN email TO mail")
}

fn ready(scratch: &Scratch) {
    up(scratch, &migrator(migrations![fail_create])).done();
}

fn all_up(scratch: &Scratch) {
    let migrator = migrator(migrations![fail_create]);
    assert_eq!(view_states(scratch, &migrator), "fail_base up, fail_top up");
    assert_eq!(scratch.number("SELECT count(*) AS value FROM fail_top"), 1);
    assert_eq!(
        scratch
            .number("SELECT count(*) AS value FROM migrate_history_views WHERE saved IS NOT NULL"),
        0
    );
}

/// V-exception-no-up+rollback.
pub fn an_error_brings_them_back(scratch: &Scratch) {
    ready(scratch);
    let error = up(scratch, &migrator(migrations![fail_create, fail_in_block])).error();
    assert!(chain(&error).contains("fail_in_block"), "{}", chain(&error));
    all_up(scratch);
    // On MySQL the drop has committed what came before it.
    let left: &[&str] = match scratch.backend {
        Backend::Mysql => &["before"],
        _ => &[],
    };
    assert_eq!(scratch.effects(), left);
}

/// As an error does.
pub fn a_panic_brings_them_back(scratch: &Scratch) {
    ready(scratch);
    let error = up(scratch, &migrator(migrations![fail_create, panic_in_block])).error();
    assert!(chain(&error).contains("in the block"), "{}", chain(&error));
    all_up(scratch);
}

/// A body that catches the error and returns Ok does not commit a database without its views.
pub fn a_caught_error_brings_them_back(scratch: &Scratch) {
    ready(scratch);
    let migrator = migrator(migrations![fail_create, swallowed_block]);
    up(scratch, &migrator).done();
    assert_eq!(
        states(scratch, &migrator),
        "fail_create applied, swallowed_block applied"
    );
    all_up(scratch);
    assert_eq!(scratch.effects(), ["after"]);
}

/// `suspends`: as a block around the whole body.
pub fn a_failing_body_brings_them_back(scratch: &Scratch) {
    ready(scratch);
    up(scratch, &migrator(migrations![fail_create, fail_suspended])).error();
    all_up(scratch);
    assert!(scratch.effects().is_empty(), "{:?}", scratch.effects());
}

/// Outside a transaction: from what was written down.
pub fn outside_a_transaction(scratch: &Scratch) {
    ready(scratch);
    let told = up(scratch, &migrator(migrations![fail_create, fail_outside]));
    assert_eq!(
        views_of(&told.events),
        "down fail_top, down fail_base, up fail_base, up fail_top"
    );
    told.error();
    all_up(scratch);
}

/// A block outside a transaction.
pub fn a_block_outside_a_transaction(scratch: &Scratch) {
    ready(scratch);
    let told = up(scratch, &migrator(migrations![fail_create, retype_outside]));
    assert_eq!(
        views_of(&told.events),
        "down fail_top, down fail_base, up fail_base, up fail_top"
    );
    told.done();
    all_up(scratch);
}

/// A definition that does not fit any more is an error that names the view and where it is declared.
pub fn a_view_that_cannot_come_back(scratch: &Scratch) {
    ready(scratch);
    let migrator = migrator(migrations![fail_create, drops_the_column]);
    let error = up(scratch, &migrator).error();
    let text = chain(&error);
    // SQLite rewrites views on a rename and finds out when one is read.
    assert!(
        text.contains("migrate_tests:FailBase") && text.contains("failure.rs:"),
        "{text}"
    );
    if scratch.backend != Backend::Mysql {
        all_up(scratch);
    }
}
