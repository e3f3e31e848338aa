//! Every case that all backends have to pass, on PostgreSQL through diesel-async.
//!
//! Needs the servers of `cargo xtask servers`.
#![expect(clippy::expect_used, reason = "tests, from one end to the other")]

use std::path::Path;

use backend_diesel_async::AsyncPostgres;
use migrate_diesel::{
    core::{DatabaseUrl, NodeRef},
    migrations,
    prelude::*,
};
use migrate_tests::{
    database::{Backend, Database, Scratch},
    run::{chain, migrator, up},
};

struct PostgresAsync;

impl Database for PostgresAsync {
    type Connection = AsyncPostgres;

    const SPEAKS: Backend = Backend::Postgres;

    fn create(name: &str, _directory: &Path) -> String {
        on_server(&format!("CREATE DATABASE {name}")).expect("a fresh database");
        let admin = Backend::Postgres.admin_url();
        let (server, _) = admin.rsplit_once('/').expect("a URL with a database");
        let (_, rest) = server.split_once("://").expect("a URL with a scheme");
        format!("postgres-async://{rest}/{name}")
    }

    fn drop(name: &str) -> Result<(), String> {
        on_server(&format!("DROP DATABASE {name} WITH (FORCE)")).map_err(|error| error.to_string())
    }

    fn own_migration() -> NodeRef {
        let [own] = migrations![own];
        own
    }
}

fn on_server(sql: &str) -> QueryResult<()> {
    let mut server = AsyncPostgres::establish(&Backend::Postgres.admin_url()).expect("the server");
    server.batch_execute(sql)
}

/// Its own connection, with values and rows.
#[migration]
fn own(db: &mut Session<AsyncPostgres>) -> QueryResult<()> {
    diesel::sql_query("INSERT INTO effects (name) VALUES ($1)")
        .bind::<diesel::sql_types::Text, _>("own")
        .execute(db)?;
    Ok(())
}

migrate_tests::suite!(PostgresAsync);

/// This connection does not ask the server how its transaction stands, as libpq does: the end of the body tells.
#[migration]
fn swallows(db: &mut AsyncPostgres) -> Result<(), String> {
    db.batch_execute("SELECT nothing FROM nowhere")
        .expect_err("no such table");
    Ok(())
}

#[test]
fn a_swallowed_error_is_a_failure() {
    let scratch = Scratch::of::<PostgresAsync>();
    let error = up(&scratch, &migrator(migrations![swallows])).error();
    assert!(
        chain(&error).contains("the body ignored it"),
        "{}",
        chain(&error)
    );
    assert!(!scratch.has_table("nowhere"));
}

/// Without a registered scheme of its own, `AnyConnection` says what it can open.
#[test]
fn what_is_no_scheme_is_said_with_those_that_are() {
    let url = DatabaseUrl::new("postgres-asynk://me:secret@localhost/x");
    let error = AnyConnection::open(&url)
        .expect_err("no such scheme")
        .to_string();
    assert!(error.contains("or `postgres-async://`"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
