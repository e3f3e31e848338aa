//! The shape of the history tables: created, upgraded, recognised.

use diesel::result::Error as DieselError;

use super::{Store, Tables};
use crate::{
    backend::{Driver, ImplicitCommit},
    error::{Error, is_connection_loss},
};

/// The version of the tables that this code writes.
const VERSION: u32 = 3;

/// The version since which there is a table of views.
pub(crate) const WITH_VIEWS: u32 = 2;

/// The version since which there are tables of mass migrations.
pub(crate) const WITH_MASS: u32 = 3;

/// Columns without which a table of our name is not ours.
const COLUMNS: [&str; 7] = [
    "id",
    "state",
    "fingerprint",
    "attempt",
    "started_at",
    "run_by",
    "detail",
];

impl Store {
    /// Creates the tables where they are not, and brings older ones up to date. Needs the lock.
    pub(crate) fn ensure(&self, driver: &mut dyn Driver) -> Result<(), Error> {
        let upgrade = self.upgrade(driver)?;
        if upgrade.is_empty() {
            return Ok(());
        }
        let dialect = self.dialect;
        let mut script = vec![dialect.begin.to_owned()];
        script.extend(upgrade);
        script.push(dialect.commit.to_owned());
        let result = driver.batch(&script.join(";\n"));
        if result.is_err() {
            // Nothing to lose: the error that counts is the first.
            let _ = driver.batch(dialect.rollback);
        }
        // A connection that is broken stays so.
        if driver.depth().is_ok() {
            driver.set_depth(0);
        }
        result.map_err(self.not_created())
    }

    /// As [`ensure`](Self::ensure), in a transaction that is open and will be rolled back.
    pub(crate) fn ensure_inside(&self, driver: &mut dyn Driver) -> Result<(), Error> {
        match self.upgrade(driver)?.as_slice() {
            [] => Ok(()),
            script => driver
                .batch(&script.join(";\n"))
                .map_err(self.not_created()),
        }
    }

    fn not_created(&self) -> impl FnOnce(DieselError) -> Error {
        Error::database(format!("create the history table `{}`", self.table))
    }

    /// The statements that bring the tables up to date.
    fn upgrade(&self, driver: &mut dyn Driver) -> Result<Vec<String>, Error> {
        let from = self.stored_version(driver)?;
        Ok((from..VERSION)
            .flat_map(|version| self.upgrade_from(version))
            .collect())
    }

    /// The version of the tables; 0 where there are none.
    fn stored_version(&self, driver: &mut dyn Driver) -> Result<u32, Error> {
        let columns = driver
            .columns(&format!("{}_meta", self.table))
            .map_err(Error::database("read the catalog"))?;
        if columns.is_empty() {
            return Ok(0);
        }
        let rows = driver
            .rows(&format!(
                "SELECT value AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM {} WHERE name = 'schema_version'",
                self.meta
            ))
            .map_err(Error::database(format!("read `{}_meta`", self.table)))?;
        match rows.first() {
            Some(row) => self.check_version(row.c0.as_deref()),
            None => Ok(0),
        }
    }

    /// The statements that lead from `version` to the next. All can be repeated: where DDL commits
    /// by itself, a crash between two of them leaves the earlier ones done.
    fn upgrade_from(&self, version: u32) -> Vec<String> {
        let Self {
            dialect,
            history,
            log,
            steps,
            meta,
            views,
            ..
        } = self;
        let key = dialect.key_type;
        let (sequence, timestamp, double) = (
            dialect.sequence_column,
            dialect.timestamp_type,
            dialect.double_type,
        );
        let options = dialect.table_options;
        match version {
            0 => vec![
                format!(
                    "CREATE TABLE IF NOT EXISTS {log} (sequence {sequence}, id {key} NOT NULL, event VARCHAR(16) NOT NULL, \
                     at {timestamp} NOT NULL, attempt INTEGER NOT NULL, duration_ms {double}, run_by VARCHAR(255) NOT NULL, detail TEXT){options}"
                ),
                format!(
                    "CREATE TABLE IF NOT EXISTS {steps} (id {key} NOT NULL, step {key} NOT NULL, ended_at {timestamp} NOT NULL, \
                     PRIMARY KEY (id, step)){options}"
                ),
                // The key on `id` decides that a migration is run once.
                format!(
                    "CREATE TABLE IF NOT EXISTS {history} (sequence {sequence}, id {key} NOT NULL {unique}, state VARCHAR(16) NOT NULL, \
                     fingerprint VARCHAR(16), attempt INTEGER NOT NULL, started_at {timestamp} NOT NULL, ended_at {timestamp}, \
                     duration_ms {double}, run_by VARCHAR(255) NOT NULL, detail TEXT){options}",
                    unique = if sequence.contains("PRIMARY KEY") {
                        "UNIQUE"
                    } else {
                        "PRIMARY KEY"
                    },
                ),
                format!(
                    "CREATE TABLE IF NOT EXISTS {meta} (name {key} NOT NULL PRIMARY KEY, value TEXT NOT NULL){options}"
                ),
                // Last: until this row is there, the tables count as not made.
                format!("INSERT INTO {meta} (name, value) VALUES ('schema_version', '1')"),
            ],
            1 => {
                // TEXT of MySQL ends at 64 KiB.
                let long = match dialect.implicit_commit {
                    ImplicitCommit::OnDdl => "LONGTEXT",
                    ImplicitCommit::Never => "TEXT",
                };
                vec![
                    format!(
                        "CREATE TABLE IF NOT EXISTS {views} (name {key} NOT NULL PRIMARY KEY, id {key} NOT NULL, \
                         state VARCHAR(16) NOT NULL, fingerprint VARCHAR(16), changed_at {timestamp} NOT NULL, \
                         run_by VARCHAR(255) NOT NULL, saved {long}){options}"
                    ),
                    format!("UPDATE {meta} SET value = '2' WHERE name = 'schema_version'"),
                ]
            }
            2 => self.mass_tables(),
            _ => Vec::new(),
        }
    }

