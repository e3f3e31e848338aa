//! When a view comes up and goes down.

use migrate_diesel::{core::frontend::DownTarget, migrations, prelude::*, view_manager};

use super::{table, text_of, view_states, views_of};
use crate::{
    database::Scratch,
    run::{atomic, migrator, up, up_with},
};

#[migration(down = life_drop)]
pub(crate) fn life_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "life")
}

fn life_drop(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE life")
}

/// Reads what came up with its requirement.
#[migration(requires = [life_create], down = life_unread)]
pub(crate) fn life_read(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("INSERT INTO effects (name) SELECT email FROM life_all")
}

fn life_unread(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("DELETE FROM effects")
}

/// Hands the name over.
#[migration(requires = [life_read], down = life_unrename)]
pub(crate) fn life_rename(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("ALTER TABLE life RENAME COLUMN email TO mail")
}

fn life_unrename(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("ALTER TABLE life RENAME COLUMN mail TO email")
}

/// All of them.
#[view_manager(name = "life_all", since = life_create, until = life_rename, sql = "SELECT id, email FROM life")]
pub(crate) struct LifeAll;

/// With the new column.
#[view_manager(name = "life_all", since = life_rename, sql = "SELECT id, mail FROM life")]
pub(crate) struct LifeAllRenamed;

/// On top of the first.
#[view_manager(name = "life_ids", since = life_create, until = life_rename, uses = [LifeAll], sql = "SELECT id FROM life_all")]
pub(crate) struct LifeIds;

/// V-since-current, V-since-missing-inert, V-until-handover, and back again.
pub fn between_since_and_until(scratch: &Scratch) {
    let early = migrator(migrations![life_create, life_read]);
    assert_eq!(view_states(scratch, &early), "life_all down, life_ids down");
    let told = up(scratch, &early);
    assert_eq!(
        told.events,
        [
            "started life_create",
            "up life_all",
            "up life_ids",
            "applied life_create",
            "started life_read",
            "applied life_read",
        ]
    );
    assert_eq!(scratch.effects(), ["a@b"]);
    assert_eq!(view_states(scratch, &early), "life_all up, life_ids up");

    let migrator = migrator(migrations![life_create, life_read, life_rename]);
    let plan = migrator.plan(&mut scratch.connect()).unwrap();
    let views: Vec<String> = plan.steps[0]
        .views
        .iter()
        .map(|it| format!("{} {}: {}", it.action.as_str(), it.name, it.because))
        .collect();
    assert_eq!(
        views,
        [
            "down life_ids: its lifetime ends",
            "down life_all: `migrate_tests:LifeAllRenamed` takes its place",
            "up life_all: its lifetime begins",
        ]
    );
    let told = up(scratch, &migrator);
    assert_eq!(
        views_of(&told.events),
        "down life_ids, down life_all, up life_all"
    );
    told.done();
    assert!(text_of(scratch, "life_all").contains("mail"));
    assert_eq!(
        view_states(scratch, &migrator),
        "life_all down, life_ids down, life_all up"
    );
    assert!(up(scratch, &migrator).events.is_empty());

    let mut db = scratch.connect();
    migrator.down(&mut db, DownTarget::Steps(1)).unwrap();
    assert_eq!(
        view_states(scratch, &migrator),
        "life_all up, life_ids up, life_all down"
    );
    assert!(text_of(scratch, "life_all").contains("email"));
    migrator.down(&mut db, DownTarget::Steps(9)).unwrap();
    assert!(!scratch.has_table("life_all"));
    up(scratch, &migrator).done();
    assert!(text_of(scratch, "life_all").contains("mail"));
}

#[migration]
pub(crate) fn repair_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "repair")
}

#[view_manager(since = repair_create, sql = "SELECT id, email FROM repair")]
pub(crate) struct RepairBase;

#[view_manager(since = repair_create, uses = [RepairBase], sql = "SELECT id FROM repair_base")]
pub(crate) struct RepairTop;

/// A view that somebody dropped comes back with the next `up`.
pub fn what_is_missing_is_repaired(scratch: &Scratch) {
    let migrator = migrator(migrations![repair_create]);
    up(scratch, &migrator).done();
    scratch.sql("DROP VIEW repair_top");
    assert_eq!(
        view_states(scratch, &migrator),
        "repair_base up, repair_top missing"
    );
    let check = migrator.check(&mut scratch.connect()).unwrap();
    assert_eq!(check.pending_views, ["migrate_tests:RepairTop"]);
    let plan = migrator.plan(&mut scratch.connect()).unwrap();
    assert_eq!(plan.views.len(), 1, "{:?}", plan.views);
    let told = up(scratch, &migrator);
    assert_eq!(told.events, ["up repair_top"]);
    assert_eq!(told.done().views, 1);
    assert_eq!(
        view_states(scratch, &migrator),
        "repair_base up, repair_top up"
    );
}

/// A view whose definition changed in code is built anew, and what is on it comes back.
pub fn what_changed_is_built_anew(scratch: &Scratch) {
    let migrator = migrator(migrations![repair_create]);
    up(scratch, &migrator).done();
    // As an earlier program left it.
    scratch.sql("DROP VIEW repair_top");
    scratch.sql("DROP VIEW repair_base");
    scratch.sql("CREATE VIEW repair_base AS SELECT id FROM repair");
    scratch.sql("CREATE VIEW repair_top AS SELECT id FROM repair_base");
    scratch.sql(
        "UPDATE migrate_history_views SET fingerprint = '0000000000000001' WHERE name = 'repair_base'",
    );
    assert_eq!(
        view_states(scratch, &migrator),
        "repair_base changed, repair_top up"
    );
    let plan = migrator.plan(&mut scratch.connect()).unwrap();
    let planned: Vec<String> = plan
        .views
        .iter()
        .map(|it| format!("{} {}: {}", it.action.as_str(), it.name, it.because))
        .collect();
    assert_eq!(
        planned,
        [
            "suspend repair_top: it uses `migrate_tests:RepairBase`, which goes down",
            "rebuild repair_base: its definition changed",
        ]
    );
    let told = up(scratch, &migrator);
    assert_eq!(
        told.events,
        [
            "down repair_top",
            "down repair_base",
            "up repair_base",
            "up repair_top"
        ]
    );
    told.done();
    assert!(text_of(scratch, "repair_base").contains("email"));
    assert!(up(scratch, &migrator).events.is_empty());
}

