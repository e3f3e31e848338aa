//! SeaORM's: its migrations are Rust, named by their files.

use migrate_diesel::{core::adopt::Tool, migration, prelude::*};
use sea_orm_migration::{
    DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait as _, Database},
};

use crate::tests::{Tested, adopted, place};

/// Ours, which must not run: theirs has.
#[migration]
pub(crate) fn m20240101_000000_users(_: &mut SqliteConnection) -> QueryResult<()> {
    Err(diesel::result::Error::NotFound)
}

#[migration(requires = [m20240101_000000_users])]
pub(crate) fn m20240102_000000_orders(_: &mut SqliteConnection) -> QueryResult<()> {
    Err(diesel::result::Error::NotFound)
}

/// Theirs.
struct Table {
    file: &'static str,
    name: &'static str,
}

impl MigrationName for Table {
    fn name(&self) -> &str {
        self.file
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Table {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = format!("CREATE TABLE {} (id INTEGER PRIMARY KEY)", self.name);
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }
}

struct Theirs;

#[async_trait::async_trait]
impl MigratorTrait for Theirs {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Table {
                file: "m20240101_000000_users",
                name: "users",
            }),
            Box::new(Table {
                file: "m20240102_000000_orders",
                name: "orders",
            }),
        ]
    }
}

#[test]
fn sea_orm() -> Tested {
    let (directory, database) = place("sea-orm")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let db = Database::connect(format!("sqlite://{database}?mode=rwc")).await?;
        Theirs::up(&db, None).await?;
        db.close().await
    })?;
    adopted(&database, Tool::SeaOrm)?;
    Ok(std::fs::remove_dir_all(directory)?)
}