    /// What mass migrations need: see `mass/store`.
    fn mass_tables(&self) -> Vec<String> {
        let Self {
            dialect,
            meta,
            mass,
            shards,
            quarantine,
            ..
        } = self;
        let (key, options) = (dialect.key_type, dialect.table_options);
        let (sequence, timestamp, double) = (
            dialect.sequence_column,
            dialect.timestamp_type,
            dialect.double_type,
        );
        let primary = if sequence.contains("PRIMARY KEY") {
            ""
        } else {
            ", PRIMARY KEY (run)"
        };
        let counted = if sequence.contains("PRIMARY KEY") {
            ""
        } else {
            ", PRIMARY KEY (run, sequence)"
        };
        vec![
            // The key on `live` decides that one run of a migration is live: a start is one INSERT.
            format!(
                "CREATE TABLE IF NOT EXISTS {mass} (run {sequence}, id {key} NOT NULL, live {key} UNIQUE, state VARCHAR(16) NOT NULL, \
                 reason TEXT, revision BIGINT NOT NULL, batch BIGINT NOT NULL, target_ms {double}, pause_ms {double} NOT NULL, \
                 max_failures BIGINT NOT NULL, parameters TEXT, total BIGINT, fingerprint VARCHAR(16) NOT NULL, \
                 created_at {timestamp} NOT NULL, started_at {timestamp} NULL, ended_at {timestamp} NULL, \
                 throttled_until {timestamp} NULL, run_by VARCHAR(255) NOT NULL{primary}){options}"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {shards} (run BIGINT NOT NULL, shard BIGINT NOT NULL, after_key TEXT, through_key TEXT, \
                 at_key TEXT, state VARCHAR(16) NOT NULL, units BIGINT NOT NULL, changed BIGINT NOT NULL, batches BIGINT NOT NULL, \
                 token BIGINT NOT NULL, owner VARCHAR(255), lease_until {timestamp} NULL, batch BIGINT, rate {double}, \
                 PRIMARY KEY (run, shard)){options}"
            ),
            format!(
                "CREATE TABLE IF NOT EXISTS {quarantine} (sequence {sequence}, run BIGINT NOT NULL, shard BIGINT NOT NULL, \
                 unit_key TEXT NOT NULL, state VARCHAR(16) NOT NULL, error TEXT NOT NULL, attempts BIGINT NOT NULL, \
                 changed_at {timestamp} NOT NULL, reason TEXT{counted}){options}"
            ),
            format!("UPDATE {meta} SET value = '3' WHERE name = 'schema_version'"),
        ]
    }

    pub(super) fn check_version(&self, text: Option<&str>) -> Result<u32, Error> {
        let text = text.unwrap_or_default();
        match text.parse() {
            Ok(version) if version <= VERSION => Ok(version),
            _ => Err(Error::NewerSchema {
                table: self.table.clone(),
                found: text.to_owned(),
                known: VERSION,
            }),
        }
    }

    /// Why the history could not be read: not made yet, not ours, or else (to be found out by
    /// reading again) refused.
    pub(super) fn inspect(
        &self,
        driver: &mut dyn Driver,
        error: Option<&DieselError>,
    ) -> Result<Tables, Error> {
        if error.is_some_and(is_connection_loss) {
            return Ok(Tables::Present);
        }
        let doing = format!("read the history table `{}`", self.table);
        let history = driver
            .columns(&self.table)
            .map_err(Error::database(&*doing))?;
        let meta = driver
            .columns(&format!("{}_meta", self.table))
            .map_err(Error::database(doing))?;
        if !history.is_empty() {
            let missing: Vec<&'static str> = COLUMNS
                .into_iter()
                .filter(|column| !history.iter().any(|it| it == column))
                .collect();
            if !missing.is_empty() {
                return Err(Error::ForeignTable {
                    table: self.table.clone(),
                    missing,
                });
            }
        }
        if self.dialect.implicit_commit == ImplicitCommit::OnDdl {
            let begun = crate::restore::begun_table(&self.table);
            let half = driver
                .columns(&begun)
                .map_err(Error::database(format!("look for the table `{begun}`")))?;
            if !half.is_empty() {
                return Err(self.half_restored());
            }
        }
        let present = error.is_some() && !history.is_empty() && !meta.is_empty();
        Ok(if present {
            Tables::Present
        } else {
            Tables::Absent
        })
    }

    /// The name of the table that says that a restore was begun, if it is there.
    pub(super) fn half_restored_sql(&self) -> String {
        let begun = crate::restore::begun_table(&self.table);
        let (schema, name) = match begun.split_once('.') {
            Some((schema, name)) => ((self.dialect.text)(schema), name),
            None => ("DATABASE()".to_owned(), begun.as_str()),
        };
        format!(
            "(SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = {schema} AND table_name = {})",
            (self.dialect.text)(name)
        )
    }

    pub(super) fn half_restored(&self) -> Error {
        let table = crate::restore::begun_table(&self.table);
        crate::restore::RestoreError::Half { table }.into()
    }
}
