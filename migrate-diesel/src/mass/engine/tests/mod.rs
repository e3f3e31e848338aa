//! Workers on SQLite: several at a time on one file, with bodies that fail, and a run that changes under
//! them. The same on servers is in the suite of cases.

mod changes;
mod outcome;

use std::{marker::PhantomData, time::Duration};

use diesel::{
    Connection as _, QueryResult, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
};
use migrate_core::{
    Interrupt, Ordering, Settings,
    mass::{
        Granularity, KeySource, MassKind, MassState,
        frontend::{MassEvent, Stay},
    },
};
use tempfile::TempDir;

use super::{Connect, Work, work as work_off};
use crate::{
    backend::Driver,
    carried::Carried,
    error::Error,
    history::{Sight, Store},
    mass::{
        Batch, Mass, RangeCode, desk,
        store::{self, Again, Change, NewRun, Ordered, Seen, Which},
    },
    migration::Migration,
};

const OVER_ITEMS: MassKind = MassKind::Keys {
    source: KeySource::Table("items"),
    key: &[],
    granularity: Granularity::Range,
};

/// Fails for a row that may not be counted.
fn count(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "UPDATE items SET n = n + 1 WHERE id BETWEEN {} AND {}",
        batch.first(),
        batch.last()
    ))
    .execute(db)
}

fn commits(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let rows = count(db, batch)?;
    db.batch_execute("COMMIT")?;
    Ok(rows)
}

fn panics(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let rows = count(db, batch)?;
    assert!(!batch.range().contains(&7), "seven");
    Ok(rows)
}

fn leaves_a_table(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    db.batch_execute("CREATE TEMP TABLE left_behind (id INTEGER)")?;
    count(db, batch)
}

macro_rules! mass {
    ($migration:ident, $mass:ident, $body:ident, $name:literal) => {
        static $mass: Mass = Mass::new(OVER_ITEMS, &RangeCode($body, PhantomData))
            .batch(10)
            .shards(4)
            .max_failures(3);
        static $migration: Migration =
            Migration::new("engine", $name, "", 7, &[], (file!(), line!(), 1), 0).mass(&$mass);
    };
}
mass!(COUNT, COUNT_MASS, count, "count");
mass!(COMMITS, COMMITS_MASS, commits, "commits");
mass!(PANICS, PANICS_MASS, panics, "panics");
mass!(LEAVES, LEAVES_MASS, leaves_a_table, "leaves");

/// A database with a table of rows, and one mass migration.
struct Place {
    directory: TempDir,
    migration: &'static Migration,
    store: Store,
    lease: Duration,
    workers: usize,
}

impl Place {
    fn new(migration: &'static Migration, rows: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut db = connect(&directory);
        let store = Store::new(db.dialect(), "migrate_history").unwrap();
        store.ensure(&mut db).unwrap();
        db.batch_execute(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0, bad INTEGER NOT NULL DEFAULT 0, \
             CHECK (n = 0 OR bad = 0))",
        )
        .unwrap();
        db.batch_execute(&format!(
            "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < {rows}) \
             INSERT INTO items (id) SELECT i FROM k WHERE {rows} > 0"
        ))
        .unwrap();
        Self {
            directory,
            migration,
            store,
            lease: Duration::from_secs(15),
            workers: 3,
        }
    }

    fn db(&self) -> SqliteConnection {
        connect(&self.directory)
    }

    fn sql(&self, sql: &str) {
        self.db().batch_execute(sql).unwrap();
    }

    fn numbers(&self, sql: &str) -> Vec<i64> {
        let sql = format!(
            "SELECT CAST({sql} AS TEXT) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM items ORDER BY id"
        );
        let rows = self.db().rows(&sql).unwrap();
        rows.into_iter()
            .map(|row| row.into_columns()[0].as_deref().unwrap().parse().unwrap())
            .collect()
    }

    fn enqueue(&self) -> bool {
        let facts = &self.migration.mass.unwrap().facts;
        let id = self.migration.descriptor.id.to_string();
        store::insert(
            &self.store,
            &mut self.db(),
            &NewRun {
                id: &id,
                since: i64::MAX,
                live: desk::live(facts),
                parameters: None,
                fingerprint: "0000000000000007",
                by: "somebody",
            },
        )
        .unwrap()
    }

    fn seen(&self) -> Seen {
        let mut runs = store::runs(&self.store, &mut self.db(), Which::Newest).unwrap();
        runs.pop().unwrap()
    }

    fn applied(&self) -> usize {
        let read = self.store.read(&mut self.db(), Sight::Live).unwrap();
        read.history.iter().count()
    }

    fn order(&self, to: MassState, again: Again) {
        let seen = self.seen();
        let change = Change {
            run: &seen.run,
            to,
            reason: Some("because"),
            throttled_for: None,
            by: "somebody",
        };
        let ordered = store::order(&self.store, &mut self.db(), &change, again).unwrap();
        assert_eq!(ordered, Ordered::Done);
    }

    /// Works it off, and hands out what was told.
    fn work(&self) -> Vec<MassEvent> {
        self.work_with(&Interrupt::new(), &mut |_| {})
    }

    fn work_with(
        &self,
        interrupt: &Interrupt,
        on_event: &mut (dyn FnMut(&MassEvent) + Send),
    ) -> Vec<MassEvent> {
        let mut events = Vec::new();
        self.with(|described, connect| {
            work_off(described, connect, interrupt, &mut |event| {
                on_event(&event);
                events.push(event);
            })
            .unwrap();
        });
        events
    }

    fn with<T>(&self, f: impl FnOnce(&Work<'_>, &Connect<'_>) -> T) -> T {
        let carried = Carried::of(vec![self.migration]);
        let resolved = carried.resolve(Ordering::default(), "default").unwrap();
        let settings = Settings::default();
        let migrations = [self.migration];
        let described = Work {
            store: &self.store,
            resolved: &resolved,
            migrations: &migrations,
            settings: &settings,
            runs: None,
            workers: self.workers,
            stay: Stay::UntilIdle,
            lease: self.lease,
        };
        f(&described, &|| -> Result<Box<dyn Driver + Send>, Error> {
            Ok(Box::new(self.db()))
        })
    }
}

fn connect(directory: &TempDir) -> SqliteConnection {
    let path = directory.path().join("mass.db");
    let mut db = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    db.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL")
        .unwrap();
    db
}

fn states(events: &[MassEvent]) -> Vec<MassState> {
    events
        .iter()
        .filter_map(|event| match event {
            MassEvent::State { state, .. } => Some(*state),
            _ => None,
        })
        .collect()
}
