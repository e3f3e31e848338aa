//! Directories of SQL files that each tool has run, taken over as they are by `migrations_dir!`.

use std::{collections::BTreeMap, error::Error, path::Path, str::FromStr as _};

use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use migrate_diesel::{
    Migrator,
    core::{
        NodeRef,
        adopt::{AdoptRequest, Fate, Tool},
        frontend::DownTarget,
    },
    migrations,
    prelude::*,
};
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

type Tested = Result<(), Box<dyn Error + Send + Sync>>;

mod diesel_files {
    migrate_diesel::migrations_dir!(
        "sql/diesel",
        format = diesel,
        rename = { "2024-01-03-000000_add_index" = "add_index_again" }
    );
}

mod refinery_files {
    migrate_diesel::migrations_dir!("sql/refinery", format = refinery, prefix = "refinery_");
}

mod sqlx_files {
    migrate_diesel::migrations_dir!(
        "sql/sqlx",
        format = sqlx,
        prefix = "sqlx_",
        rename = { "20240101000000_add_index" = "add_index_again" }
    );
}

/// What comes next, in code.
#[migration(requires = [diesel_files::add_index_again])]
fn after_diesel(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("ALTER TABLE users ADD COLUMN email TEXT")
}

/// Taken over without a map; nothing of theirs is pending then, or changed.
fn adopted(database: &Path, tool: Tool, ours: &[NodeRef], theirs: &[&str]) -> Tested {
    let mut connection = SqliteConnection::establish(&database.display().to_string())?;
    let migrator = Migrator::new(ours.iter().copied())?;
    let request = AdoptRequest {
        tool,
        table: None,
        map: BTreeMap::new(),
        names: Vec::new(),
        wait: None,
    };
    let adoption = migrator.adopt(&mut connection, &request)?;
    let rows = adoption.rows.iter();
    let rows: Vec<String> = rows
        .map(|row| {
            let ours = row.id.as_deref().unwrap_or("-");
            let ours = ours.rsplit(':').next().unwrap_or(ours);
            format!("{} = {ours} {}", row.theirs, row.fate.as_str())
        })
        .collect();
    assert_eq!(rows, theirs);
    assert!(
        adoption
            .rows
            .iter()
            .all(|row| row.fate == Fate::Record && row.at.is_some())
    );
    let summary = migrator.up(&mut connection)?;
    assert_eq!(summary.already_applied, theirs.len());
    assert_eq!(summary.applied, ours.len() - theirs.len());
    let check = migrator.check(&mut connection)?;
    assert!(
        check.problems.is_empty() && check.pending.is_empty(),
        "{check:?}"
    );
    Ok(())
}

/// Their directory, as the tool finds it.
fn directory(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sql").join(name)
}

#[test]
fn diesel() -> Tested {
    let (place, database) = super::tests::place("diesel-files")?;
    let mut connection = SqliteConnection::establish(&database)?;
    let source = FileBasedMigrations::from_path(directory("diesel"))?;
    assert_eq!(connection.run_pending_migrations(source)?.len(), 4);
    drop(connection);
    let nodes = migrations![
        diesel_files::setup,
        diesel_files::users,
        diesel_files::add_index,
        diesel_files::add_index_again,
        after_diesel,
    ];
    let theirs = [
        "00000000000000 = setup record",
        "20240101000000 = users record",
        "20240102000000 = add_index record",
        "20240103000000 = add_index_again record",
    ];
    adopted(database.as_ref(), Tool::Diesel, &nodes, &theirs)?;
    Ok(std::fs::remove_dir_all(place)?)
}

#[test]
fn refinery() -> Tested {
    let (place, database) = super::tests::place("refinery-files")?;
    let its = refinery::load_sql_migrations(directory("refinery"))?;
    let mut connection = rusqlite::Connection::open(&database)?;
    refinery::Runner::new(&its).run(&mut connection)?;
    drop(connection);
    let nodes = migrations![
        refinery_files::users,
        refinery_files::add_index,
        refinery_files::r#type,
    ];
    let theirs = [
        "V1__users = refinery_users record",
        "V2__add_index = refinery_add_index record",
        "V10__type = refinery_type record",
    ];
    adopted(database.as_ref(), Tool::Refinery, &nodes, &theirs)?;
    Ok(std::fs::remove_dir_all(place)?)
}

#[test]
fn sqlx() -> Tested {
    let (place, database) = super::tests::place("sqlx-files")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let options = SqliteConnectOptions::from_str(&format!("sqlite://{database}"))?;
        let mut connection = options.create_if_missing(true).connect().await?;
        let migrator = sqlx::migrate::Migrator::new(directory("sqlx")).await?;
        migrator.run(&mut connection).await?;
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })?;
    let nodes = migrations![
        sqlx_files::users,
        sqlx_files::add_index,
        sqlx_files::add_index_again,
    ];
    let theirs = [
        "1_users = sqlx_users record",
        "2_add_index = sqlx_add_index record",
        "20240101000000_add_index = sqlx_add_index_again record",
    ];
    adopted(database.as_ref(), Tool::Sqlx, &nodes, &theirs)?;
    Ok(std::fs::remove_dir_all(place)?)
}

/// From nothing, ours does with these files what the tool does, and back where they say how.
#[test]
fn ours_alone() -> Tested {
    let mut connection = SqliteConnection::establish(":memory:")?;
    let migrator = Migrator::new(migrations![
        sqlx_files::users,
        sqlx_files::add_index,
        sqlx_files::add_index_again,
    ])?;
    assert_eq!(migrator.up(&mut connection)?.applied, 3);
    assert!(
        migrator
            .down(&mut connection, DownTarget::Steps(1))
            .is_err()
    );
    Ok(())
}