/// A view of its name that was there before is taken over.
pub fn a_view_that_was_there_is_taken_over(scratch: &Scratch) {
    table(&mut scratch.connect(), "adopted").unwrap();
    scratch.sql("CREATE VIEW adopted_ids AS SELECT email FROM adopted");
    let migrator = migrator(migrations![adopt_begin]);
    up(scratch, &migrator).done();
    assert_eq!(view_states(scratch, &migrator), "adopted_ids up");
    assert!(text_of(scratch, "adopted_ids").contains("id"));
}

#[migration]
pub(crate) fn adopt_begin(_: &mut AnyConnection) -> QueryResult<()> {
    Ok(())
}

#[view_manager(since = adopt_begin, sql = "SELECT id FROM adopted")]
pub(crate) struct AdoptedIds;

#[migration]
pub(crate) fn code_create(db: &mut AnyConnection) -> QueryResult<()> {
    table(db, "code")
}

#[migration(requires = [code_create], suspends = [CodeView])]
pub(crate) fn code_retype(db: &mut AnyConnection) -> QueryResult<()> {
    super::retype(db, "code")
}

#[view_manager(name = "code_view", since = code_create)]
pub(crate) struct CodeView;

#[view_manager]
impl ViewManager for CodeView {
    type Connection = AnyConnection;

    fn up(db: &mut AnyConnection) -> QueryResult<()> {
        db.batch_execute("CREATE VIEW code_view AS SELECT email FROM code")
    }

    fn down(db: &mut AnyConnection) -> QueryResult<()> {
        db.batch_execute("DROP VIEW code_view")
    }
}

/// Hand-written `up` and `down`.
pub fn hand_written_code(scratch: &Scratch) {
    let migrator = migrator(migrations![code_create, code_retype]);
    let told = up(scratch, &migrator);
    assert_eq!(
        views_of(&told.events),
        "up code_view, down code_view, up code_view"
    );
    told.done();
    assert_eq!(view_states(scratch, &migrator), "code_view up");
}

/// A program that no longer declares a view says so.
pub fn what_is_not_declared_any_more_is_told(scratch: &Scratch) {
    up(scratch, &migrator(migrations![repair_create])).done();
    scratch.sql("UPDATE migrate_history_views SET name = 'gone', id = 'migrate_tests:Gone' WHERE name = 'repair_top'");
    let migrator = migrator(migrations![repair_create]);
    let check = migrator.check(&mut scratch.connect()).unwrap();
    let kinds: Vec<&str> = check.problems.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds, ["view_undeclared"]);
}

/// A declaration that got an `until` which has long been applied, and a successor.
pub fn what_outlived_its_lifetime_is_handed_over(scratch: &Scratch) {
    let migrator = migrator(migrations![life_create, life_read, life_rename]);
    up(scratch, &migrator).done();
    // As a program left it that knew only the first of the two, and one view that ends.
    scratch.sql("DROP VIEW life_all");
    scratch.sql("CREATE VIEW life_all AS SELECT id, mail AS email FROM life");
    scratch.sql("CREATE VIEW life_ids AS SELECT id FROM life_all");
    scratch.sql(
        "UPDATE migrate_history_views SET id = 'migrate_tests:LifeAll' WHERE name = 'life_all'",
    );
    scratch.sql(
        "INSERT INTO migrate_history_views (name, id, state, changed_at, run_by) \
         SELECT 'life_ids', 'migrate_tests:LifeIds', 'up', changed_at, run_by FROM migrate_history_views",
    );
    assert_eq!(
        view_states(scratch, &migrator),
        "life_all ended, life_ids ended, life_all changed"
    );
    let told = up(scratch, &migrator);
    assert_eq!(
        told.events,
        ["down life_ids", "down life_all", "up life_all"]
    );
    told.done();
    assert!(!text_of(scratch, "life_all").contains("AS `email`"));
    assert!(!scratch.has_table("life_ids"));
    assert_eq!(
        view_states(scratch, &migrator),
        "life_all down, life_ids down, life_all up"
    );
}

#[migration(requires = [life_rename])]
pub(crate) fn life_fails(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("NONSENSE")
}

/// `--atomic`: views come and go within the one transaction.
pub fn all_or_nothing_with_views(scratch: &Scratch) {
    let failing = migrator(migrations![life_create, life_read, life_rename, life_fails]);
    up_with(&mut scratch.connect(), &failing, &atomic()).error();
    assert!(!scratch.has_table("life") && !scratch.has_table("life_all"));
    let fresh = scratch.another();
    let migrator = migrator(migrations![life_create, life_read, life_rename]);
    let told = up_with(&mut fresh.connect(), &migrator, &atomic());
    assert_eq!(
        views_of(&told.events),
        "up life_all, up life_ids, down life_ids, down life_all, up life_all"
    );
    told.done();
    assert_eq!(
        view_states(&fresh, &migrator),
        "life_all down, life_ids down, life_all up"
    );
}
