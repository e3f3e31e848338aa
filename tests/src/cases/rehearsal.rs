//! `up --dry-run`: everything is tried, and nothing is changed.

use diesel::{ExpressionMethods as _, RunQueryDsl as _};
use migrate_diesel::{
    AnyConnection,
    core::{
        FailureKind,
        frontend::UpRequest,
        report::{PlanReport, Rehearsal, Rehearsed, Statement},
    },
    prelude::*,
    view_manager,
};

use super::{leave, schema::effects};
use crate::{
    database::{Backend, Scratch},
    program,
};

#[migration(database = "reh_all")]
pub(crate) fn reh_create(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE reh (id INTEGER PRIMARY KEY, email VARCHAR(100))")
}

#[view_manager(since = reh_create, sql = "SELECT id FROM reh")]
pub(crate) struct RehIds;

#[migration(database = "reh_all", requires = [reh_create])]
pub(crate) fn reh_fill(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.batch_execute("INSERT INTO reh (id, email) VALUES (1, 'a'), (2, 'b'), (3, 'c')")?;
    // What it leaves in its session is not there for the next.
    db.batch_execute("CREATE TEMPORARY TABLE reh_left (id INTEGER)")?;
    db.transaction(|db| db.batch_execute("DELETE FROM reh WHERE id = 3"))
}

#[migration(database = "reh_all", requires = [reh_fill])]
pub(crate) fn reh_typed(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TEMPORARY TABLE reh_left (id INTEGER)")?;
    match db {
        AnyConnection::Sqlite(db) => diesel::insert_into(effects::table)
            .values(effects::name.eq("typed"))
            .execute(db),
        AnyConnection::Postgres(db) => diesel::insert_into(effects::table)
            .values(effects::name.eq("typed"))
            .execute(db),
        AnyConnection::Mysql(db) => diesel::insert_into(effects::table)
            .values(effects::name.eq("typed"))
            .execute(db),
        // Of another crate's connection, `AnyConnection` runs text.
        AnyConnection::Other(_) => {
            diesel::sql_query("INSERT INTO effects (name) VALUES ('typed')").execute(db)
        }
    }
    .map(|_| ())
}

#[migration(database = "reh_all", requires = [reh_fill])]
pub(crate) fn reh_not_yet(db: &mut AnyConnection) -> QueryResult<Outcome> {
    leave(db, "not yet")?;
    Ok(Outcome::NotYet("too early"))
}

#[migration(database = "reh_all", requires = [reh_not_yet])]
pub(crate) fn reh_waits(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "waits")
}

#[migration(database = "reh_all", requires = [reh_fill], transaction = none)]
pub(crate) fn reh_outside(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "outside")
}

#[migration(database = "reh_all", requires = [reh_outside])]
pub(crate) fn reh_on_outside(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "on outside")
}

/// Each step as it would run, with views; what cannot be shown says why; nothing stays.
pub fn everything_is_shown_and_nothing_stays(scratch: &Scratch) {
    let before = everything(scratch);
    let report = rehearse(scratch, "reh_all");
    assert_eq!(everything(scratch), before);
    assert_eq!(report.steps.len(), 7);
    if shows_nothing(scratch, &report) {
        return;
    }
    let created = ran(&report, "reh_create");
    let texts = texts(&created.statements);
    assert_eq!(
        texts.first().map(String::as_str),
        Some("CREATE TABLE reh (id INTEGER PRIMARY KEY, email VARCHAR(100))")
    );
    assert!(
        texts.iter().any(|sql| sql.contains("CREATE VIEW")),
        "{texts:#?}"
    );
    assert!(
        !texts.iter().any(|sql| sql.contains("migrate_history")),
        "our own records are shown: {texts:#?}"
    );
    assert!(created.statements.iter().all(|it| it.duration.is_some()));

    let filled = ran(&report, "reh_fill");
    assert_eq!(filled.rows, Some(4), "three inserted, one deleted");
    assert!(filled.duration >= filled.statements.iter().filter_map(|it| it.duration).sum());
    let typed = ran(&report, "reh_typed");
    let insert = &typed.statements[1].sql;
    assert!(insert.starts_with("INSERT INTO"), "{insert}");
    let binds = match scratch.foreign() {
        Some(_) => "-- binds: []",
        None => "-- binds: [\"typed\"]",
    };
    assert!(insert.ends_with(binds), "{insert}");
    assert_eq!(typed.rows, Some(1));

    assert_eq!(
        ran(&report, "reh_not_yet").deferred.as_deref(),
        Some("too early")
    );
    assert_eq!(
        not_shown(&report, "reh_waits"),
        "it requires `migrate_tests:reh_not_yet`, which would not be there"
    );
    assert_eq!(
        not_shown(&report, "reh_outside"),
        "it runs outside a transaction (`transaction = none`)"
    );
    assert_eq!(
        not_shown(&report, "reh_on_outside"),
        "it requires `migrate_tests:reh_outside`, which would not be there"
    );
    assert!(report.rehearsal.unwrap().failure.is_none());
    // Twice is no different, and the lock is free.
    assert_eq!(rehearse(scratch, "reh_all").steps.len(), 7);
    assert_eq!(everything(scratch), before);
}

