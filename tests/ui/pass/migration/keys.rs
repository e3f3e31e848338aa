//! Every key arrives in the descriptor.
use migrate_diesel::core::{Phase, Repeat, Reversal, TransactionMode};
use migrate_diesel::prelude::*;

/// Accounts and
/// their addresses.
///
/// Not part of the description.
#[migration]
fn plain(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(
    id = "2026-01_first\u{e9}",
    requires = [plain,],
    was = ["old", r"shop:older"],
    down = undo,
    transaction = none,
    databases = ["a", "b"],
    crate = ::migrate_diesel,
)]
fn full(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

// Another form of connection than the body's.
fn undo(db: &mut Session<SqliteConnection>) -> Result<Outcome, String> {
    let _ = db;
    Ok(Outcome::Done)
}


#[migration(irreversible = "drops a column", database = "analytics")]
fn no_way_back(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

// These two have ids that a careless encoding would take for one.
#[migration(id = "a-b")]
fn dash(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(id = "a_2d_b")]
fn underscore(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(id = "a_b")]
fn plain_underscore(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(repeat = on_change, phase = before)]
fn again(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(repeat = always, replaces = [no_way_back])]
fn always(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {
    let [again, always] = migrate_diesel::migrations![again, always];
    assert_eq!(again.get().repeat, Repeat::OnChange(Phase::Before));
    assert_eq!(always.get().repeat, Repeat::Always(Phase::After));
    assert_eq!(always.get().replaces, migrate_diesel::migrations![no_way_back]);

    let [plain, full, no_way_back] = migrate_diesel::migrations![plain, full, no_way_back];
    let (plain, full) = (plain.get(), full.get());
    assert_eq!(plain.id.name(), "plain");
    assert_eq!(plain.id.package(), env!("CARGO_CRATE_NAME"));
    assert_eq!(plain.description, "Accounts and their addresses.");
    assert_eq!(plain.location.line, 10, "the function's line, not the attribute's");
    assert_eq!(plain.location.column, 4);
    assert_eq!(plain.location.file, file!());
    assert_eq!(plain.transaction, TransactionMode::Atomic);
    assert_eq!(plain.reversal, Reversal::Unspecified);
    assert!(plain.databases.is_empty() && plain.was.is_empty() && plain.requires.is_empty());

    assert_eq!(full.id.name(), "2026-01_firsté");
    assert_eq!(full.requires, migrate_diesel::migrations![self::plain]);
    assert_eq!(full.was, ["old", "shop:older"]);
    assert_eq!(full.reversal, Reversal::Down);
    assert_eq!(full.transaction, TransactionMode::None);
    assert_eq!(full.databases, ["a", "b"]);
    assert_eq!(full.location.line, 23, "also where `crate = ..` is given");
    assert_eq!(no_way_back.get().fingerprint, plain.fingerprint, "the name is not hashed");

    assert_eq!(no_way_back.get().reversal, Reversal::Irreversible("drops a column"));
    assert_eq!(no_way_back.get().databases, ["analytics"]);
}
