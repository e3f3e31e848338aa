//! Effect and record commit together, whatever the body does to its transaction.

use diesel::Connection as _;
use migrate_diesel::{
    BodyError, Error,
    core::{FailureKind, frontend::Resolution},
    migrations,
    prelude::*,
};

use super::leave;
use crate::{
    database::{Backend, Scratch},
    run::{atomic, chain, log, migrator, states, up, up_with},
};

#[migration]
pub(crate) fn nested_commits(db: &mut AnyConnection) -> QueryResult<()> {
    db.transaction(|db| leave(db, "committed within"))?;
    let undone: QueryResult<()> = db.transaction(|db| {
        leave(db, "rolled back within")?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert_eq!(undone, Err(diesel::result::Error::RollbackTransaction));
    leave(db, "after")
}

#[migration]
pub(crate) fn nested_fails(db: &mut Session<AnyConnection>) -> QueryResult<()> {
    db.transaction(|db| leave(db, "lost with the whole"))?;
    db.transaction(|db| {
        leave(db, "lost twice")?;
        db.transaction(|db| leave(db, "deeper"))?;
        Err(diesel::result::Error::NotFound)
    })
}

/// `db.transaction(..)` in a body is a savepoint.
pub fn transactions_in_a_body_nest(scratch: &Scratch) {
    let migrator = migrator(migrations![nested_commits, nested_fails]);
    let error = up(scratch, &migrator).error();
    assert!(chain(&error).contains("nested_fails"), "{}", chain(&error));
    assert_eq!(scratch.effects(), ["after", "committed within"]);
    assert_eq!(
        states(scratch, &migrator),
        "nested_commits applied, nested_fails failed"
    );
}

#[migration]
pub(crate) fn open_left(db: &mut AnyConnection) -> QueryResult<()> {
    use diesel::connection::TransactionManager;
    leave(db, "before")?;
    <AnyConnection as diesel::Connection>::TransactionManager::begin_transaction(db)?;
    leave(db, "inside")
}

#[migration]
pub(crate) fn open_next(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "next")
}

/// Somebody began and forgot to commit: nothing of it stays, and the connection can go on.
pub fn a_transaction_left_open_is_a_failure(scratch: &Scratch) {
    let all = migrator(migrations![open_left, open_next]);
    let mut connection = scratch.connect();
    let error = up_with(&mut connection, &all, &Default::default()).error();
    let Error::Migration { source, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(source, BodyError::LeftOpen), "{source:?}");
    assert!(scratch.effects().is_empty());
    assert_eq!(states(scratch, &all), "open_left failed, open_next pending");

    let next = migrator(migrations![open_next]);
    // The failed one is in the history: a program without it is another program.
    let error = up_with(&mut connection, &next, &Default::default()).error();
    assert_eq!(error.kind(), FailureKind::Disagreement);
}

#[migration]
pub(crate) fn ended_itself(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "before")?;
    db.batch_execute("COMMIT")?;
    leave(db, "after")
}

#[migration(requires = [ended_itself])]
pub(crate) fn ended_next(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "next")
}

/// A body that commits by itself has done something that nobody can undo: it is not taken for
/// applied, and not run again before a person has looked.
///
/// On MySQL a transaction goes on after COMMIT (autocommit is off), and DDL does the same at any time.
pub fn a_body_that_commits_by_itself(scratch: &Scratch) {
    let migrator = migrator(migrations![ended_itself, ended_next]);
    let told = up(scratch, &migrator);
    if scratch.backend == Backend::Mysql {
        assert_eq!(told.done().applied, 2);
        assert_eq!(scratch.effects(), ["after", "before", "next"]);
        return;
    }
    let error = told.error();
    assert_eq!(error.kind(), FailureKind::Migration);
    assert!(
        chain(&error).contains("ended its own transaction"),
        "{}",
        chain(&error)
    );
    let effects = scratch.effects();
    assert!(effects.contains(&"before".to_owned()), "{effects:?}");
    assert_eq!(
        states(scratch, &migrator),
        "ended_itself interrupted, ended_next pending"
    );

    // The next run does not repeat it, and says what to do.
    let told = up(scratch, &migrator);
    assert!(!told.events.iter().any(|event| event.starts_with("started")));
    let error = told.error();
    assert_eq!(error.kind(), FailureKind::Migration);
    assert!(error.next_step().unwrap().contains("resolve"));
    assert_eq!(scratch.effects(), effects);

    migrator
        .resolve(&mut scratch.connect(), "ended_itself", Resolution::Applied)
        .unwrap();
    assert_eq!(up(scratch, &migrator).done().applied, 1);
}

