//! Bodies outside a transaction: intent, failure, steps, `interrupted` and `resolve`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use migrate_diesel::{
    Error, Migrator, Undone,
    core::{FailureKind, frontend::Resolution, report::Event},
    migrations,
    prelude::*,
};

use super::{is_on, leave};
use crate::{
    database::{Backend, Scratch},
    run::{chain, log, migrator, states, up},
};

#[migration(transaction = none)]
pub(crate) fn outside_steps(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.step("first", |db| leave(db, "step 1"))?;
    db.step("second", |db| leave(db, "step 2"))?;
    if !is_on(db, "mended") {
        leave(db, "before the error")?;
        return Err(diesel::result::Error::NotFound);
    }
    db.step("third", |db| leave(db, "step 3"))
}

#[migration(requires = [outside_steps])]
pub(crate) fn outside_dependant(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "then")
}

/// A failure leaves what was done; the next run goes on after the last finished step.
pub fn steps_are_not_repeated(scratch: &Scratch) {
    let migrator = migrator(migrations![outside_steps, outside_dependant]);
    let told = up(scratch, &migrator);
    assert_eq!(
        told.events,
        [
            "started outside_steps",
            "failed outside_steps: Record not found (not undone)"
        ]
    );
    let error = told.error();
    let Error::Migration { undone, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*undone, Undone::NotEverything);
    assert!(error.next_step().unwrap().contains("session.step"));
    assert_eq!(scratch.effects(), ["before the error", "step 1", "step 2"]);
    assert_eq!(
        states(scratch, &migrator),
        "outside_steps failed, outside_dependant pending"
    );

    scratch.switch_on("mended");
    assert_eq!(up(scratch, &migrator).done().applied, 2);
    assert_eq!(
        scratch.effects(),
        ["before the error", "step 1", "step 2", "step 3", "then"]
    );
    let left = scratch.number("SELECT count(*) AS value FROM migrate_history_steps");
    assert_eq!(left, 0, "steps of what is done are forgotten");
    assert_eq!(
        log(scratch, &migrator),
        [
            "failed outside_steps",
            "applied outside_steps",
            "applied outside_dependant"
        ]
    );
}

/// `applied` and the end of the steps' use are one: steps left behind would be taken for finished
/// by whatever runs under this id later.
pub fn an_ending_outside_a_transaction_is_whole(scratch: &Scratch) {
    let migrator = migrator(migrations![outside_steps, outside_dependant]);
    up(scratch, &migrator).error();
    scratch.switch_on("mended");
    let (install, remove) = match scratch.backend {
        Backend::Sqlite => (
            "CREATE TRIGGER keep BEFORE DELETE ON migrate_history_steps BEGIN SELECT RAISE(ABORT, 'sabotage'); END",
            "DROP TRIGGER keep",
        ),
        Backend::Postgres => (
            "CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'sabotage'; END $$; \
             CREATE TRIGGER keep BEFORE DELETE ON migrate_history_steps FOR EACH ROW EXECUTE FUNCTION sabotage()",
            "DROP TRIGGER keep ON migrate_history_steps",
        ),
        Backend::Mysql => (
            "CREATE TRIGGER keep BEFORE DELETE ON migrate_history_steps FOR EACH ROW \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'sabotage'",
            "DROP TRIGGER keep",
        ),
    };
    scratch.sql(install);
    let error = up(scratch, &migrator).error();
    assert!(chain(&error).contains("sabotage"), "{}", chain(&error));
    assert!(
        !states(scratch, &migrator).contains("outside_steps applied"),
        "applied, with its steps left behind"
    );
    scratch.sql(remove);
    if states(scratch, &migrator).contains("outside_steps interrupted") {
        let mut connection = scratch.connect();
        let settled = migrator.resolve(&mut connection, "outside_steps", Resolution::Retry);
        settled.unwrap();
    }
    assert_eq!(up(scratch, &migrator).done().applied, 2);
    assert_eq!(
        scratch.effects(),
        ["before the error", "step 1", "step 2", "step 3", "then"]
    );
    let left = scratch.number("SELECT count(*) AS value FROM migrate_history_steps");
    assert_eq!(left, 0);
}

#[migration]
pub(crate) fn steps_in_transaction(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.step("first", |db| leave(db, "step 1"))?;
    if !is_on(db, "mended") {
        return Err(diesel::result::Error::NotFound);
    }
    db.step("second", |db| leave(db, "step 2"))
}

