//! What only PostgreSQL does.

use std::{sync::mpsc, thread, time::Duration};

use migrate_diesel::{
    BodyError, Error,
    core::{FailureKind, frontend::UpRequest, report::Event},
    migrations,
    prelude::*,
};

use super::{leave, schema::effects};
use crate::{
    database::Scratch,
    run::{chain, migrator, states, up, up_with},
};

#[migration]
pub(crate) fn pg_swallows(db: &mut PgConnection) -> Result<(), String> {
    leave(db, "before").map_err(|error| error.to_string())?;
    // The transaction is given up from here on, and COMMIT would be a silent ROLLBACK.
    let _ = db.batch_execute("SELECT * FROM there_is_no_such_table");
    Ok(())
}

#[migration]
pub(crate) fn pg_swallows_in_savepoint(db: &mut Session<PgConnection>) -> QueryResult<()> {
    let tried = db.transaction(|db| db.batch_execute("SELECT * FROM there_is_no_such_table"));
    assert!(tried.is_err());
    leave(&mut **db, "went on")
}

/// A database error that the body ignored: not applied, whatever the body says; in a savepoint, it may.
pub fn a_swallowed_error_is_a_failure(scratch: &Scratch) {
    let bad = migrator(migrations![pg_swallows_in_savepoint, pg_swallows]);
    let mut connection = scratch.connect();
    let told = up_with(&mut connection, &bad, &crate::run::keep_going());
    let error = told.error();
    let Error::Migration { id, source, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(id, "migrate_tests:pg_swallows");
    assert!(matches!(source, BodyError::Swallowed), "{source:?}");
    assert!(chain(&error).contains("ignored it"), "{}", chain(&error));
    assert_eq!(scratch.effects(), ["went on"]);
    assert_eq!(
        states(scratch, &bad),
        "pg_swallows failed, pg_swallows_in_savepoint applied"
    );
}

#[migration]
pub(crate) fn pg_deferred_constraint(db: &mut PgConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE parents (id INT PRIMARY KEY); \
         CREATE TABLE children (parent INT REFERENCES parents DEFERRABLE INITIALLY DEFERRED); \
         INSERT INTO children VALUES (7)",
    )
}

#[migration]
pub(crate) fn pg_after_deferred(db: &mut PgConnection) -> QueryResult<()> {
    leave(db, "after")
}

/// What fails only in the commit is a failure of its migration, not of the next one.
pub fn a_failing_commit_is_a_failure(scratch: &Scratch) {
    let migrator = migrator(migrations![pg_deferred_constraint, pg_after_deferred]);
    let told = up_with(&mut scratch.connect(), &migrator, &crate::run::keep_going());
    assert!(
        told.events
            .iter()
            .any(|event| event.starts_with("failed pg_deferred_constraint")),
        "{:?}",
        told.events
    );
    let error = told.error();
    let Error::Migration { source, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(source, BodyError::Commit(_)), "{source:?}");
    assert!(
        chain(&error).contains("children_parent_fkey"),
        "{}",
        chain(&error)
    );
    assert!(!scratch.has_table("parents"));
    assert_eq!(
        states(scratch, &migrator),
        "pg_deferred_constraint failed, pg_after_deferred applied"
    );
}

#[migration]
pub(crate) fn pg_concurrent_table(db: &mut PgConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE indexed (id INT)")
}

#[migration(requires = [pg_concurrent_table], transaction = none)]
pub(crate) fn pg_concurrent_index(db: &mut PgConnection) -> QueryResult<()> {
    // It waits for every older snapshot: hangs for ever where somebody waits inside a transaction.
    db.batch_execute("SET statement_timeout = '20s'")?;
    db.batch_execute("CREATE INDEX CONCURRENTLY indexed_by_id ON indexed (id)")
}