#[migration(database = "reh_fails")]
pub(crate) fn reh_good(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "good")
}

#[migration(database = "reh_fails", requires = [reh_good])]
pub(crate) fn reh_bad(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "bad")?;
    db.batch_execute("INSERT INTO reh_nowhere (id) VALUES (1)")
}

#[migration(database = "reh_fails", requires = [reh_bad])]
pub(crate) fn reh_after_bad(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "after")
}

/// The statements up to the one that failed, and why.
pub fn what_would_fail_is_shown_up_to_there(scratch: &Scratch) {
    let before = everything(scratch);
    let report = rehearse(scratch, "reh_fails");
    assert_eq!(everything(scratch), before);
    if shows_nothing(scratch, &report) {
        return;
    }
    assert_eq!(texts(&ran(&report, "reh_good").statements).len(), 1);
    let statements = texts(&ran(&report, "reh_bad").statements);
    assert_eq!(
        statements.last().map(String::as_str),
        Some("INSERT INTO reh_nowhere (id) VALUES (1)")
    );
    assert_eq!(
        not_shown(&report, "reh_after_bad"),
        "what comes before it failed"
    );
    let failure = report.rehearsal.unwrap().failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Migration);
    assert_eq!(failure.message, "migration `migrate_tests:reh_bad` failed");
    assert!(
        failure.causes.join(": ").contains("reh_nowhere"),
        "{failure:?}"
    );
}

#[migration(database = "reh_commits")]
pub(crate) fn reh_commits(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "before")?;
    db.batch_execute("INSERT INTO effects (name) VALUES ('with it'); COMMIT")?;
    leave(db, "after")
}

/// A body that would make permanent what is to be rolled back does not get that far.
pub fn a_body_that_commits_changes_nothing(scratch: &Scratch) {
    let before = everything(scratch);
    let report = rehearse(scratch, "reh_commits");
    assert_eq!(everything(scratch), before);
    assert!(scratch.effects().is_empty());
    if shows_nothing(scratch, &report) {
        return;
    }
    let failure = report.rehearsal.unwrap().failure.unwrap();
    assert!(
        failure
            .causes
            .join(": ")
            .contains("ended its own transaction"),
        "{failure:?}"
    );
}

#[migration(database = "reh_views")]
pub(crate) fn reh_base(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE reh_base (id INTEGER PRIMARY KEY)")
}

#[view_manager(since = reh_base, sql = "SELECT id FROM reh_base")]
pub(crate) struct RehTop;

#[migration(database = "reh_views", requires = [reh_base])]
pub(crate) fn reh_reads(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("INSERT INTO effects (name) SELECT 'read' FROM reh_top")
}