/// In one transaction nothing was finished before, so that every attempt runs all steps; on MySQL a
/// step commits, and is not repeated. Either way each effect is there once.
pub fn steps_in_a_transaction_take_effect_once(scratch: &Scratch) {
    let migrator = migrator(migrations![steps_in_transaction]);
    up(scratch, &migrator).error();
    let expected: &[&str] = match scratch.backend {
        Backend::Mysql => &["step 1"],
        _ => &[],
    };
    assert_eq!(scratch.effects(), expected);
    scratch.switch_on("mended");
    assert_eq!(up(scratch, &migrator).done().applied, 1);
    assert_eq!(scratch.effects(), ["step 1", "step 2"]);
}

#[migration]
pub(crate) fn lost_atomic(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "atomic")
}

#[migration(transaction = none)]
pub(crate) fn lost_outside(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "outside")
}

#[migration]
pub(crate) fn lost_independent(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "independent")
}

#[migration(requires = [lost_outside])]
pub(crate) fn lost_dependant(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "dependant")
}

fn lost() -> Migrator {
    migrator(migrations![
        lost_atomic,
        lost_outside,
        lost_independent,
        lost_dependant
    ])
}

/// Ends a run between claim and body as a crash would, except that this process goes on: the
/// observer panics, and the connection is dropped.
fn die_at(scratch: &Scratch, migrator: &Migrator, victim: &str) {
    let mut connection = scratch.connect();
    let result = catch_unwind(AssertUnwindSafe(|| {
        migrator.up_with(&mut connection, &Default::default(), &mut |event| {
            if let Event::Started { id, .. } = event {
                assert!(!id.ends_with(victim), "the observer dies");
            }
        })
    }));
    assert!(result.is_err(), "the observer's panic is the caller's");
}

/// What died inside its transaction is run again without a question.
pub fn a_death_in_a_transaction_needs_no_decision(scratch: &Scratch) {
    let migrator = lost();
    die_at(scratch, &migrator, "lost_atomic");
    assert!(scratch.effects().is_empty());
    let state = states(scratch, &migrator);
    let state = state.split(',').next().unwrap();
    assert!(
        state == "lost_atomic pending" || state == "lost_atomic failed",
        "{state}"
    );
    assert_eq!(up(scratch, &migrator).done().applied, 4);
    assert_eq!(
        scratch.effects(),
        ["atomic", "dependant", "independent", "outside"]
    );
}

/// What died outside one is not touched before somebody says what became of it; the rest goes on.
pub fn a_death_outside_a_transaction_needs_a_decision(scratch: &Scratch) {
    let migrator = lost();
    die_at(scratch, &migrator, "lost_outside");
    let before =
        "lost_atomic applied, lost_outside interrupted, lost_dependant pending, lost_independent";
    assert_eq!(states(scratch, &migrator), format!("{before} pending"));

    let told = up(scratch, &migrator);
    let error = told.error();
    assert_eq!(error.kind(), FailureKind::Migration);
    assert!(
        chain(&error).contains("`migrate_tests:lost_outside` is interrupted"),
        "{}",
        chain(&error)
    );
    assert!(
        chain(&error).contains("lost_dependant"),
        "{}",
        chain(&error)
    );
    let next = error.next_step().unwrap();
    for word in ["lost_outside", "--applied", "--reverted", "--retry"] {
        assert!(next.contains(word), "{next}");
    }
    assert_eq!(states(scratch, &migrator), format!("{before} applied"));
    let check = migrator.check(&mut scratch.connect()).unwrap();
    assert!(
        check
            .problems
            .iter()
            .any(|problem| problem.kind.as_str() == "interrupted"
                && problem.id == "migrate_tests:lost_outside")
    );
    assert_eq!(scratch.effects(), ["atomic", "independent"]);
}

fn interrupted(scratch: &Scratch) -> Migrator {
    let migrator = lost();
    die_at(scratch, &migrator, "lost_outside");
    migrator
}

fn resolve(scratch: &Scratch, migrator: &Migrator, decision: Resolution) {
    let id = migrator.resolve(&mut scratch.connect(), "lost_outside", decision);
    assert_eq!(id.unwrap(), "migrate_tests:lost_outside");
}

