//! What only MySQL and MariaDB do.

use std::{thread, time::Duration};

use migrate_diesel::{Error, Undone, migrations, prelude::*};

use super::{is_on, leave, schema::effects};
use crate::{
    database::Scratch,
    run::{chain, migrator, states, up, up_with},
};

#[migration]
pub(crate) fn my_half(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "before the DDL")?;
    db.batch_execute("CREATE TABLE half (id INTEGER)")?;
    leave(db, "after the DDL")?;
    if is_on(db, "mended") {
        return Ok(());
    }
    db.batch_execute("INSERT INTO there_is_no_such_table VALUES (1)")
}

/// DDL commits by itself what came before it; what came after it is rolled back. The failure says so.
pub fn a_failure_after_ddl_is_not_wholly_undone(scratch: &Scratch) {
    let migrator = migrator(migrations![my_half]);
    let told = up(scratch, &migrator);
    assert!(
        told.events[1].ends_with("(not undone)"),
        "{:?}",
        told.events
    );
    let error = told.error();
    let Error::Migration { undone, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*undone, Undone::NotEverything);
    assert!(error.next_step().unwrap().contains("stays"));
    assert_eq!(scratch.effects(), ["before the DDL"]);
    assert!(scratch.has_table("half"));
    assert_eq!(states(scratch, &migrator), "my_half failed");
    // Somebody cleans up, and it is tried again.
    scratch.sql("DROP TABLE half");
    scratch.sql("DELETE FROM effects");
    scratch.switch_on("mended");
    assert_eq!(up(scratch, &migrator).done().applied, 1);
    assert_eq!(scratch.effects(), ["after the DDL", "before the DDL"]);
}

#[migration]
pub(crate) fn my_steps(db: &mut Session<MysqlConnection>) -> QueryResult<()> {
    db.step("table", |db| {
        db.batch_execute("CREATE TABLE stepped (id INTEGER)")
    })?;
    db.step("rows", |db| leave(&mut **db, "rows"))?;
    db.batch_execute("INSERT INTO switches (name) SELECT 'first attempt' FROM (SELECT COUNT(*) AS n FROM switches) s WHERE s.n = 0")?;
    db.step("last", |db| {
        db.batch_execute("CREATE TABLE last_one AS SELECT id FROM last_source")
    })
}

/// Steps make a body of several DDL statements resumable: each is done once.
pub fn steps_resume_after_ddl(scratch: &Scratch) {
    let migrator = migrator(migrations![my_steps]);
    let error = up(scratch, &migrator).error();
    assert!(chain(&error).contains("last_source"), "{}", chain(&error));
    assert_eq!(states(scratch, &migrator), "my_steps failed");
    assert_eq!(scratch.effects(), ["rows"]);
    scratch.sql("CREATE TABLE last_source (id INTEGER)");
    assert_eq!(up(scratch, &migrator).done().applied, 1);
    assert_eq!(scratch.effects(), ["rows"]);
    assert!(scratch.has_table("last_one"));
}

#[migration]
pub(crate) fn my_victim(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "before")?;
    db.batch_execute("UPDATE duel SET n = n + 1 WHERE id = 1; DO SLEEP(0.5)")?;
    // InnoDB rolls back the whole transaction of a deadlock's victim, not the statement alone.
    let result = db.batch_execute("UPDATE duel SET n = n + 1 WHERE id = 2");
    assert!(result.is_err(), "no deadlock came about");
    leave(db, "after")
}

/// A deadlock's victim that ignores the error has lost everything before it: not applied.
pub fn a_swallowed_deadlock_is_a_failure(scratch: &Scratch) {
    scratch.sql("CREATE TABLE duel (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)");
    scratch.sql("INSERT INTO duel VALUES (1, 0), (2, 0)");
    scratch.sql("CREATE TABLE weight (id INTEGER PRIMARY KEY)");
    let migrator = migrator(migrations![my_victim]);
    let error = thread::scope(|scope| {
        let body = scope.spawn(|| up(scratch, &migrator).error());
        let mut rival = scratch.connect();
        // The victim is the transaction that has changed less.
        rival
            .batch_execute(
                "SET autocommit = 0; INSERT INTO weight SELECT seq FROM seq_1_to_500; \
                 UPDATE duel SET n = n + 10 WHERE id = 2",
            )
            .unwrap();
        while scratch.number(
            "SELECT COUNT(*) AS value FROM information_schema.processlist \
             WHERE db = DATABASE() AND info LIKE 'DO SLEEP%'",
        ) == 0
        {
            thread::sleep(Duration::from_millis(10));
        }
        rival
            .batch_execute("UPDATE duel SET n = n + 10 WHERE id = 1; COMMIT")
            .unwrap();
        body.join().unwrap()
    });
    let said = chain(&error);
    assert!(said.contains("my_victim"), "{said}");
    assert_ne!(states(scratch, &migrator), "my_victim applied");
    let left = scratch.effects();
    assert!(!left.contains(&"before".to_owned()), "{left:?}");
}

#[migration]
pub(crate) fn my_dsl(db: &mut Session<MysqlConnection>) -> QueryResult<()> {
    assert_eq!(db.backend(), "mysql");
    diesel::insert_into(effects::table)
        .values(effects::name.eq("typed"))
        .execute(db)?;
    let names: Vec<String> = effects::table.select(effects::name).load(db)?;
    assert_eq!(names, ["typed"]);
    Ok(())
}

/// A session is a connection for Diesel's queries.
pub fn typed_queries_on_a_session(scratch: &Scratch) {
    assert_eq!(
        up(scratch, &migrator(migrations![my_dsl])).done().applied,
        1
    );
    assert_eq!(scratch.effects(), ["typed"]);
}

#[migration(transaction = none)]
pub(crate) fn my_autocommit(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "committed at once")?;
    db.batch_execute("INSERT INTO there_is_no_such_table VALUES (1)")
}

/// `transaction = none` is autocommit, and the connection is given back so.
pub fn outside_a_transaction_every_statement_commits(scratch: &Scratch) {
    let migrator = migrator(migrations![my_autocommit]);
    let mut connection = scratch.connect();
    up_with(&mut connection, &migrator, &Default::default()).error();
    assert_eq!(scratch.effects(), ["committed at once"]);
    leave(&mut connection, "the caller has it").unwrap();
    assert_eq!(
        scratch.effects(),
        ["committed at once", "the caller has it"]
    );
}
