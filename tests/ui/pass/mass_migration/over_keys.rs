//! Bodies over ranges of keys: what they take and return, and what arrives of the keys.
use std::time::Duration;

use migrate_diesel::core::mass::{Added, Granularity, KeySource, MassFacts, MassKind};
use migrate_diesel::core::{Reversal, Scale};
use migrate_diesel::{Migration, prelude::*};

type Db = SqliteConnection;
type Rows = Result<usize, Box<dyn std::error::Error + Send + Sync>>;

#[migration]
fn create(db: &mut Db) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
}

/// Fills
/// it.
#[mass_migration(table = "users")]
fn plain(db: &mut Db, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (db, batch.first() + batch.last());
    Ok(batch.size() as usize)
}

const UNITS: u32 = 250;

#[mass_migration(
    table = "shop.lines",
    key = ["order_id", "line no"],
    batch = UNITS,
    target = "1s 500ms",
    pause = "20ms",
    shards = 4,
    max_failures = 0,
    added = ignore,
    requires = [create, plain],
    id = "lines-2026",
    was = ["old_lines"],
    down = undo,
    databases = ["a", "b"],
    crate = ::migrate_diesel,
)]
pub fn full<'a, 'b>(db: &'b mut Session<'a, Db>, batch: &'b Batch<(i64, String)>) -> Rows {
    let _ = (db.migration(), batch.filter());
    Ok(0)
}

fn undo(db: &mut Db) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[mass_migration(
    query = "SELECT id FROM users WHERE active",
    key = "id",
    added = follow,
    irreversible = "what was there is gone",
    database = "a",
)]
fn query(_: &mut AnyConnection, _: &migrate_diesel::mass::Batch<Vec<u8>>) -> Result<(), String> {
    Ok(())
}

#[mass_migration(table = "odd names", key = "odd name")]
fn session(db: &mut Session<AnyConnection>, batch: &Batch<(i16, i32, i64, String)>) -> Result<u64, &'static str> {
    let _ = (db, batch);
    Err("no")
}

fn registered(name: &str) -> &'static Migration {
    let mut all = migrate_diesel::__private::MIGRATIONS.iter();
    all.find(|it| it.descriptor.id.name() == name).unwrap()
}

fn facts(name: &str) -> &'static MassFacts {
    &registered(name).mass.unwrap().facts
}

fn main() {
    let keys = |source, key, granularity| MassKind::Keys { source, key, granularity };

    let plain = registered("plain");
    assert_eq!(plain.descriptor.description, "Fills it.");
    assert_eq!(plain.descriptor.location.line, 19);
    assert_eq!(plain.descriptor.scale, Scale::Mass);
    assert_eq!(
        *facts("plain"),
        MassFacts {
            kind: keys(KeySource::Table("users"), &[], Granularity::Range),
            batch: 1_000,
            target: None,
            pause: Duration::ZERO,
            shards: None,
            max_failures: 100,
            added: Added::Follow,
        }
    );

    let full = registered("lines-2026");
    assert_eq!(full.descriptor.requires, migrate_diesel::migrations![create, self::plain]);
    assert_eq!(full.descriptor.was, ["old_lines"]);
    assert_eq!(full.descriptor.reversal, Reversal::Down);
    assert_eq!(full.descriptor.databases, ["a", "b"]);
    assert_eq!(
        *facts("lines-2026"),
        MassFacts {
            kind: keys(KeySource::Table("shop.lines"), &["order_id", "line no"], Granularity::Range),
            batch: 250,
            target: Some(Duration::from_millis(1_500)),
            pause: Duration::from_millis(20),
            shards: Some(4),
            max_failures: 0,
            added: Added::Ignore,
        }
    );

    let source = KeySource::Query("SELECT id FROM users WHERE active");
    assert_eq!(facts("query").kind, keys(source, &["id"], Granularity::Range));
    assert_eq!(facts("query").added, Added::Follow);
    assert_eq!(registered("query").descriptor.databases, ["a"]);
    assert_eq!(
        registered("query").descriptor.reversal,
        Reversal::Irreversible("what was there is gone")
    );
    assert_eq!(facts("session").kind, keys(KeySource::Table("odd names"), &["odd name"], Granularity::Range));
    assert_eq!(registered("create").descriptor.scale, Scale::Step);
    assert!(registered("create").mass.is_none());
}
