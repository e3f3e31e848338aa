//! What only SQLite does.

use std::{fs, thread, time::Duration};

use migrate_diesel::{
    Migrator,
    core::{FailureKind, frontend::UpRequest},
    migrations,
    prelude::*,
};

use super::{leave, schema::effects};
use crate::{
    database::{Scratch, texts},
    program,
    run::{chain, migrator, states, up, up_with},
};

#[migration(database = "file")]
pub(crate) fn file_table(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE made (id INTEGER PRIMARY KEY)")
}

/// To look at a database that is not there does not make it; `up` does.
pub fn a_file_comes_with_its_first_migration(scratch: &Scratch) {
    let path = scratch.directory().join("not yet.db");
    let url = migrate_diesel::core::DatabaseUrl::new(format!(
        "sqlite://{}",
        path.display().to_string().replace(' ', "%20")
    ));
    let mut deployment = program::open("file", url.clone()).unwrap();
    assert_eq!(deployment.status().unwrap().unapplied(), 1);
    assert_eq!(
        deployment.plan(&UpRequest::default()).unwrap().steps.len(),
        1
    );
    assert!(deployment.log(9).unwrap().is_empty());
    assert!(!path.exists());
    let report = deployment.up(&UpRequest::default(), &mut |_| {});
    assert_eq!(report.summary.applied, 1, "{report:?}");
    assert!(path.exists());
    assert_eq!(deployment.status().unwrap().unapplied(), 0);
    assert_eq!(program::up("file", url).summary.applied, 0);
}

/// A directory that is not there, and a file that is no database.
pub fn what_is_no_database_is_said(scratch: &Scratch) {
    let url = |path: &std::path::Path| {
        migrate_diesel::core::DatabaseUrl::new(format!("sqlite://{}", path.display()))
    };
    let nowhere = scratch.directory().join("nowhere/at all.db");
    let report = program::up("file", url(&nowhere));
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    assert!(failure.message.contains("at all.db"), "{failure:?}");

    let garbage = scratch.directory().join("garbage.db");
    fs::write(
        &garbage,
        "this is no database, but a text of some length, longer than a header",
    )
    .unwrap();
    let failure = match program::open("file", url(&garbage)) {
        Ok(mut deployment) => deployment.status().err().unwrap(),
        Err(failure) => failure,
    };
    let said = format!("{failure:?}");
    assert!(said.contains("not a database"), "{said}");
    assert_ne!(failure.kind, FailureKind::Migration);
    let text = fs::read_to_string(&garbage).unwrap();
    assert!(text.starts_with("this is no database"));
}

#[migration]
pub(crate) fn memory_table(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE remembered (id INTEGER PRIMARY KEY)")
}

/// For tests of an application: a database in memory.
pub fn a_database_in_memory(_: &Scratch) {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    let migrator = migrator(migrations![memory_table]);
    assert_eq!(migrator.up(&mut connection).unwrap().applied, 1);
    assert_eq!(migrator.up(&mut connection).unwrap().applied, 0);
    connection
        .batch_execute("SELECT id FROM remembered")
        .unwrap();
}

/// The journal is as it was.
pub fn the_journal_mode_survives(scratch: &Scratch) {
    let mode = |db: &mut AnyConnection| {
        texts(db, "SELECT journal_mode AS value FROM pragma_journal_mode").remove(0)
    };
    let mut connection = scratch.connect();
    assert_eq!(mode(&mut connection), "delete");
    let first = migrator(migrations![memory_table]);
    up_with(&mut connection, &first, &Default::default()).done();
    assert_eq!(mode(&mut connection), "delete");

    scratch.sql("PRAGMA journal_mode = WAL");
    let mut connection = scratch.connect();
    let second = migrator(migrations![memory_table, sqlite_vacuum]);
    assert_eq!(
        up_with(&mut connection, &second, &Default::default())
            .done()
            .applied,
        1
    );
    assert_eq!(mode(&mut connection), "wal");
}

#[migration(transaction = none)]
pub(crate) fn sqlite_vacuum(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("VACUUM")
}

/// The application writes while we deploy: we wait for it.
pub fn a_writer_is_waited_for(scratch: &Scratch) {
    let migrator = migrator(migrations![memory_table]);
    let mut writer = scratch.connect();
    writer.batch_execute("BEGIN IMMEDIATE").unwrap();
    leave(&mut writer, "written").unwrap();
    thread::scope(|scope| {
        let deployer = scope.spawn(|| up(scratch, &migrator));
        thread::sleep(Duration::from_millis(300));
        assert!(!deployer.is_finished());
        writer.batch_execute("COMMIT").unwrap();
        assert_eq!(deployer.join().unwrap().done().applied, 1);
    });
    assert_eq!(scratch.effects(), ["written"]);
}

#[migration]
pub(crate) fn sqlite_swallows(db: &mut SqliteConnection) -> QueryResult<()> {
    leave(db, "before")?;
    // Rolls back the whole transaction, and not the statement alone.
    let result = db.batch_execute("INSERT OR ROLLBACK INTO unique_one VALUES (1), (1)");
    assert!(result.is_err());
    Ok(())
}

/// A conflict that ends the transaction, and a body that ignores it: not applied.
pub fn a_swallowed_rollback_is_a_failure(scratch: &Scratch) {
    scratch.sql("CREATE TABLE unique_one (id INTEGER PRIMARY KEY)");
    let migrator = migrator(migrations![sqlite_swallows]);
    let error = up(scratch, &migrator).error();
    assert!(
        chain(&error).contains("sqlite_swallows"),
        "{}",
        chain(&error)
    );
    assert!(scratch.effects().is_empty());
    assert_ne!(states(scratch, &migrator), "sqlite_swallows applied");
}

#[migration]
pub(crate) fn sqlite_dsl(db: &mut Session<SqliteConnection>) -> QueryResult<()> {
    assert_eq!(db.backend(), "sqlite");
    diesel::insert_into(effects::table)
        .values(effects::name.eq("typed"))
        .execute(db)?;
    let names: Vec<String> = effects::table.select(effects::name).load(db)?;
    assert_eq!(names, ["typed"]);
    Ok(())
}

/// A session is a connection for Diesel's queries.
pub fn typed_queries_on_a_session(scratch: &Scratch) {
    let migrator: Migrator = migrator(migrations![sqlite_dsl]);
    assert_eq!(up(scratch, &migrator).done().applied, 1);
    assert_eq!(scratch.effects(), ["typed"]);
}
