//! Nothing that a body does to its session reaches the next one (E-session-isolation).

use migrate_diesel::{core::Failure, migrations, prelude::*};

use super::leave;
use crate::{
    database::{Backend, Scratch, number, texts},
    program,
    run::{migrator, up_with},
};

/// Everything that a session can remember, each as SQL that does it and SQL that sees it (a `value`
/// that is 0 where nothing is left).
fn traces(db: &AnyConnection) -> &'static [(&'static str, &'static str, &'static str)] {
    match Backend::of(db) {
        Backend::Sqlite => &[
            (
                "temporary table",
                "CREATE TEMP TABLE left_over (id INTEGER)",
                "SELECT count(*) AS value FROM sqlite_temp_master WHERE name = 'left_over'",
            ),
            (
                "temporary view",
                "CREATE TEMP VIEW left_view AS SELECT 1",
                "SELECT count(*) AS value FROM sqlite_temp_master WHERE name = 'left_view'",
            ),
            (
                "temporary trigger",
                "CREATE TEMP TRIGGER left_trigger AFTER INSERT ON switches BEGIN SELECT 1; END",
                "SELECT count(*) AS value FROM sqlite_temp_master WHERE name = 'left_trigger'",
            ),
            (
                "pragma",
                "PRAGMA recursive_triggers = 1; PRAGMA legacy_alter_table = 1",
                "SELECT recursive_triggers + (SELECT legacy_alter_table FROM pragma_legacy_alter_table) AS value \
                 FROM pragma_recursive_triggers",
            ),
        ],
        Backend::Postgres => &[
            (
                "temporary table",
                "CREATE TEMP TABLE left_over (id INTEGER)",
                "SELECT count(*) AS value FROM pg_class WHERE relname = 'left_over'",
            ),
            (
                "advisory lock",
                "SELECT pg_advisory_lock(77)",
                "SELECT count(*) AS value FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 \
                 AND pid = pg_backend_pid()",
            ),
            (
                "setting",
                "SET work_mem = '1MB'; SET TIME ZONE 'Asia/Tokyo'; SET my.own = 'x'; SET SESSION statement_timeout = '1h'",
                "SELECT count(*) AS value FROM pg_settings WHERE (name = 'work_mem' AND setting = '1024') \
                 OR (name = 'TimeZone' AND setting = 'Asia/Tokyo') OR (name = 'statement_timeout' AND setting <> '0') \
                 OR coalesce(current_setting('my.own', true), '') <> ''",
            ),
            (
                "search path",
                "SET search_path = pg_catalog",
                "SELECT count(*) AS value FROM pg_settings WHERE name = 'search_path' AND setting = 'pg_catalog'",
            ),
            (
                "cursor",
                "DECLARE left_over CURSOR WITH HOLD FOR SELECT 1",
                "SELECT count(*) AS value FROM pg_cursors WHERE name = 'left_over'",
            ),
            (
                "subscription",
                "LISTEN left_over",
                "SELECT count(*) AS value FROM pg_listening_channels()",
            ),
            (
                "role",
                "SET ROLE pg_read_all_data",
                "SELECT count(*) AS value FROM pg_roles WHERE rolname = current_user AND rolname = 'pg_read_all_data'",
            ),
        ],
        Backend::Mysql => &[
            (
                "temporary table",
                "CREATE TEMPORARY TABLE left_over (id INTEGER)",
                // Nothing lists them; a view of the same name can only be made beside one.
                "SELECT COUNT(*) AS value FROM information_schema.innodb_sys_tables WHERE 1 = 0",
            ),
            (
                "user variable",
                "SET @left_over = 1",
                "SELECT @left_over IS NOT NULL AS value",
            ),
            (
                "user-level lock",
                "DO GET_LOCK('left_over', 0)",
                "SELECT COALESCE(IS_USED_LOCK('left_over') = CONNECTION_ID(), 0) AS value",
            ),
            (
                "variable",
                "SET SESSION foreign_key_checks = 0, time_zone = '+09:00', sql_mode = 'ANSI_QUOTES'",
                "SELECT (@@foreign_key_checks = 0) + (@@time_zone = '+09:00') + (@@sql_mode = 'ANSI_QUOTES') AS value",
            ),
        ],
    }
}

fn leave_traces(db: &mut AnyConnection) -> QueryResult<()> {
    for (what, sql, seen) in traces(db) {
        db.batch_execute(sql)?;
        // A subscription begins with the commit.
        if *what != "subscription" && !seen.contains("WHERE 1 = 0") {
            assert_ne!(number(db, seen), 0, "the case sees no {what}");
        }
    }
    Ok(())
}

fn look_for_traces(db: &mut AnyConnection) -> Result<(), String> {
    let mut left = Vec::new();
    for (what, _, seen) in traces(db) {
        if number(db, seen) != 0 {
            left.push(*what);
        }
    }
    if Backend::of(db) == Backend::Mysql && db.batch_execute("SELECT * FROM left_over").is_ok() {
        left.push("temporary table");
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(left.join(", "))
    }
}

#[migration(database = "isolation")]
pub(crate) fn isolation_1_leaves(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "left")?;
    leave_traces(db)
}

#[migration(database = "isolation", requires = [isolation_1_leaves])]
pub(crate) fn isolation_2_looks(db: &mut AnyConnection) -> Result<(), String> {
    look_for_traces(db)
}

#[migration(database = "isolation", requires = [isolation_2_looks], transaction = none)]
pub(crate) fn isolation_3_leaves_outside(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "left outside")?;
    leave_traces(db)?;
    if Backend::of(db) == Backend::Sqlite {
        db.batch_execute("PRAGMA foreign_keys = OFF; ATTACH ':memory:' AS left_over")?;
    }
    Ok(())
}

