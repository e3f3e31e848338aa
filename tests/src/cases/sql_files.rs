//! `migrations_dir!`: directories of SQL files of each tool, as nodes of the graph.

use std::collections::BTreeMap;

use migrate_diesel::{
    AnyConnection, Error, Migrator,
    core::{
        Failure, FailureKind, OnChanged,
        adopt::{AdoptRequest, Fate, Tool},
        frontend::{DownTarget, UpRequest},
        report::{ProblemKind, Rehearsal},
    },
    migrations, migrations_dir,
    prelude::*,
};

use super::leave;
use crate::{
    database::{Backend, Scratch},
    program,
    run::{chain, migrator, states, up},
};

pub(crate) mod diesel_files {
    super::migrations_dir!(
        "sql/diesel",
        format = diesel,
        rename = { "2024-01-03-000000_sql_index" = "sql_index_2" }
    );
}

pub(crate) mod refinery_files {
    super::migrations_dir!(
        "sql/refinery",
        format = refinery,
        requires = [super::diesel_files::sql_index_2]
    );
}

pub(crate) mod sqlx_files {
    super::migrations_dir!("sql/sqlx", format = sqlx);
}

pub(crate) mod plain_files {
    super::migrations_dir!("sql/plain", format = plain);
}

pub(crate) mod postgres_files {
    super::migrations_dir!(
        "sql/refinery",
        format = refinery,
        backend = postgres,
        prefix = "pg_"
    );
}

pub(crate) mod concurrent_files {
    super::migrations_dir!(
        "sql/postgres",
        format = plain,
        backend = postgres,
        database = "sql_concurrent"
    );
}

/// A function requires a file.
#[migration(requires = [diesel_files::sql_users])]
pub(crate) fn sql_users_in_code(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "in code")
}

fn of_diesel() -> Migrator {
    migrator(migrations![
        sql_users_in_code,
        diesel_files::sql_index_2,
        diesel_files::sql_index,
        diesel_files::sql_users,
    ])
}

fn of_sqlx() -> Migrator {
    migrator(migrations![
        sqlx_files::sql_orders,
        sqlx_files::sql_nothing,
        sqlx_files::sql_outside,
    ])
}

fn of_refinery() -> Migrator {
    migrator(migrations![
        diesel_files::sql_users,
        diesel_files::sql_index,
        diesel_files::sql_index_2,
        refinery_files::sql_items,
        refinery_files::sql_late,
    ])
}

/// In the order of the directory, with what the files say of themselves, and functions among them.
pub fn files_are_nodes(scratch: &Scratch) {
    let migrator = of_diesel();
    let plan = migrator.plan(&mut scratch.connect()).unwrap();
    let ids: Vec<&str> = plan.steps.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids[0], "migrate_tests:sql_users");
    assert_eq!(plan.steps[0].description, "Accounts, in SQL.");
    assert_eq!(
        plan.steps[0].location.to_string(),
        "tests/sql/diesel/2024-01-01-000000_sql_users/up.sql:1"
    );
    let atomic = |id: &str| {
        plan.steps
            .iter()
            .find(|it| it.id.ends_with(id))
            .unwrap()
            .atomic
    };
    assert!(!atomic(":sql_index"), "`run_in_transaction = false`");
    assert_eq!(
        atomic(":sql_index_2"),
        scratch.backend.has_transactional_ddl()
    );
    assert_eq!(up(scratch, &migrator).done().applied, 4);
    assert!(scratch.has_table("sql_users"));
    assert_eq!(
        scratch.effects(),
        ["in code", "index", "second index", "users"]
    );
    assert_eq!(up(scratch, &migrator).done().applied, 0);

    let migrator = of_refinery();
    scratch.sql("DELETE FROM migrate_history WHERE id = 'migrate_tests:sql_users_in_code'");
    assert_eq!(up(scratch, &migrator).done().applied, 2);
    assert!(scratch.effects().contains(&"late".to_owned()));
}

/// By `down.sql`; a `down.sql` without a statement is none.
pub fn files_are_reverted(scratch: &Scratch) {
    let all = of_diesel();
    up(scratch, &all).done();
    let error = all
        .down(&mut scratch.connect(), DownTarget::Steps(4))
        .unwrap_err();
    assert!(chain(&error).contains("sql_index_2"), "{}", chain(&error));
    assert_eq!(scratch.effects().len(), 4);

    scratch.sql("DELETE FROM migrate_history WHERE id IN ('migrate_tests:sql_users_in_code', 'migrate_tests:sql_index_2')");
    let two = migrator(migrations![
        diesel_files::sql_users,
        diesel_files::sql_index
    ]);
    let summary = two
        .down(&mut scratch.connect(), DownTarget::Steps(2))
        .unwrap();
    assert_eq!(summary.reverted, 2);
    assert!(!scratch.has_table("sql_users"));
    assert_eq!(scratch.effects(), ["in code", "second index"]);
}

