//! Every case that all backends have to pass, on PostgreSQL through diesel-async.
//!
//! Needs the servers of `cargo xtask servers`.
#![expect(clippy::expect_used, reason = "tests, from one end to the other")]

use std::path::Path;

use backend_diesel_async::AsyncPostgres;
use migrate_diesel::{core::NodeRef, migrations, prelude::*};
use migrate_tests::database::{Backend, Database};

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
