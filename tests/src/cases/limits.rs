//! How long statements may take, and what else a session is set to: for the run, and for one migration.

use std::time::{Duration, Instant};

use migrate_diesel::{
    BodyError, Error, TimeLimit,
    core::{FailureKind, frontend::DownTarget},
    migrations,
    prelude::*,
};

use super::leave;
use crate::{
    database::{
        Backend::{Mysql, Postgres, Sqlite},
        Scratch, texts,
    },
    run::{chain, migrator, up, up_with},
};

/// The limits of a session: of a statement, and of the wait for a lock, as the database writes them.
fn limits(db: &mut AnyConnection) -> String {
    let sql = match db {
        AnyConnection::Postgres(_) => {
            "SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') AS value"
        }
        AnyConnection::Mysql(_) => {
            "SELECT CONCAT(@@SESSION.max_statement_time, ' ', @@SESSION.lock_wait_timeout, ' ', @@SESSION.innodb_lock_wait_timeout) AS value"
        }
        _ => "SELECT CAST(timeout AS TEXT) AS value FROM pragma_busy_timeout",
    };
    texts(db, sql).remove(0)
}

fn leave_limits(db: &mut AnyConnection, who: &str) -> QueryResult<()> {
    let limits = limits(db);
    leave(db, &format!("{who}: {limits}"))
}

#[migration]
pub(crate) fn limits_1_none(db: &mut AnyConnection) -> QueryResult<()> {
    leave_limits(db, "1")
}

#[migration(requires = [limits_1_none], lock_timeout = "3s", down = show_limits)]
pub(crate) fn limits_2_lock(db: &mut AnyConnection) -> QueryResult<()> {
    leave_limits(db, "2")
}

fn show_limits(db: &mut AnyConnection) -> QueryResult<()> {
    leave_limits(db, "2 down")
}

#[migration(requires = [limits_2_lock], lock_timeout = "1m", transaction = none)]
pub(crate) fn limits_3_outside(db: &mut AnyConnection) -> QueryResult<()> {
    leave_limits(db, "3")
}

#[migration(requires = [limits_3_outside])]
pub(crate) fn limits_4_none(db: &mut AnyConnection) -> QueryResult<()> {
    leave_limits(db, "4")
}

/// They hold for one body, up or down, and not for the next; the caller gets back what it had.
pub fn of_one_migration(scratch: &Scratch) {
    let migrator = migrator(migrations![
        limits_1_none,
        limits_2_lock,
        limits_3_outside,
        limits_4_none
    ]);
    let mut db = scratch.connect();
    let before = limits(&mut db);
    assert_eq!(
        up_with(&mut db, &migrator, &Default::default())
            .done()
            .applied,
        4
    );
    assert_eq!(limits(&mut db), before);
    let expected = match scratch.backend {
        Sqlite => ["5000", "3000", "60000", "5000"].map(str::to_owned),
        Postgres => ["0 0", "0 3s", "0 1min", "0 0"].map(str::to_owned),
        Mysql => {
            let statement = before.split(' ').next().unwrap();
            let own = |seconds: u32| format!("{statement} {seconds} {seconds}");
            [before.clone(), own(3), own(60), before.clone()]
        }
    };
    let expected: Vec<String> = (1..)
        .zip(&expected)
        .map(|(n, it)| format!("{n}: {it}"))
        .collect();
    assert_eq!(scratch.effects(), expected);

    scratch.sql("DELETE FROM effects");
    scratch.sql(
        "DELETE FROM migrate_history WHERE id LIKE '%limits_3_outside' OR id LIKE '%limits_4_none'",
    );
    let summary = migrator.down(&mut db, DownTarget::Steps(1)).unwrap();
    assert_eq!(summary.reverted, 1);
    let of_body = expected[1].replace("2: ", "2 down: ");
    assert_eq!(scratch.effects(), [of_body]);
    assert_eq!(limits(&mut db), before);
}

/// As `of_one_migration`, where the migration fails.
pub fn of_one_that_fails(scratch: &Scratch) {
    let failing = migrator(migrations![limits_failing]);
    let mut db = scratch.connect();
    let before = limits(&mut db);
    let error = up_with(&mut db, &failing, &Default::default()).error();
    assert!(chain(&error).contains("on purpose"), "{}", chain(&error));
    assert_eq!(limits(&mut db), before);
}

#[migration(lock_timeout = "7s")]
pub(crate) fn limits_failing(db: &mut AnyConnection) -> Result<(), String> {
    leave_limits(db, "failing").map_err(|error| error.to_string())?;
    // On PostgreSQL, so that the transaction is given up.
    let _ = db.batch_execute("SELECT nothing FROM nowhere");
    Err("on purpose".to_owned())
}

/// For all bodies, unless their own is another; the caller gets back what it had.
pub fn of_the_run(scratch: &Scratch) {
    let mut it =
        migrator(migrations![limits_1_none, limits_2_lock]).lock_timeout(Duration::from_secs(8));
    if scratch.backend != Sqlite {
        it = it.statement_timeout(Duration::from_secs(90));
    }
    let mut db = scratch.connect();
    let before = limits(&mut db);
    assert_eq!(up_with(&mut db, &it, &Default::default()).done().applied, 2);
    assert_eq!(limits(&mut db), before);
    let expected = match scratch.backend {
        Sqlite => ["1: 8000", "2: 3000"],
        Postgres => ["1: 90s 8s", "2: 90s 3s"],
        Mysql => ["1: 90.000000 8 8", "2: 90.000000 3 3"],
    };
    assert_eq!(scratch.effects(), expected);
}

