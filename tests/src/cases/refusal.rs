//! Databases that cannot be reached, written to or talked to by these bodies.

use std::net::TcpListener;

use migrate_diesel::{
    AnyConnection, Error, Migrator,
    core::{DatabaseUrl, Failure, FailureKind, NodeRef, frontend::UpRequest},
    migrations,
    prelude::*,
};

use super::leave;
use crate::{
    database::{Backend, Scratch},
    program,
    run::{chain, migrator, up},
};

#[migration(database = "refusal")]
pub(crate) fn refusal_any(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "any")
}

const SECRET: &str = "correct-horse-battery";

fn assert_unreachable(url: &DatabaseUrl) {
    let failure = program::open("refusal", url.clone()).err().unwrap();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    assert!(failure.next_step.is_some());
    assert!(!failure.causes.is_empty(), "the driver's reason is told");
    let error = AnyConnection::open(url).err().unwrap();
    for said in [
        format!("{failure}"),
        format!("{failure:?}"),
        format!("{error} {error:?} {}", chain(&error)),
        format!("{url} {url:?}"),
    ] {
        assert!(!said.contains(SECRET), "{said}");
    }
    assert!(failure.message.contains("***"), "{failure}");
}

/// Wrong password, no such database, no such user, no server: the password is nowhere in the text.
pub fn what_cannot_be_reached_is_said_without_the_password(scratch: &Scratch) {
    let user = match scratch.backend {
        Backend::Postgres => "postgres",
        _ => "migrate",
    };
    assert_unreachable(&scratch.url_as(user, SECRET));
    assert_unreachable(&scratch.url_as("nobody", SECRET));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let scheme = scratch.url().scheme().unwrap().to_owned();
    assert_unreachable(&DatabaseUrl::new(format!(
        "{scheme}://me:{SECRET}@{address}/shop"
    )));

    let url = scratch.url();
    let unknown = url
        .reveal()
        .replace(scratch.name(), "there_is_no_such_database");
    let failure = program::open("refusal", DatabaseUrl::new(unknown))
        .err()
        .unwrap();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(
        failure
            .causes
            .join(" ")
            .contains("there_is_no_such_database"),
        "{failure:?}"
    );
}

/// Reading is allowed, and enough for `status`, `plan` and `check`; `up` says once what is missing.
fn assert_readable_only(url: DatabaseUrl) {
    let mut deployment = program::open("refusal", url).unwrap();
    assert_eq!(deployment.status().unwrap().unapplied(), 1);
    assert_eq!(
        deployment.plan(&UpRequest::default()).unwrap().steps.len(),
        1
    );
    assert_eq!(deployment.check().unwrap().pending.len(), 1);
    assert!(deployment.log(5).unwrap().is_empty());
    let report = deployment.up(&UpRequest::default(), &mut |_| {});
    let failure: Failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Usage, "{failure:?}");
    assert!(failure.message.contains("migrate_history"), "{failure:?}");
    assert_eq!(failure.causes.len(), 1, "{failure:?}");
    assert!(failure.next_step.is_some(), "{failure:?}");
    assert_eq!(report.summary.applied, 0);
    // Whoever may write gets in: the lock is not left behind.
    assert_eq!(deployment.status().unwrap().locked_by, None);
}

/// A database that cannot be written to.
pub fn a_read_only_database_can_be_looked_at(scratch: &Scratch) {
    let url = match scratch.backend {
        Backend::Sqlite => {
            let url = scratch.url();
            let path = url.reveal().trim_start_matches("sqlite://").to_owned();
            DatabaseUrl::new(format!("sqlite://file:{path}?mode=ro"))
        }
        Backend::Postgres => {
            scratch.sql(&format!(
                "ALTER DATABASE {} SET default_transaction_read_only = on",
                scratch.name()
            ));
            scratch.url()
        }
        Backend::Mysql => unreachable!("a whole server is read-only, or none of it"),
    };
    assert_readable_only(url);
    assert!(!scratch.has_table("migrate_history"));
    assert!(scratch.effects().is_empty());
}

/// A user who may not create the history table.
pub fn without_the_privilege_to_create_one_can_look(scratch: &Scratch) {
    let user = format!("u_{}", scratch.name());
    let (create, drop) = match scratch.backend {
        Backend::Postgres => (
            format!(
                "CREATE ROLE {user} LOGIN PASSWORD '{SECRET}'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
            ),
            format!("DROP ROLE {user}"),
        ),
        Backend::Mysql => (
            format!(
                "CREATE USER {user}@'%' IDENTIFIED BY '{SECRET}'; GRANT SELECT ON {}.* TO {user}@'%'",
                scratch.name()
            ),
            format!("DROP USER {user}@'%'"),
        ),
        Backend::Sqlite => unreachable!("SQLite knows no users"),
    };
    scratch.sql(&create);
    assert_readable_only(scratch.url_as(&user, SECRET));
    scratch.sql(&drop);
    assert!(!scratch.has_table("migrate_history"));
    assert!(scratch.effects().is_empty());
}

