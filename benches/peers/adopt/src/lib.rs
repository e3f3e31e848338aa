//! Histories that diesel_migrations, refinery, sqlx and SeaORM made, taken over by ours: `cargo test -p adopt-peers`.
#![forbid(unsafe_code)]

#[cfg(test)]
mod files;
#[cfg(test)]
mod sea;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, error::Error, fs, path::PathBuf, str::FromStr as _};

    use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
    use migrate_diesel::{
        Migrator,
        core::adopt::{AdoptRequest, Fate, Tool},
        migrations,
        prelude::*,
    };
    use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

    pub(crate) type Tested = Result<(), Box<dyn Error + Send + Sync>>;

    const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY)";
    const ORDERS: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY)";

    #[migration]
    pub(crate) fn v20240101000000_users(_: &mut SqliteConnection) -> QueryResult<()> {
        Err(diesel::result::Error::NotFound)
    }

    #[migration(requires = [v20240101000000_users])]
    pub(crate) fn v20240102000000_orders(_: &mut SqliteConnection) -> QueryResult<()> {
        Err(diesel::result::Error::NotFound)
    }

    /// Versions of refinery are of 32 bits.
    #[migration]
    pub(crate) fn v1_users(_: &mut SqliteConnection) -> QueryResult<()> {
        Err(diesel::result::Error::NotFound)
    }

    #[migration(requires = [v1_users])]
    pub(crate) fn orders(_: &mut SqliteConnection) -> QueryResult<()> {
        Err(diesel::result::Error::NotFound)
    }

    /// An empty directory of the test's own, and a database in it.
    pub(crate) fn place(name: &str) -> Result<(PathBuf, String), std::io::Error> {
        let id = std::process::id();
        let directory = std::env::temp_dir().join(format!("adopt-{name}-{id}"));
        fs::create_dir_all(directory.join("migrations"))?;
        let database = directory.join("app.db").display().to_string();
        Ok((directory, database))
    }

    /// Both are applied then, at times that the tool wrote, and nothing is pending.
    pub(crate) fn adopted(database: &str, tool: Tool) -> Tested {
        let mut connection = SqliteConnection::establish(database)?;
        let migrator = match tool {
            Tool::Refinery => Migrator::new(migrations![v1_users, orders])?,
            Tool::SeaOrm => Migrator::new(migrations![
                crate::sea::m20240101_000000_users,
                crate::sea::m20240102_000000_orders
            ])?,
            _ => Migrator::new(migrations![v20240101000000_users, v20240102000000_orders])?,
        };
        let request = AdoptRequest {
            tool,
            table: None,
            map: BTreeMap::new(),
            names: Vec::new(),
            wait: None,
        };
        let adoption = migrator.adopt(&mut connection, &request)?;
        let told = format!("{adoption:?}");
        assert_eq!(adoption.rows.len(), 2, "{told}");
        assert!(
            adoption.rows.iter().all(|row| row.fate == Fate::Record),
            "{told}"
        );
        assert!(adoption.rows.iter().all(|row| row.at.is_some()), "{told}");
        // The bodies fail: they did not run.
        assert_eq!(migrator.up(&mut connection)?.already_applied, 2);
        Ok(())
    }

    #[test]
    fn diesel() -> Tested {
        let (directory, database) = place("diesel")?;
        for (name, sql) in [
            ("2024-01-01-000000_users", USERS),
            ("2024-01-02-000000_orders", ORDERS),
        ] {
            let its = directory.join("migrations").join(name);
            fs::create_dir_all(&its)?;
            fs::write(its.join("up.sql"), sql)?;
            fs::write(its.join("down.sql"), "SELECT 1")?;
        }
        let source = FileBasedMigrations::from_path(directory.join("migrations"))?;
        let mut connection = SqliteConnection::establish(&database)?;
        assert_eq!(connection.run_pending_migrations(source)?.len(), 2);
        adopted(&database, Tool::Diesel)?;
        Ok(fs::remove_dir_all(directory)?)
    }

    #[test]
    fn refinery() -> Tested {
        let (directory, database) = place("refinery")?;
        let its = [
            refinery::Migration::unapplied("V1__users", USERS)?,
            refinery::Migration::unapplied("V2__orders", ORDERS)?,
        ];
        let mut connection = rusqlite::Connection::open(&database)?;
        refinery::Runner::new(&its).run(&mut connection)?;
        drop(connection);
        adopted(&database, Tool::Refinery)?;
        Ok(fs::remove_dir_all(directory)?)
    }

    #[test]
    fn sqlx() -> Tested {
        let (directory, database) = place("sqlx")?;
        let its = directory.join("migrations");
        fs::write(its.join("20240101000000_users.sql"), USERS)?;
        fs::write(its.join("20240102000000_orders.sql"), ORDERS)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let options = SqliteConnectOptions::from_str(&format!("sqlite://{database}"))?;
            let mut connection = options.create_if_missing(true).connect().await?;
            let migrator = sqlx::migrate::Migrator::new(its).await?;
            migrator.run(&mut connection).await?;
            Ok::<(), Box<dyn Error + Send + Sync>>(())
        })?;
        adopted(&database, Tool::Sqlx)?;
        Ok(fs::remove_dir_all(directory)?)
    }
}