#[migration(statement_timeout = "300ms")]
pub(crate) fn limits_slow(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "slow")?;
    db.batch_execute(match db {
        AnyConnection::Postgres(_) => "SELECT pg_sleep(20)",
        _ => "INSERT INTO effects (name) SELECT SLEEP(20) FROM (SELECT 1) one",
    })
}

/// The error says which setting ended the statement.
pub fn a_statement_that_takes_too_long(scratch: &Scratch) {
    let began = Instant::now();
    let error = up(scratch, &migrator(migrations![limits_slow])).error();
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(
        chain(&error).contains(
            "a statement took longer than `statement_timeout = \"300ms\"` of this migration allows"
        ),
        "{}",
        chain(&error)
    );
    assert!(is_timeout(&error, TimeLimit::Statement));
    assert!(scratch.effects().is_empty());

    let of_run = migrator(migrations![limits_unlimited])
        .statement_timeout(Duration::from_millis(300))
        .history_table("of_the_run");
    let error = up(scratch, &of_run).error();
    assert!(
        chain(&error).contains("`statement_timeout = \"300ms\"` of the run"),
        "{}",
        chain(&error)
    );
}

#[migration]
pub(crate) fn limits_unlimited(db: &mut AnyConnection) -> QueryResult<()> {
    limits_slow(db)
}

#[migration(lock_timeout = "1s")]
pub(crate) fn limits_waiting(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("UPDATE switches SET name = 'mine'")
}

/// The error says which setting ended the wait, and who holds locks.
pub fn a_lock_that_is_waited_for_too_long(scratch: &Scratch) {
    scratch.switch_on("theirs");
    let mut holder = scratch.connect();
    holder
        .batch_execute("BEGIN; UPDATE switches SET name = 'held'")
        .unwrap();
    let who = match &holder {
        AnyConnection::Postgres(_) => "SELECT 'pid ' || pg_backend_pid() AS value",
        _ => "SELECT CONCAT('connection ', CONNECTION_ID()) AS value",
    };
    let who = texts(&mut holder, who).remove(0);
    let migrator = migrator(migrations![limits_waiting]);
    let error = up(scratch, &migrator).error();
    let said = chain(&error);
    assert!(
        said.contains("waited longer for a lock than `lock_timeout = \"1s\"` of this migration"),
        "{said}"
    );
    assert!(
        said.contains(&format!("locks are held by {who} (")),
        "{said}"
    );
    assert!(
        said.contains("idle in transaction") || said.contains("idle in a transaction"),
        "{said}"
    );
    assert!(is_timeout(&error, TimeLimit::Lock));
    holder.batch_execute("ROLLBACK").unwrap();
    assert_eq!(up(scratch, &migrator).done().applied, 1);
}

fn is_timeout(error: &Error, wanted: TimeLimit) -> bool {
    matches!(error, Error::Migration { source: BodyError::TimedOut { limit, .. }, .. } if *limit == wanted)
}

/// Refused before anything is run, with the place and the reason.
pub fn what_sqlite_cannot_limit(scratch: &Scratch) {
    let error = up(scratch, &migrator(migrations![limits_1_none, limits_slow])).error();
    assert_eq!(error.kind(), FailureKind::Usage);
    let said = chain(&error);
    assert!(
        said.contains("limits_slow` (") && said.contains("limits.rs:"),
        "{said}"
    );
    assert!(
        said.contains("SQLite has nothing that ends a statement"),
        "{said}"
    );
    assert!(scratch.effects().is_empty());

    let of_run = migrator(migrations![limits_1_none]).statement_timeout(Duration::from_secs(1));
    let error = up(scratch, &of_run).error();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert!(scratch.effects().is_empty());
}

/// Where there are no schemas.
pub fn a_search_path_that_cannot_be(scratch: &Scratch) {
    let error = up(
        scratch,
        &migrator(migrations![limits_1_none]).search_path("app"),
    )
    .error();
    assert_eq!(error.kind(), FailureKind::Usage);
    assert!(chain(&error).contains("`search_path`"), "{}", chain(&error));
    assert!(scratch.effects().is_empty());
}

#[migration]
pub(crate) fn limits_search_path(db: &mut PgConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE found AS SELECT current_setting('application_name') AS name")
}

/// Names are looked up there, the history's too, and bodies and callers find their own again.
pub fn a_search_path_and_a_name(scratch: &Scratch) {
    scratch.sql("CREATE SCHEMA app");
    let migrator = migrator(migrations![limits_search_path])
        .search_path("app")
        .application_name("shop deploy");
    let mut db = scratch.connect();
    let session = "SELECT current_setting('search_path') || ' ' || current_setting('application_name') AS value";
    let before = texts(&mut db, session);
    assert_eq!(
        up_with(&mut db, &migrator, &Default::default())
            .done()
            .applied,
        1
    );
    assert_eq!(texts(&mut db, session), before);
    assert!(
        scratch.has_table("app.migrate_history") && !scratch.has_table("public.migrate_history")
    );
    let name = scratch
        .texts("SELECT name AS value FROM app.found")
        .remove(0);
    assert!(
        name.starts_with(&format!("shop deploy {}@", std::process::id())),
        "{name}"
    );
    assert!(migrator.status(&mut db).unwrap().unapplied() == 0);
    assert_eq!(texts(&mut db, session), before);
}
