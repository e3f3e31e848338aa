//! Every kind of body, fed by hand on SQLite: what is cut, what a body gets, what is left for a successor.

mod files;
mod keys;
mod others;

use std::{collections::HashSet, sync::Mutex};

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use migrate_core::{
    Interrupt, Location, MigrationId,
    mass::{Added, Granularity, KeySource, MassFacts, MassKind, Shard, ShardState},
    view::Unmanaged,
};

use super::{Feed, MassCode, Opening, Parameters, Piece, Unit, catalog, layout};
use crate::{
    backend::Driver as _,
    guard::{Declared, Held, Keeper, Patience},
    history::Store,
    migration::{BoxError, Erased},
    session::{Context, Steps},
};

pub(super) const HERE: Location = Location {
    file: "src/here.rs",
    line: 7,
    column: 1,
};

/// A database with what `sql` makes.
pub(super) fn database(sql: &str) -> SqliteConnection {
    let mut db = SqliteConnection::establish(":memory:").unwrap();
    db.batch_execute(sql).unwrap();
    db
}

pub(super) fn facts(kind: MassKind) -> MassFacts {
    MassFacts {
        kind,
        batch: 10,
        target: None,
        pause: std::time::Duration::ZERO,
        shards: None,
        max_failures: 0,
        added: Added::Follow,
    }
}

pub(super) fn table(table: &'static str, key: &'static [&'static str]) -> MassFacts {
    facts(MassKind::Keys {
        source: KeySource::Table(table),
        key,
        granularity: Granularity::Range,
    })
}

pub(super) fn query(query: &'static str, key: &'static [&'static str]) -> MassFacts {
    facts(MassKind::Keys {
        source: KeySource::Query(query),
        key,
        granularity: Granularity::Range,
    })
}

pub(super) fn shard(after: Option<&str>, through: Option<&str>) -> Shard {
    Shard {
        shard: 1,
        after: after.map(str::to_owned),
        through: through.map(str::to_owned),
        cursor: None,
        state: ShardState::Open,
        units: 0,
        rows: 0,
        batches: 0,
        token: 0,
        owner: None,
        leased_for: None,
        batch: None,
        rate: None,
    }
}

/// Calls `body` with a context, as the engine does.
pub(super) fn erased<R>(
    db: &mut SqliteConnection,
    body: impl FnOnce(Erased<'_>) -> Result<R, BoxError>,
) -> Result<R, BoxError> {
    let store = Store::new(db.dialect(), "migrate_history").unwrap();
    let declared = Declared::default();
    let held = Held::default();
    let interrupt = Interrupt::new();
    let mut observer = |_| {};
    let context = Context {
        id: MigrationId::new("tests", "kind"),
        store: &store,
        steps: Steps::Ignored,
        finished: Mutex::new(HashSet::new()),
        recorded: false.into(),
        observer: Mutex::new(&mut observer),
        keeper: Keeper {
            declared: &declared,
            store: &store,
            by: "tests",
            applied: &[],
            migration: None,
            unmanaged: Unmanaged::Refuse,
            patience: Patience {
                attempt: std::time::Duration::ZERO,
                budget: std::time::Duration::ZERO,
            },
            interrupt: &interrupt,
            held: &held,
        },
        interrupt: &interrupt,
        stopped: false.into(),
    };
    body(Erased {
        connection: db,
        context: &context,
    })
}

/// Cuts and runs until there is nothing more; every batch, and how many rows were changed.
pub(super) fn drain(
    feed: &mut dyn Feed,
    db: &mut SqliteConnection,
    mut cursor: Option<String>,
    limit: u32,
) -> Result<(Vec<Piece>, u64), BoxError> {
    let mut pieces = Vec::new();
    let mut rows = 0;
    while let Some(mut piece) = feed.cut(db, cursor.as_deref(), limit)? {
        rows += erased(db, |erased| feed.run(erased, &mut piece))?;
        assert!(pieces.len() < 1_000, "it never ends");
        cursor = Some(piece.last.clone());
        let unit = piece.unit;
        pieces.push(piece);
        if unit == Unit::Last {
            break;
        }
    }
    Ok((pieces, rows))
}

/// The whole of a body over keys, in one shard.
pub(super) fn run(
    code: &dyn MassCode,
    facts: &MassFacts,
    db: &mut SqliteConnection,
    limit: u32,
) -> Result<(Vec<Piece>, u64), BoxError> {
    let parameters = Parameters::new();
    let columns = catalog::columns(db, facts, code, HERE)?;
    layout::layout(db, facts, code, &columns, limit, HERE)?;
    let shard = shard(None, None);
    let mut feed = code.open(Opening {
        facts,
        columns: &columns,
        shard: &shard,
        parameters: &parameters,
    })?;
    drain(&mut *feed, db, None, limit)
}

/// The first column of a query.
pub(super) fn texts(db: &mut SqliteConnection, expression: &str, rest: &str) -> Vec<String> {
    let rows = db
        .rows(&format!(
            "SELECT CAST({expression} AS TEXT) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 {rest}"
        ))
        .unwrap();
    rows.into_iter()
        .map(|row| {
            let [text, ..] = row.into_columns();
            text.unwrap_or_default()
        })
        .collect()
}
