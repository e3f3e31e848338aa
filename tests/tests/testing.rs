//! `migrate_diesel::testing` on every backend: databases that are where they were asked to be, that
//! are the test's own, and that go.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that panics has failed, as it should"
)]

use std::{
    panic::{self, AssertUnwindSafe},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use diesel::sql_types::BigInt;
use migrate_diesel::{
    Migrator,
    core::State,
    migrations,
    prelude::*,
    testing::{TestDatabase, TestError, Testing},
};

#[migration(down = drop_users)]
fn create_users(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100) NOT NULL)")
}

fn drop_users(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE users")
}

#[migration(requires = [create_users], down = drop_nick)]
fn add_nick(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("ALTER TABLE users ADD COLUMN nick VARCHAR(30)")
}

fn drop_nick(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("ALTER TABLE users DROP COLUMN nick")
}

#[migration(requires = [add_nick])]
fn nick_from_email(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("UPDATE users SET nick = email WHERE nick IS NULL")
}

/// Its `down` forgets the index.
#[migration(requires = [nick_from_email], down = forgets_an_index)]
fn create_notes(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE notes (id INTEGER PRIMARY KEY)")?;
    db.batch_execute("CREATE INDEX users_by_nick ON users (nick)")
}

fn forgets_an_index(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE notes")
}

#[migration(replaces = [create_users, add_nick])]
fn users(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute(
        "create table users (
             id integer PRIMARY KEY,
             nick varchar(30),
             email varchar(100) NOT NULL -- where letters go
         )",
    )
}

/// Forgets that an address is needed.
#[migration(replaces = [create_users, add_nick])]
fn careless_users(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100), nick VARCHAR(30))",
    )
}

#[migration]
fn not_yet(_: &mut AnyConnection) -> QueryResult<Outcome> {
    Ok(Outcome::NotYet("tomorrow".to_owned()))
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

#[migration]
fn counted(_: &mut AnyConnection) -> QueryResult<()> {
    RUNS.fetch_add(1, SeqCst);
    Ok(())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn count(db: &mut TestDatabase, rest: &str) -> i64 {
    let query = format!("SELECT count(*) AS count FROM {rest}");
    let row: Count = diesel::sql_query(query)
        .get_result(db.connection())
        .unwrap();
    row.count
}

fn testing(url: &str) -> Testing {
    let all = migrations![create_users, add_nick, nick_from_email, create_notes];
    Testing::new(Migrator::new(all).unwrap()).unwrap().url(url)
}

/// Step before, rows, the migration, what became of them, and back.
fn rows_before_and_after(url: &str) {
    let mut db = testing(url).before::<nick_from_email>().unwrap();
    assert_eq!(db.state::<add_nick>().unwrap(), State::Applied);
    assert_eq!(db.state::<nick_from_email>().unwrap(), State::Pending);
    let rows =
        "INSERT INTO users (id, email, nick) VALUES (1, 'ada@b.c', NULL), (2, 'bob@b.c', 'bob')";
    db.connection().batch_execute(rows).unwrap();

    db.apply::<nick_from_email>().unwrap();
    assert_eq!(count(&mut db, "users WHERE nick = 'ada@b.c'"), 1);
    assert_eq!(count(&mut db, "users WHERE nick = 'bob'"), 1);
    assert_eq!(db.state::<create_notes>().unwrap(), State::Pending);

    let error = db.revert::<nick_from_email>().unwrap_err();
    assert!(
        format!("{error:?}").contains("nick_from_email"),
        "{error:?}"
    );
    assert_eq!(db.up().unwrap().applied, 1);
    db.revert::<create_notes>().unwrap();
    assert_eq!(db.state::<create_notes>().unwrap(), State::Pending);
}

fn each_has_its_own(url: &str) {
    let testing = testing(url);
    let mut all: Vec<TestDatabase> = (0..4).map(|_| testing.migrated().unwrap()).collect();
    for (at, db) in all.iter_mut().enumerate() {
        assert_eq!(db.state::<create_notes>().unwrap(), State::Applied);
        assert_eq!(db.up().unwrap().applied, 0);
        assert_eq!(count(db, "users"), 0);
        let row = format!("INSERT INTO users (id, email) VALUES ({at}, 'x')");
        db.connection().batch_execute(&row).unwrap();
        assert_eq!(count(db, "users"), 1);
    }
    let urls: std::collections::BTreeSet<&str> = all.iter().map(|db| db.url().reveal()).collect();
    assert_eq!(urls.len(), all.len());
}

fn gone_also_after_a_panic(url: &str) {
    let db = testing(url).migrated().unwrap();
    let where_it_was = db.url().clone();
    let other = AnyConnection::open(&where_it_was).unwrap();
    let caught = panic::catch_unwind(AssertUnwindSafe(move || {
        let _db = db;
        panic!("the test fails");
    }));
    assert!(caught.is_err());
    drop(other);
    assert!(AnyConnection::open(&where_it_was).is_err());
}

fn what_down_forgets_is_told(url: &str) {
    let testing = testing(url);
    testing.reversible::<create_users>().unwrap();
    testing.reversible::<add_nick>().unwrap();
    let error = testing.reversible::<create_notes>().unwrap_err();
    let TestError::NotReversible {
        id, differences, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(id, "testing:create_notes");
    assert_eq!(differences.len(), 1, "{error:?}");
    assert!(differences.concat().contains("users_by_nick"), "{error:?}");
    let all = testing.all_reversible().unwrap_err();
    assert_eq!(format!("{all:?}"), format!("{error:?}"));
}

fn a_squash_is_compared(url: &str) {
    let with = |all: &[migrate_diesel::core::NodeRef]| {
        let migrator = Migrator::new(all.iter().copied()).unwrap();
        Testing::new(migrator).unwrap().url(url)
    };
    let good = with(&migrations![create_users, add_nick, users]);
    good.squash::<users>().unwrap();
    let careless = with(&migrations![create_users, add_nick, careless_users]);
    let error = careless.squash::<careless_users>().unwrap_err();
    let TestError::SquashDiffers { differences, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(differences.len(), 1, "{error:?}");
    assert!(
        differences.concat().to_lowercase().contains("not null"),
        "{error:?}"
    );
}

fn what_is_not_applied_is_an_error(url: &str) {
    let migrator = Migrator::new(migrations![not_yet]).unwrap();
    let testing = Testing::new(migrator).unwrap().url(url);
    let error = testing.empty().unwrap().apply::<not_yet>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`testing:not_yet` is not applied: it is deferred (tomorrow)"
    );
    let error = testing.before::<users>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`testing:users` is not among the migrations of this database"
    );
}

macro_rules! on {
    ($backend:ident: $url:expr) => {
        mod $backend {
            on! { $url; rows_before_and_after each_has_its_own gone_also_after_a_panic
                what_down_forgets_is_told a_squash_is_compared what_is_not_applied_is_an_error }
        }
    };
    ($url:expr; $($case:ident)+) => {
        $(#[test]
        fn $case() {
            super::$case(&$url);
        })+
    };
}

on!(sqlite: "sqlite://never_made.db");
on!(postgres: super::server("MIGRATE_TEST_POSTGRES_URL"));
on!(mysql: super::server("MIGRATE_TEST_MYSQL_URL"));

fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set; run `cargo xtask servers -- cargo test -p migrate-tests`")
    })
}