/// A view that somebody dropped is there for the bodies, and gone again afterwards.
pub fn missing_views_are_part_of_it(scratch: &Scratch) {
    let mut deployment = program::open("reh_views", scratch.url()).unwrap();
    let first = UpRequest {
        target: migrate_diesel::core::frontend::Target::Steps(1),
        ..UpRequest::default()
    };
    let run = deployment.up(&first, &mut |_| {});
    assert!(run.failure.is_none(), "{run:?}");
    drop(deployment);
    scratch.sql("DROP VIEW reh_top");
    let before = everything(scratch);
    let report = rehearse(scratch, "reh_views");
    assert_eq!(everything(scratch), before);
    if shows_nothing(scratch, &report) {
        return;
    }
    assert_eq!(texts(&ran(&report, "reh_reads").statements).len(), 1);
    let beside = report.rehearsal.unwrap();
    assert!(beside.failure.is_none(), "{beside:?}");
    assert!(
        texts(&beside.before)
            .iter()
            .any(|sql| sql.contains("CREATE VIEW")),
        "{beside:?}"
    );
    // With nothing else pending, it is what comes after the last migration.
    let all = program::up("reh_views", scratch.url());
    assert!(all.failure.is_none(), "{all:?}");
    scratch.sql("DROP VIEW reh_top");
    let beside = rehearse(scratch, "reh_views").rehearsal.unwrap();
    assert!(
        texts(&beside.after)
            .iter()
            .any(|sql| sql.contains("CREATE VIEW")),
        "{beside:?}"
    );
    assert!(!scratch.has_table("reh_top"));
}

fn rehearse(scratch: &Scratch, database: &str) -> PlanReport {
    let mut deployment = program::open(database, scratch.url()).unwrap();
    deployment.rehearse(&UpRequest::default()).unwrap()
}

/// Where DDL cannot be rolled back, nothing is tried, and that is said.
fn shows_nothing(scratch: &Scratch, report: &PlanReport) -> bool {
    if scratch.backend.has_transactional_ddl() {
        return false;
    }
    let why = report.rehearsal.as_ref().unwrap().not_shown.as_deref();
    assert_eq!(
        why,
        Some("mysql commits DDL by itself, so that nothing can be tried and rolled back")
    );
    for step in &report.steps {
        assert!(
            matches!(&step.rehearsal, Some(Rehearsal::NotShown(_))),
            "{step:?}"
        );
    }
    true
}

fn ran<'r>(report: &'r PlanReport, name: &str) -> &'r Rehearsed {
    match rehearsal(report, name) {
        Rehearsal::Ran(ran) => ran,
        other => panic!("{name}: {other:?}"),
    }
}

fn not_shown<'r>(report: &'r PlanReport, name: &str) -> &'r str {
    match rehearsal(report, name) {
        Rehearsal::NotShown(why) => why,
        other => panic!("{name}: {other:?}"),
    }
}

fn rehearsal<'r>(report: &'r PlanReport, name: &str) -> &'r Rehearsal {
    let id = format!("migrate_tests:{name}");
    let step = report.steps.iter().find(|step| step.id == id).unwrap();
    step.rehearsal.as_ref().unwrap()
}

fn texts(statements: &[Statement]) -> Vec<String> {
    statements.iter().map(|it| it.sql.clone()).collect()
}

/// What a rehearsal must not change: of SQLite every byte and every file beside it, of the servers every
/// relation, and what the tables of the test hold.
fn everything(scratch: &Scratch) -> Vec<String> {
    let mut all = scratch.effects();
    match scratch.backend {
        Backend::Sqlite => {
            let mut files: Vec<_> = std::fs::read_dir(scratch.directory())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            files.sort();
            all.extend(files.iter().map(|path| {
                format!("{}: {:?}", path.display(), std::fs::read(path).unwrap())
            }));
        }
        Backend::Postgres => all.extend(scratch.texts(
            "SELECT concat_ws(' ', relnamespace::regnamespace, relkind, relname) AS value FROM pg_class \
             WHERE relnamespace::regnamespace::text !~ '^pg_' ORDER BY 1",
        )),
        Backend::Mysql => all.extend(scratch.texts(
            "SELECT concat_ws(' ', table_type, table_name) AS value FROM information_schema.tables \
             WHERE table_schema = DATABASE() ORDER BY 1",
        )),
    }
    all
}