/// sqlx's way to say it; and what consists of a comment does nothing.
pub fn files_say_that_they_run_outside(scratch: &Scratch) {
    let migrator = of_sqlx();
    assert_eq!(up(scratch, &migrator).done().applied, 3);
    assert_eq!(scratch.effects(), ["orders", "outside"]);
    let plan = of_sqlx();
    let graph = plan.graph().unwrap();
    let outside = graph
        .iter()
        .filter(|it| it.transaction == migrate_diesel::core::TransactionMode::None);
    assert_eq!(
        outside.map(|it| it.id.name()).collect::<Vec<_>>(),
        ["sql_outside"]
    );
}

/// A later statement of a text counts as well as the first.
pub fn a_failing_file_is_undone(scratch: &Scratch) {
    let migrator = migrator(migrations![plain_files::sql_first, plain_files::sql_broken]);
    let error = up(scratch, &migrator).error();
    assert!(
        matches!(&error, Error::Migration { id, .. } if id == "migrate_tests:sql_broken"),
        "{error:?}"
    );
    assert!(chain(&error).contains("sql_not_there"), "{}", chain(&error));
    let failure = Failure::from(error);
    assert_eq!(
        failure.location.unwrap().file,
        "tests/sql/plain/2_sql_broken.sql"
    );
    assert_eq!(scratch.effects(), ["first"]);
    assert_eq!(
        states(scratch, &migrator),
        "sql_first applied, sql_broken failed"
    );
}

/// On whatever connection there is, without a word about its type.
pub fn files_run_on_a_callers_connection(scratch: &Scratch) {
    let migrator = of_sqlx();
    let summary = match scratch.connect() {
        AnyConnection::Sqlite(mut it) => migrator.up(&mut it),
        AnyConnection::Postgres(mut it) => migrator.up(&mut it),
        AnyConnection::Mysql(mut it) => migrator.up(&mut it),
        other @ AnyConnection::Other(_) => (scratch.foreign().unwrap().up)(&migrator, other),
    };
    assert_eq!(summary.unwrap().applied, 3);
}

/// `backend = postgres`.
pub fn files_of_one_backend(scratch: &Scratch) {
    let migrator = migrator(migrations![
        postgres_files::sql_items,
        postgres_files::sql_late
    ]);
    if scratch.backend == Backend::Postgres {
        assert_eq!(up(scratch, &migrator).done().applied, 2);
        assert_eq!(
            states(scratch, &migrator),
            "pg_sql_items applied, pg_sql_late applied"
        );
        return;
    }
    let error = up(scratch, &migrator).error();
    assert!(matches!(error, Error::WrongBackend { .. }), "{error:?}");
    let problems = Failure::from(error).problems;
    assert_eq!(problems.len(), 2);
    let said = &problems[0].message;
    assert!(
        said.contains("tests/sql/refinery/V1__sql_items.sql:1) is SQL of postgres"),
        "{said}"
    );
    assert!(scratch.effects().is_empty());
}