/// The first test's own, then once for the template of all others.
#[test]
fn many_tests_migrate_twice_where_databases_can_be_copied() {
    for (url, runs) in [
        ("sqlite://never_made.db".to_owned(), 2),
        (server("MIGRATE_TEST_POSTGRES_URL"), 2),
        (server("MIGRATE_TEST_MYSQL_URL"), 5),
    ] {
        RUNS.store(0, SeqCst);
        let migrator = Migrator::new(migrations![counted]).unwrap();
        let testing = Testing::new(migrator).unwrap().url(&url);
        for _ in 0..5 {
            testing.migrated().unwrap();
        }
        assert_eq!(
            RUNS.load(SeqCst),
            runs,
            "{}",
            testing.empty().unwrap().url()
        );
    }
}

/// A name as that of a process which was killed, and one of this process.
#[test]
fn what_dead_processes_leave_is_swept_away() {
    for (backend, url) in [
        ("postgres", server("MIGRATE_TEST_POSTGRES_URL")),
        ("mysql", server("MIGRATE_TEST_MYSQL_URL")),
    ] {
        let mut admin = AnyConnection::open(&migrate_diesel::core::DatabaseUrl::new(&url)).unwrap();
        admin
            .batch_execute("CREATE DATABASE migrate_test_1x1_1")
            .unwrap();
        // Under another URL, so that this process comes to the server as if for the first time.
        let (scheme, rest) = url.split_once("://").unwrap();
        let synonym = if scheme == "mysql" {
            "mariadb"
        } else {
            "postgresql"
        };
        let own = testing(&url).migrated().unwrap();
        let other = testing(&format!("{synonym}://{rest}")).migrated().unwrap();
        let mut exists = |name: &str| {
            let query = match backend {
                "postgres" => {
                    format!("SELECT count(*) AS count FROM pg_database WHERE datname = '{name}'")
                }
                _ => format!(
                    "SELECT count(*) AS count FROM information_schema.schemata WHERE schema_name = '{name}'"
                ),
            };
            let row: Count = diesel::sql_query(query).get_result(&mut admin).unwrap();
            row.count == 1
        };
        assert!(!exists("migrate_test_1x1_1"), "{backend}");
        for db in [&own, &other] {
            let name = db
                .url()
                .reveal()
                .split('?')
                .next()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap();
            assert!(exists(name), "{backend}: {name}");
        }
    }
}