/// `resolve --retry`.
pub fn resolve_retry_runs_it_again(scratch: &Scratch) {
    let migrator = interrupted(scratch);
    resolve(scratch, &migrator, Resolution::Retry);
    assert!(states(scratch, &migrator).contains("lost_outside failed"));
    assert_eq!(up(scratch, &migrator).done().applied, 3);
    assert_eq!(
        scratch.effects(),
        ["atomic", "dependant", "independent", "outside"]
    );
    let log = log(scratch, &migrator);
    assert!(log.contains(&"resolved lost_outside".to_owned()), "{log:?}");
}

/// `resolve --applied`.
pub fn resolve_applied_takes_it_for_done(scratch: &Scratch) {
    let migrator = interrupted(scratch);
    resolve(scratch, &migrator, Resolution::Applied);
    assert!(states(scratch, &migrator).contains("lost_outside applied"));
    assert_eq!(up(scratch, &migrator).done().applied, 2);
    assert_eq!(scratch.effects(), ["atomic", "dependant", "independent"]);
}

/// `resolve --reverted`.
pub fn resolve_reverted_forgets_the_attempt(scratch: &Scratch) {
    let migrator = interrupted(scratch);
    resolve(scratch, &migrator, Resolution::Reverted);
    assert!(states(scratch, &migrator).contains("lost_outside pending"));
    assert_eq!(up(scratch, &migrator).done().applied, 3);
}

/// There is nothing to decide about what is applied, pending or unknown.
pub fn resolve_refuses_what_needs_no_decision(scratch: &Scratch) {
    let migrator = interrupted(scratch);
    let mut connection = scratch.connect();
    for (id, said) in [
        ("lost_atomic", "applied"),
        ("lost_independent", "pending"),
        ("lost_outsider", "lost_outsider"),
    ] {
        let error = migrator
            .resolve(&mut connection, id, Resolution::Applied)
            .unwrap_err();
        assert_eq!(error.kind(), FailureKind::Usage);
        assert!(chain(&error).contains(said), "{}", chain(&error));
        assert!(error.next_step().is_some());
    }
    assert!(states(scratch, &migrator).contains("lost_outside interrupted"));
}

#[migration]
pub(crate) fn broken_dml(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "dml")?;
    if !is_on(db, "calm") {
        hang_up(db)?;
    }
    Ok(())
}

#[migration]
pub(crate) fn broken_ddl(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE broken (id INTEGER PRIMARY KEY)")?;
    if !is_on(db, "calm") {
        hang_up(db)?;
    }
    Ok(())
}

/// The server ends the session that asks it to.
fn hang_up(db: &mut AnyConnection) -> QueryResult<()> {
    let sql = match Backend::of(db) {
        Backend::Postgres => "SELECT pg_terminate_backend(pg_backend_pid())",
        Backend::Mysql => "KILL CONNECTION_ID()",
        Backend::Sqlite => unreachable!("SQLite has no session to end"),
    };
    db.batch_execute(sql)
}

/// The session is lost in the middle of a body. Only where DDL has committed by itself is there
/// anything to decide.
pub fn a_lost_session_undoes_what_can_be_undone(scratch: &Scratch) {
    let dml = migrator(migrations![broken_dml]);
    let error = up(scratch, &dml).error();
    assert!(
        matches!(
            error.kind(),
            FailureKind::Migration | FailureKind::Unreachable
        ),
        "{error:?}"
    );
    assert!(scratch.effects().is_empty());
    scratch.switch_on("calm");
    assert_eq!(up(scratch, &dml).done().applied, 1);
    assert_eq!(scratch.effects(), ["dml"]);

    scratch.sql("DELETE FROM switches");
    let ddl = migrator(migrations![broken_dml, broken_ddl]);
    up(scratch, &ddl).error();
    scratch.switch_on("calm");
    if scratch.backend == Backend::Mysql {
        assert!(scratch.has_table("broken"));
        assert_eq!(
            states(scratch, &ddl),
            "broken_dml applied, broken_ddl interrupted"
        );
        up(scratch, &ddl).error();
        ddl.resolve(&mut scratch.connect(), "broken_ddl", Resolution::Applied)
            .unwrap();
        assert_eq!(up(scratch, &ddl).done().applied, 0);
    } else {
        assert!(!scratch.has_table("broken"));
        assert_eq!(up(scratch, &ddl).done().applied, 1);
        assert!(scratch.has_table("broken"));
    }
}
