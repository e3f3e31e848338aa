//! Every kind of body, with hooks, signals and parameters.
use migrate_diesel::core::mass::{Granularity, KeySource, MassFacts, MassKind};
use migrate_diesel::mass::{Field, FieldKind, LockWaits, MassParameters, ReplicaLag, Secrecy};
use migrate_diesel::{BoxError, Migration, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(QueryableByName)]
struct User {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    id: i64,
}

#[derive(Deserialize)]
struct Zip {
    code: String,
}

#[derive(Serialize, Deserialize)]
struct Amount {
    rows: u64,
}

impl MassParameters for Amount {
    const FIELDS: &'static [Field] = &[Field {
        name: "rows",
        help: "how many",
        kind: FieldKind::Integer,
        default: Some("10"),
        choices: &[],
        secrecy: Secrecy::Shown,
    }];
}

#[derive(Clone, Serialize, Deserialize)]
struct Page {
    token: String,
}

#[mass_migration(table = "users", before = prepare, after = tidy, on_error = tell)]
fn rows(db: &mut SqliteConnection, user: &User) -> QueryResult<()> {
    let _ = (db, user.id);
    Ok(())
}

#[mass_migration(query = "SELECT id FROM users", key = "id", parameters = Amount, after = tidy_with)]
fn rows_of_a_query(db: &mut Session<SqliteConnection>, user: &User, amount: &Amount) -> Result<usize, BoxError> {
    let _ = (db, user.id, amount.rows);
    Ok(1)
}

#[mass_migration(items = letters, batch = 2)]
fn items(db: &mut SqliteConnection, item: &char) -> QueryResult<()> {
    let _ = (db, item);
    Ok(())
}

fn letters(after: Option<u32>) -> Result<impl Iterator<Item = Result<(u32, char), BoxError>>, BoxError> {
    let from = after.map_or(0, |it| it + 1);
    Ok((from..3).zip("abc".chars().skip(from as usize)).map(Ok))
}

#[mass_migration(csv = "data/${rows}.csv", parameters = self::Amount, throttle = [LAG])]
fn csv(db: &mut SqliteConnection, zip: &Zip, _: &Amount) -> QueryResult<()> {
    let _ = (db, &zip.code);
    Ok(())
}

#[mass_migration(throttle = [LAG, signals::LOCKS], target = "1s")]
fn custom(db: &mut Session<AnyConnection>, at: &Cursor<Page>) -> Result<Next<Page>, BoxError> {
    let _ = (db, at.limit());
    match at.position() {
        Some(_) => Ok(Next::Done),
        None => Ok(Next::More { cursor: Page { token: String::new() }, units: 1 }),
    }
}

#[mass_migration(parameters = Amount)]
fn custom_with(db: &mut SqliteConnection, at: &migrate_diesel::mass::Cursor<(i64, String)>, amount: &Amount) -> Result<Next<(i64, String)>, String> {
    let _ = (db, at, amount);
    Ok(Next::Done)
}

#[mass_migration]
fn simple(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[mass_migration(parameters = Amount, before = prepare, on_error = tell_with)]
fn simple_with(db: &mut AnyConnection, amount: &Amount) -> QueryResult<usize> {
    let _ = db;
    Ok(amount.rows as usize)
}

fn prepare(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn tidy(db: &mut Session<SqliteConnection>) -> Result<usize, BoxError> {
    let _ = db;
    Ok(0)
}

fn tidy_with(db: &mut SqliteConnection, amount: &Amount) -> QueryResult<()> {
    let _ = (db, amount);
    Ok(())
}

fn tell(db: &mut SqliteConnection, why: &str) -> QueryResult<()> {
    let _ = (db, why);
    Ok(())
}

fn tell_with(db: &mut SqliteConnection, why: &str, amount: &Amount) -> QueryResult<()> {
    let _ = (db, why, amount);
    Ok(())
}

static LAG: ReplicaLag = ReplicaLag::above(std::time::Duration::from_secs(5));

mod signals {
    pub static LOCKS: super::LockWaits = super::LockWaits::above(10);
}

fn registered(name: &str) -> &'static Migration {
    let mut all = migrate_diesel::__private::MIGRATIONS.iter();
    all.find(|it| it.descriptor.id.name() == name).unwrap()
}

fn facts(name: &str) -> &'static MassFacts {
    &registered(name).mass.unwrap().facts
}

fn main() {
    let keys = |source, key| MassKind::Keys { source, key, granularity: Granularity::Row };
    assert_eq!(facts("rows").kind, keys(KeySource::Table("users"), &[]));
    assert_eq!(facts("rows_of_a_query").kind, keys(KeySource::Query("SELECT id FROM users"), &["id"]));
    for (name, kind) in [
        ("items", MassKind::Items),
        ("csv", MassKind::Items),
        ("custom", MassKind::Custom),
        ("custom_with", MassKind::Custom),
        ("simple", MassKind::Simple),
        ("simple_with", MassKind::Simple),
    ] {
        assert_eq!(facts(name).kind, kind, "{name}");
    }

    let mass = |name| registered(name).mass.unwrap();
    let hooks = |name| (mass(name).before.is_some(), mass(name).after.is_some(), mass(name).on_error.is_some());
    assert_eq!(hooks("rows"), (true, true, true));
    assert_eq!(hooks("rows_of_a_query"), (false, true, false));
    assert_eq!(hooks("simple_with"), (true, false, true));
    assert_eq!(mass("custom").throttle.len(), 2);
    assert_eq!(mass("csv").throttle.len(), 1);

    for name in ["rows_of_a_query", "csv", "custom_with", "simple_with"] {
        let fields: Vec<_> = mass(name).code.fields().iter().map(|it| it.name).collect();
        assert_eq!(fields, ["rows"], "{name}");
    }
    assert!(mass("rows").code.fields().is_empty());
}