/// Nothing is around a file that says so; a dry run shows the text of the others.
pub fn a_file_builds_an_index_concurrently(scratch: &Scratch) {
    let mut deployment = program::open("sql_concurrent", scratch.url()).unwrap();
    let plan = deployment.rehearse(&UpRequest::default()).unwrap();
    let [indexed, concurrently] = plan.steps.as_slice() else {
        panic!("{plan:?}");
    };
    let text = include_str!("../../sql/postgres/1_sql_indexed.sql");
    match indexed.rehearsal.as_ref().unwrap() {
        Rehearsal::Ran(ran) => {
            let sql: Vec<&str> = ran.statements.iter().map(|it| it.sql.as_str()).collect();
            assert_eq!(sql, [text]);
            assert_eq!(ran.rows, Some(1));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(concurrently.description, "Does not lock the table.");
    assert!(matches!(
        concurrently.rehearsal.as_ref().unwrap(),
        Rehearsal::NotShown(_)
    ));
    assert!(!scratch.has_table("sql_indexed"));

    let migrator = migrator(migrations![
        concurrent_files::sql_indexed,
        concurrent_files::sql_concurrently
    ])
    .database("sql_concurrent");
    assert_eq!(up(scratch, &migrator).done().applied, 2);
    assert!(scratch.has_table("sql_by_email"));
    let summary = migrator.down(&mut scratch.connect(), DownTarget::Steps(1));
    assert_eq!(summary.unwrap().reverted, 1);
    assert!(!scratch.has_table("sql_by_email"));
}

/// Changed text stops before anything runs, until a person says that it does no harm.
pub fn changed_text_stops(scratch: &Scratch) {
    up(scratch, &migrator(migrations![sqlx_files::sql_orders])).done();
    let change = "UPDATE migrate_history SET fingerprint = '00000000deadbeef'";
    scratch.sql(change);
    let refuses = |migrator: &Migrator| {
        let error = up(scratch, migrator).error();
        assert_eq!(error.kind(), FailureKind::Disagreement);
        let failure = Failure::from(error);
        assert_eq!(failure.problems[0].kind, ProblemKind::Changed);
        let said = &failure.problems[0].message;
        assert!(said.contains("its SQL changed"), "{said}");
        assert!(failure.next_step.unwrap().contains("accept ID"));
        assert_eq!(scratch.effects(), ["orders"]);
    };
    refuses(&of_sqlx());
    refuses(&migrator(migrations![sqlx_files::sql_orders]));
    refuses(&of_sqlx().on_changed(OnChanged::Refuse));

    let told = up(scratch, &of_sqlx().on_changed(OnChanged::Warn));
    assert!(
        told.events
            .contains(&"warning sql_orders: changed".to_owned()),
        "{told:?}"
    );
    assert_eq!(told.done().applied, 2);

    let check = of_sqlx().check(&mut scratch.connect()).unwrap();
    assert_eq!(check.problems.len(), 1);
    scratch.sql(&format!("{change} WHERE id = 'migrate_tests:sql_orders'"));
    let mut connection = scratch.connect();
    of_sqlx()
        .accept(&mut connection, &["sql_orders"], "a semicolon")
        .unwrap();
    assert_eq!(up(scratch, &of_sqlx()).done().applied, 0);
}

/// The rows that a tool would have written for its directory.
fn history_of(scratch: &Scratch, tool: Tool) {
    let zoned = match scratch.backend {
        Backend::Postgres => "TIMESTAMPTZ",
        _ => "TIMESTAMP",
    };
    match tool {
        Tool::Diesel => {
            scratch.sql(diesel::migration::CREATE_MIGRATIONS_TABLE);
            scratch.sql(
                "INSERT INTO __diesel_schema_migrations (version) VALUES ('20240101000000'), ('20240102000000'), \
                 ('20240103000000')",
            );
        }
        Tool::Refinery => {
            scratch.sql(
                "CREATE TABLE refinery_schema_history(version INTEGER PRIMARY KEY, name VARCHAR(255), \
                 applied_on VARCHAR(255), checksum VARCHAR(255))",
            );
            scratch.sql(
                "INSERT INTO refinery_schema_history VALUES (1, 'sql_items', '2024-01-01T10:00:00Z', '1'), \
                 (2, 'sql_late', '2024-01-02T10:00:00Z', '2')",
            );
        }
        _ => {
            scratch.sql(&format!(
                "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                 installed_on {zoned} NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL)"
            ));
            scratch.sql(
                "INSERT INTO _sqlx_migrations (version, description, success) VALUES \
                 (20240101000000, 'sql orders', TRUE), (20240102000000, 'sql nothing', TRUE), \
                 (20240103000000, 'sql outside', TRUE)",
            );
        }
    }
}

/// No map, no names: each file knows under which name its tool recorded it.
pub fn files_are_adopted_as_they_are(scratch: &Scratch) {
    let migrator = migrator(migrations![
        diesel_files::sql_users,
        diesel_files::sql_index,
        diesel_files::sql_index_2,
        refinery_files::sql_items,
        refinery_files::sql_late,
        sqlx_files::sql_orders,
        sqlx_files::sql_nothing,
        sqlx_files::sql_outside,
    ]);
    for tool in [Tool::Diesel, Tool::Refinery, Tool::Sqlx] {
        history_of(scratch, tool);
        let request = AdoptRequest {
            tool,
            table: None,
            map: BTreeMap::new(),
            names: Vec::new(),
            wait: None,
        };
        let adoption = migrator.adopt(&mut scratch.connect(), &request).unwrap();
        let mut fates = adoption.rows.iter().map(|it| it.fate);
        assert!(fates.all(|it| it == Fate::Record), "{adoption:?}");
    }
    let told = up(scratch, &migrator).done();
    assert_eq!((told.applied, told.already_applied), (0, 8));
    assert!(scratch.effects().is_empty());
    let check = migrator.check(&mut scratch.connect()).unwrap();
    assert!(check.problems.is_empty(), "{check:?}");
}