#[migration]
pub(crate) fn rolled_back_itself(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "before")?;
    db.batch_execute("ROLLBACK")
}

/// The record goes with the effect.
pub fn a_body_that_rolls_back_by_itself_is_not_applied(scratch: &Scratch) {
    let migrator = migrator(migrations![rolled_back_itself]);
    let told = up(scratch, &migrator);
    let error = told.error();
    assert!(
        chain(&error).contains("ended its own transaction"),
        "{}",
        chain(&error)
    );
    assert!(scratch.effects().is_empty());
    assert_ne!(states(scratch, &migrator), "rolled_back_itself applied");
}

#[migration]
pub(crate) fn unrecorded(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "unrecorded")
}

/// E-crash-atomic: where the record cannot be written, the effect is not there either.
pub fn an_effect_without_a_record_is_undone(scratch: &Scratch) {
    let warm_up = migrator(migrations![open_next]);
    up(scratch, &warm_up).done();
    let migrator = migrator(migrations![open_next, unrecorded]);
    for (install, remove) in saboteurs(scratch.backend) {
        scratch.sql(install);
        let error = up(scratch, &migrator).error();
        assert!(chain(&error).contains("sabotage"), "{}", chain(&error));
        assert_eq!(scratch.effects(), ["next"], "{install}");
        scratch.sql(remove);
        let state = states(scratch, &migrator);
        assert!(!state.contains("unrecorded applied"), "{state}");
    }
    assert_eq!(up(scratch, &migrator).done().applied, 1);
    assert_eq!(scratch.effects(), ["next", "unrecorded"]);
}

/// Triggers that refuse the record: the claim, and (where there is one) its completion.
fn saboteurs(backend: Backend) -> Vec<(&'static str, &'static str)> {
    match backend {
        Backend::Sqlite => vec![(
            "CREATE TRIGGER no_claim BEFORE INSERT ON migrate_history BEGIN SELECT RAISE(ABORT, 'sabotage'); END",
            "DROP TRIGGER no_claim",
        )],
        Backend::Postgres => vec![
            (
                "CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'sabotage'; END $$; \
                 CREATE TRIGGER no_claim BEFORE INSERT ON migrate_history FOR EACH ROW EXECUTE FUNCTION sabotage()",
                "DROP TRIGGER no_claim ON migrate_history",
            ),
            (
                "CREATE TRIGGER no_end BEFORE UPDATE ON migrate_history FOR EACH ROW \
                 WHEN (NEW.state = 'applied') EXECUTE FUNCTION sabotage()",
                "DROP TRIGGER no_end ON migrate_history",
            ),
            (
                // At the very last moment: in the commit itself.
                "CREATE CONSTRAINT TRIGGER no_commit AFTER UPDATE ON migrate_history DEFERRABLE INITIALLY DEFERRED \
                 FOR EACH ROW WHEN (NEW.state = 'applied') EXECUTE FUNCTION sabotage()",
                "DROP TRIGGER no_commit ON migrate_history",
            ),
        ],
        Backend::Mysql => vec![
            (
                "CREATE TRIGGER no_claim BEFORE INSERT ON migrate_history FOR EACH ROW \
                 SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'sabotage'",
                "DROP TRIGGER no_claim",
            ),
            (
                "CREATE TRIGGER no_end BEFORE UPDATE ON migrate_history FOR EACH ROW \
                 IF NEW.state = 'applied' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'sabotage'; END IF",
                "DROP TRIGGER no_end",
            ),
        ],
    }
}