#[migration(database = "isolation", requires = [isolation_3_leaves_outside], transaction = none)]
pub(crate) fn isolation_4_looks_outside(db: &mut AnyConnection) -> Result<(), String> {
    if Backend::of(db) == Backend::Sqlite {
        // The bundled SQLite has them on.
        if number(db, "SELECT foreign_keys AS value FROM pragma_foreign_keys") != 1 {
            return Err("foreign_keys".to_owned());
        }
        let attached =
            "SELECT count(*) AS value FROM pragma_database_list WHERE name = 'left_over'";
        if number(db, attached) != 0 {
            return Err("attached database".to_owned());
        }
    }
    look_for_traces(db)
}

#[migration(database = "isolation", requires = [isolation_4_looks_outside])]
pub(crate) fn isolation_5_leaves_again(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "left again")?;
    leave_traces(db)
}

#[migration(database = "isolation", requires = [isolation_5_leaves_again])]
pub(crate) fn isolation_6_fails(db: &mut AnyConnection) -> Result<(), String> {
    look_for_traces(db)?;
    leave_traces(db).map_err(|error| error.to_string())?;
    Err("as it should".to_owned())
}

#[migration(database = "isolation")]
pub(crate) fn isolation_7_looks_after_the_failure(db: &mut AnyConnection) -> Result<(), String> {
    look_for_traces(db)?;
    leave(db, "looked").map_err(|error| error.to_string())
}

/// As the program runs it: with a URL.
pub fn no_body_sees_what_another_left(scratch: &Scratch) {
    let mut deployment = program::open("isolation", scratch.url()).unwrap();
    let report = deployment.up(&crate::run::keep_going(), &mut |_| {});
    let failure: Failure = report.failure.unwrap();
    assert_eq!(failure.causes, ["as it should"], "{failure:?}");
    assert_eq!((report.summary.applied, report.summary.failed), (6, 1));
    assert_eq!(
        scratch.effects(),
        ["left", "left again", "left outside", "looked"]
    );
}

/// As a library, on the caller's connection. On MySQL, temporary tables, user variables and
/// user-level locks can only be got rid of by a new session, which needs a URL: documented.
pub fn no_body_sees_what_another_left_on_the_callers_connection(scratch: &Scratch) {
    if scratch.backend == Backend::Mysql {
        let migrator = migrator(migrations![variable_leaves, variable_looks]);
        up_with(&mut scratch.connect(), &migrator, &Default::default()).done();
        return;
    }
    let migrator = migrate_diesel::Migrator::new(migrations![
        isolation_1_leaves,
        isolation_2_looks,
        isolation_3_leaves_outside,
        isolation_4_looks_outside
    ])
    .unwrap()
    .database("isolation");
    let mut connection = scratch.connect();
    up_with(&mut connection, &migrator, &Default::default()).done();
    // Nor does the caller.
    look_for_traces(&mut connection).unwrap();
}

#[migration]
pub(crate) fn variable_leaves(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "left")?;
    db.batch_execute(
        "SET SESSION foreign_key_checks = 0, time_zone = '+09:00', sql_mode = 'ANSI_QUOTES'",
    )
}

#[migration(requires = [variable_leaves])]
pub(crate) fn variable_looks(db: &mut AnyConnection) -> Result<(), String> {
    let seen = "SELECT (@@foreign_key_checks = 0) + (@@time_zone = '+09:00') + (@@sql_mode = 'ANSI_QUOTES') AS value";
    match number(db, seen) {
        0 => Ok(()),
        left => Err(format!("{left} variables")),
    }
}

#[migration]
pub(crate) fn tenant_1(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE first (id INTEGER); SET search_path = pg_catalog; SET TIME ZONE 'UTC'",
    )
}

#[migration(requires = [tenant_1])]
pub(crate) fn tenant_2(db: &mut AnyConnection) -> QueryResult<()> {
    assert_eq!(
        texts(db, "SELECT current_setting('TimeZone') AS value"),
        ["Asia/Tokyo"]
    );
    db.batch_execute("CREATE TABLE second (id INTEGER); SET search_path = pg_catalog; RESET ALL")
}

/// PostgreSQL: what the caller has set is what every body finds, and what is there afterwards.
pub fn the_callers_settings_survive(scratch: &Scratch) {
    scratch.sql("CREATE SCHEMA \"Tenant 7\"");
    let mut connection = scratch.connect();
    connection
        .batch_execute(
            "SET search_path = \"Tenant 7\", public; SET TIME ZONE 'Asia/Tokyo'; SET application_name = 'mine'; \
             SET work_mem = '2MB'",
        )
        .unwrap();
    let migrator = migrator(migrations![tenant_1, tenant_2]);
    up_with(&mut connection, &migrator, &Default::default()).done();
    let settings = texts(
        &mut connection,
        "SELECT current_setting(name) AS value FROM pg_settings \
         WHERE name IN ('search_path', 'TimeZone', 'application_name', 'work_mem') ORDER BY lower(name)",
    );
    assert_eq!(
        settings,
        ["mine", "\"Tenant 7\", public", "Asia/Tokyo", "2MB"]
    );
    let tables = scratch.texts(
        "SELECT relname::text AS value FROM pg_class WHERE relnamespace = '\"Tenant 7\"'::regnamespace \
         AND relkind = 'r' AND relname IN ('first', 'second', 'migrate_history') ORDER BY 1",
    );
    assert_eq!(tables, ["first", "migrate_history", "second"]);
}