/// `CREATE INDEX CONCURRENTLY` while another deployer waits for the lock.
pub fn an_index_is_built_concurrently_while_another_waits(scratch: &Scratch) {
    let migrator = || {
        let list = migrations![pg_concurrent_table, pg_concurrent_index];
        crate::run::migrator(list)
    };
    let mut waiter = scratch.connect();
    let (at_index, reached) = mpsc::channel();
    let (waits, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let first = scope.spawn(move || {
            let mut observer = move |event| {
                if matches!(event, Event::Started { position: 2, .. }) {
                    at_index.send(()).unwrap();
                    waiting.recv_timeout(Duration::from_secs(30)).unwrap();
                }
            };
            let mut connection = scratch.connect();
            migrator().up_with(&mut connection, &UpRequest::default(), &mut observer)
        });
        reached.recv_timeout(Duration::from_secs(30)).unwrap();
        let second = scope.spawn(move || {
            let mut observer = move |event| {
                if matches!(event, Event::Waiting { .. }) {
                    // Told again every second; the first one is enough.
                    let _ = waits.send(());
                }
            };
            migrator().up_with(&mut waiter, &UpRequest::default(), &mut observer)
        });
        assert_eq!(first.join().unwrap().unwrap().applied, 2);
        assert_eq!(second.join().unwrap().unwrap().applied, 0);
    });
    let valid = "SELECT count(*) AS value FROM pg_index WHERE indisvalid AND indexrelid = 'indexed_by_id'::regclass";
    assert_eq!(scratch.number(valid), 1);
}

#[migration(requires = [pg_concurrent_table])]
pub(crate) fn pg_concurrent_in_transaction(db: &mut PgConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX CONCURRENTLY indexed_by_id ON indexed (id)")
}

/// The database's own words say why.
pub fn a_concurrent_index_needs_no_transaction(scratch: &Scratch) {
    let migrator = migrator(migrations![
        pg_concurrent_table,
        pg_concurrent_in_transaction
    ]);
    let error = up(scratch, &migrator).error();
    assert!(
        chain(&error).contains("cannot run inside a transaction block"),
        "{}",
        chain(&error)
    );
}

#[migration(transaction = none)]
pub(crate) fn pg_outside_first(db: &mut PgConnection) -> QueryResult<()> {
    leave(db, "outside")
}

#[migration(requires = [pg_outside_first])]
pub(crate) fn pg_outside_next_fails(db: &mut PgConnection) -> QueryResult<()> {
    db.batch_execute("SELECT * FROM there_is_no_such_table")
}

/// What was finished outside a transaction stays recorded when the next one fails.
pub fn a_failure_takes_nothing_back_that_came_before_it(scratch: &Scratch) {
    let migrator = migrator(migrations![pg_outside_first, pg_outside_next_fails]);
    for _ in 0..2 {
        up(scratch, &migrator).error();
        assert_eq!(
            states(scratch, &migrator),
            "pg_outside_first applied, pg_outside_next_fails failed"
        );
        assert_eq!(scratch.effects(), ["outside"]);
    }
}

/// The schema of the history table is not ours to create.
pub fn a_history_in_a_schema_that_is_not_there(scratch: &Scratch) {
    let migrator = migrator(migrations![pg_after_deferred]).history_table("ops.history");
    assert_eq!(states(scratch, &migrator), "pg_after_deferred pending");
    let error = up(scratch, &migrator).error();
    assert_eq!(error.kind(), FailureKind::Usage);
    let said = chain(&error);
    assert!(
        said.contains("`ops.history`") && said.contains("schema \"ops\" does not exist"),
        "{said}"
    );
    assert!(scratch.effects().is_empty());
}

#[migration]
pub(crate) fn pg_dsl(db: &mut Session<PgConnection>) -> QueryResult<()> {
    assert_eq!(db.backend(), "postgres");
    assert_eq!(db.migration().name(), "pg_dsl");
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
        up(scratch, &migrator(migrations![pg_dsl])).done().applied,
        1
    );
    assert_eq!(scratch.effects(), ["typed"]);
}