#[migration]
pub(crate) fn group_first(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE group_table (id INTEGER PRIMARY KEY)")?;
    leave(db, "first")
}

#[migration]
pub(crate) fn group_deferred(db: &mut AnyConnection) -> QueryResult<Outcome> {
    leave(db, "deferred")?;
    Ok(if super::is_on(db, "ready") {
        Outcome::Done
    } else {
        Outcome::NotYet("later")
    })
}

#[migration(requires = [group_deferred])]
pub(crate) fn group_waits(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "waits")
}

#[migration]
pub(crate) fn group_last(db: &mut AnyConnection) -> QueryResult<()> {
    db.transaction(|db| leave(db, "last"))?;
    if super::is_on(db, "mended") {
        return Ok(());
    }
    db.batch_execute("INSERT INTO there_is_no_such_table VALUES (1)")
}

/// `up --atomic`: all or nothing, where the database can.
pub fn all_or_nothing(scratch: &Scratch) {
    let migrator = migrator(migrations![
        group_first,
        group_deferred,
        group_waits,
        group_last
    ]);
    let mut connection = scratch.connect();
    let mut run = || up_with(&mut connection, &migrator, &atomic());
    if scratch.backend == Backend::Mysql {
        let error = run().error();
        assert_eq!(error.kind(), FailureKind::Usage);
        assert!(
            chain(&error).contains("one transaction"),
            "{}",
            chain(&error)
        );
        assert!(error.next_step().unwrap().contains("--atomic"));
        assert!(scratch.effects().is_empty());
        assert!(!scratch.has_table("migrate_history"));
        return;
    }
    let error = run().error();
    assert!(chain(&error).contains("group_last"), "{}", chain(&error));
    assert!(scratch.effects().is_empty());
    assert!(!scratch.has_table("group_table"));
    assert_eq!(
        states(scratch, &migrator),
        "group_first pending, group_deferred pending, group_waits pending, group_last failed"
    );

    scratch.switch_on("mended");
    let told = run();
    assert_eq!(
        told.events,
        [
            "started group_first",
            "started group_deferred",
            "skipped group_waits: requires `group_deferred`, which was not applied",
            "started group_last",
            "applied group_first",
            "applied group_last",
            "deferred group_deferred: later",
        ]
    );
    assert_eq!(told.done().applied, 2);
    assert_eq!(scratch.effects(), ["first", "last"]);

    scratch.switch_on("ready");
    assert_eq!(run().done().applied, 2);
    assert_eq!(run().done().applied, 0);
    assert_eq!(scratch.effects(), ["deferred", "first", "last", "waits"]);
    let log = log(scratch, &migrator);
    assert_eq!(log[0], "failed group_last");
    assert_eq!(log[4..], ["applied group_deferred", "applied group_waits"]);
}

#[migration(transaction = none)]
pub(crate) fn group_outside(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "outside")
}

/// What runs outside a transaction cannot be in one: refused before anything runs.
pub fn all_or_nothing_refuses_what_runs_outside(scratch: &Scratch) {
    let migrator = migrator(migrations![open_next, group_outside]);
    let error = up_with(&mut scratch.connect(), &migrator, &atomic()).error();
    assert_eq!(error.kind(), FailureKind::Usage);
    if scratch.backend != Backend::Mysql {
        let said = chain(&error);
        assert!(said.contains("group_outside"), "{said}");
        assert!(said.contains("src/cases/transaction.rs:"), "{said}");
    }
    assert!(scratch.effects().is_empty());
    assert!(!scratch.has_table("migrate_history"));
}

/// The caller's own transaction is not ours to end.
pub fn a_connection_inside_a_transaction_is_refused(scratch: &Scratch) {
    let migrator = migrator(migrations![open_next]);
    let mut connection = scratch.connect();
    let error = connection
        .transaction(|db| {
            let error = migrator.up(db).unwrap_err();
            Ok::<_, diesel::result::Error>(error)
        })
        .unwrap();
    assert!(matches!(error, Error::OpenTransaction), "{error:?}");
    assert!(!scratch.has_table("migrate_history"));
}
