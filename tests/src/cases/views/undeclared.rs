//! What somebody made by hand on top of a managed view.

use migrate_diesel::{Error, ViewError, core::Failure, migrations, prelude::*, view_manager};

use super::{retype, retype_in, table, text_of, views_of};
use crate::{
    database::Scratch,
    run::{chain, migrator, up},
};

#[migration]
pub(crate) fn hand_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "hand")
}

#[view_manager(since = hand_create, sql = "SELECT id, email FROM hand")]
pub(crate) struct HandStrict;

#[view_manager(since = hand_create, unmanaged = restore, sql = "SELECT id, email FROM hand")]
pub(crate) struct HandKind;

#[migration(requires = [hand_create], suspends = [HandStrict])]
pub(crate) fn hand_retype_strict(db: &mut AnyConnection) -> QueryResult<()> {
    retype(db, "hand")
}

#[migration(requires = [hand_create], suspends = [HandKind])]
pub(crate) fn hand_touch_kind(_: &mut AnyConnection) -> QueryResult<()> {
    Ok(())
}

#[migration(requires = [hand_create])]
pub(crate) fn hand_before(db: &mut AnyConnection) -> QueryResult<()> {
    super::super::leave(db, "before")
}

#[migration(requires = [hand_create])]
pub(crate) fn hand_by_catalog(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend_dependents_of("hand.email", |db| retype_in(db, "hand"))
}

#[migration(requires = [hand_create], unmanaged = restore)]
pub(crate) fn hand_by_catalog_kindly(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.suspend_dependents_of("hand.email", |db| retype_in(db, "hand"))
}

fn ready(scratch: &Scratch, sql: &[&str]) {
    up(scratch, &migrator(migrations![hand_create])).done();
    for sql in sql {
        scratch.sql(sql);
    }
}

const REPORT: &str = "CREATE VIEW report AS SELECT id FROM hand_strict";

/// Refused before the first statement of the run, with a list.
pub fn refused_before_anything(scratch: &Scratch) {
    ready(
        scratch,
        &[REPORT, "CREATE VIEW report_top AS SELECT id FROM report"],
    );
    let migrator = migrator(migrations![hand_create, hand_before, hand_retype_strict]);
    let told = up(scratch, &migrator);
    assert!(told.events.is_empty(), "{:?}", told.events);
    let error = told.error();
    let list = match &error {
        Error::View(view) => match &**view {
            ViewError::InTheWay(list) => list.clone(),
            other => panic!("{other}"),
        },
        other => panic!("{}", chain(other)),
    };
    assert_eq!(list.len(), 2, "{list:?}");
    assert!(list[0].what.contains("report"), "{list:?}");
    assert!(list[0].on.contains("HandStrict"), "{list:?}");
    let failure = Failure::from(error);
    let next = failure.next_step.unwrap();
    assert!(next.contains("unmanaged = restore"), "{next}");
    assert!(scratch.effects().is_empty());
}

/// `unmanaged = restore`: saved, dropped and restored as they were.
pub fn restored_as_they_were(scratch: &Scratch) {
    ready(
        scratch,
        &[
            "CREATE VIEW kind_report AS SELECT id FROM hand_kind",
            "CREATE VIEW kind_top AS SELECT id AS number FROM kind_report",
        ],
    );
    let before = text_of(scratch, "kind_top");
    let told = up(
        scratch,
        &migrator(migrations![hand_create, hand_touch_kind]),
    );
    let views = views_of(&told.events).replace("public.", "");
    assert_eq!(
        views,
        "down kind_top, down kind_report, down hand_kind, up hand_kind, up kind_report, up kind_top"
    );
    told.done();
    assert_eq!(text_of(scratch, "kind_top"), before);
    assert_eq!(scratch.number("SELECT count(*) AS value FROM kind_top"), 1);
}

/// In a block: refused before the block's first statement, and the run fails.
pub fn in_a_block(scratch: &Scratch) {
    ready(scratch, &["CREATE VIEW by_hand AS SELECT email FROM hand"]);
    let told = up(
        scratch,
        &migrator(migrations![hand_create, hand_by_catalog]),
    );
    assert_eq!(views_of(&told.events), "");
    let error = told.error();
    assert!(
        chain(&error).contains("by_hand depends on `hand.email`"),
        "{}",
        chain(&error)
    );
    assert!(scratch.has_table("by_hand"));
}

/// With `unmanaged = restore` at the migration they come back.
pub fn in_a_block_that_restores(scratch: &Scratch) {
    ready(scratch, &["CREATE VIEW by_hand AS SELECT email FROM hand"]);
    let told = up(
        scratch,
        &migrator(migrations![hand_create, hand_by_catalog_kindly]),
    );
    let views = views_of(&told.events);
    assert!(views.contains("by_hand"), "{views}");
    told.done();
    assert_eq!(scratch.number("SELECT count(*) AS value FROM by_hand"), 1);
}