#[migration]
pub(crate) fn kind_sqlite(db: &mut SqliteConnection) -> QueryResult<()> {
    leave(db, "sqlite")
}

#[migration]
pub(crate) fn kind_postgres(db: &mut Session<PgConnection>) -> QueryResult<()> {
    diesel::sql_query("INSERT INTO effects (name) VALUES ('postgres')").execute(db)?;
    Ok(())
}

#[migration]
pub(crate) fn kind_mysql(db: &mut MysqlConnection) -> QueryResult<()> {
    leave(db, "mysql")
}

#[migration]
pub(crate) fn kind_any(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "any")
}

fn kinds() -> Migrator {
    migrator(migrations![
        kind_any,
        kind_sqlite,
        kind_postgres,
        kind_mysql
    ])
}

/// Bodies for another database: all of them are listed, with their places, before anything runs.
pub fn bodies_for_another_database_are_listed(scratch: &Scratch) {
    let migrator = kinds();
    let error = up(scratch, &migrator).error();
    assert!(matches!(error, Error::WrongBackend { .. }), "{error:?}");
    assert_eq!(error.kind(), FailureKind::Usage);
    let failure = Failure::from(error);
    let expected: &[&str] = match (scratch.foreign(), scratch.backend) {
        (Some(_), _) => &["kind_mysql", "kind_postgres", "kind_sqlite"],
        (None, Backend::Sqlite) => &["kind_mysql", "kind_postgres"],
        (None, Backend::Postgres) => &["kind_mysql", "kind_sqlite"],
        (None, Backend::Mysql) => &["kind_postgres", "kind_sqlite"],
    };
    let listed: Vec<&str> = failure
        .problems
        .iter()
        .map(|problem| problem.id.trim_start_matches("migrate_tests:"))
        .collect();
    assert_eq!(listed, expected);
    for problem in &failure.problems {
        assert_eq!(problem.location.unwrap().file, file!());
        assert!(
            problem.message.contains("src/cases/refusal.rs:"),
            "{problem:?}"
        );
    }
    assert!(failure.next_step.unwrap().contains("AnyConnection"));
    assert!(scratch.effects().is_empty());
    assert!(!scratch.has_table("migrate_history"));
    // `plan` shows it, and `check` too.
    let mut connection = scratch.connect();
    let plan = migrator.plan(&mut connection).unwrap();
    assert_eq!(plan.problems.len(), expected.len());
    let check = migrator.check(&mut connection).unwrap();
    assert_eq!(check.problems.len(), expected.len());
}

/// Bodies that take this database's own connection, or any, run side by side.
pub fn bodies_for_this_database_run(scratch: &Scratch) {
    let migrator = migrator([own(scratch)].into_iter().chain(migrations![kind_any]));
    assert_eq!(up(scratch, &migrator).done().applied, 2);
    assert_eq!(scratch.effects().len(), 2);
}

/// A body that takes this database's own connection.
fn own(scratch: &Scratch) -> NodeRef {
    let [sqlite, postgres, mysql] = migrations![kind_sqlite, kind_postgres, kind_mysql];
    match (scratch.foreign(), scratch.backend) {
        (Some(foreign), _) => (foreign.own_migration)(),
        (None, Backend::Sqlite) => sqlite,
        (None, Backend::Postgres) => postgres,
        (None, Backend::Mysql) => mysql,
    }
}

/// A library caller with a connection of one kind: bodies for any connection do not fit it.
pub fn a_callers_connection_of_one_kind(scratch: &Scratch) {
    let fits = |own: Migrator, misfit: Migrator, connection: AnyConnection| {
        let (applied, error) = match connection {
            AnyConnection::Sqlite(mut it) => (own.up(&mut it), misfit.up(&mut it)),
            AnyConnection::Postgres(mut it) => (own.up(&mut it), misfit.up(&mut it)),
            AnyConnection::Mysql(mut it) => (own.up(&mut it), misfit.up(&mut it)),
            other @ AnyConnection::Other(_) => {
                let up = scratch.foreign().unwrap().up;
                (up(&own, other), up(&misfit, scratch.connect()))
            }
        };
        assert_eq!(applied.unwrap().applied, 1);
        let error = error.unwrap_err();
        assert!(matches!(error, Error::WrongBackend { .. }), "{error:?}");
        assert!(
            Failure::from(error).problems[0]
                .message
                .contains("`AnyConnection`")
        );
    };
    let own = migrator([own(scratch)]);
    fits(own, migrator(migrations![kind_any]), scratch.connect());
    assert_eq!(scratch.effects().len(), 1);
}
