//! `#[requires_migration]`: who gets in when, and how often a database is asked for that. Guards are
//! the process's: each test has migrations of a database of its own.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use std::{
    error::Error,
    panic,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};

use migrate_diesel::{
    MigrationGuard, Migrator, Missing, NotMigrated,
    core::NodeRef,
    migrations,
    prelude::*,
    requires_migration,
    testing::{TestDatabase, Testing},
};

/// A migration `$name` of a database that is called so as well.
macro_rules! migration {
    ($($name:ident in $database:literal),+ $(,)?) => {
        $(#[migration(database = $database, down = nothing)]
        fn $name(_: &mut AnyConnection) -> QueryResult<()> {
            Ok(())
        })+
    };
}

migration! {
    returned in "returned", panicked in "panicked", nowhere in "nowhere", assumed in "assumed", slow in "slow",
    crowd in "crowd", lost in "lost", one in "several", two in "several",
    sqlite in "sqlite", postgres in "postgres", mysql in "mysql", squashed in "squash",
}

#[migration(database = "squash", replaces = [squashed])]
fn squash(_: &mut AnyConnection) -> QueryResult<()> {
    Ok(())
}

fn nothing(_: &mut AnyConnection) -> QueryResult<()> {
    Ok(())
}

/// An empty database for the migrations of `database`.
fn database<const N: usize>(name: &str, all: [NodeRef; N], url: &str) -> TestDatabase {
    let migrator = Migrator::new(all).unwrap().database(name);
    Testing::new(migrator).unwrap().url(url).empty().unwrap()
}

const SQLITE: &str = "sqlite://never_made.db";

/// A guard that counts how often it connects.
fn counting(name: &str, db: &TestDatabase) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, url) = (Arc::clone(&asked), db.url().clone());
    let guard = MigrationGuard::connecting(move || {
        count.fetch_add(1, SeqCst);
        AnyConnection::open(&url)
    });
    guard.database(name).install().unwrap();
    asked
}

#[requires_migration(returned)]
fn seven<T: From<u8>>(seen: &Mutex<u32>) -> Result<T, NotMigrated> {
    *seen.lock().unwrap() += 1;
    Ok(T::from(7))
}

#[test]
fn the_body_runs_once_the_migration_is_applied_and_then_nobody_is_asked() {
    let mut db = database("returned", migrations![returned], SQLITE);
    let asked = counting("returned", &db);
    let seen = Mutex::new(0);
    for _ in 0..100 {
        let error = seven::<u32>(&seen).unwrap_err();
        assert_eq!(error.id, "code_guard:returned");
        assert!(matches!(error.reason, Missing::NotApplied));
        assert_eq!(
            error.to_string(),
            "migration `code_guard:returned` is required, and not applied yet"
        );
    }
    assert_eq!((asked.load(SeqCst), *seen.lock().unwrap()), (1, 0));

    db.up().unwrap();
    // Within the second the old answer holds.
    assert!(seven::<u32>(&seen).is_err());
    thread::sleep(seven::<u32>(&seen).unwrap_err().retry_after());
    for _ in 0..100 {
        assert_eq!(seven::<u32>(&seen).unwrap(), 7);
    }
    assert_eq!((asked.load(SeqCst), *seen.lock().unwrap()), (2, 100));

    db.revert::<returned>().unwrap();
    thread::sleep(Duration::from_millis(1100));
    assert!(seven::<u32>(&seen).is_ok());
    assert_eq!(asked.load(SeqCst), 2);
}

#[requires_migration(panicked, on_missing = panic)]
fn length(text: &str) -> usize {
    text.len()
}

#[test]
fn it_panics_where_it_was_asked_to() {
    let mut db = database("panicked", migrations![panicked], SQLITE);
    counting("panicked", &db);
    let payload = panic::catch_unwind(|| length("x")).unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("`code_guard:panicked` is required"),
        "{message}"
    );
    db.up().unwrap();
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(length("abc"), 3);
}

#[requires_migration(nowhere)]
fn unguarded() -> Result<(), Box<dyn Error>> {
    Ok(())
}

#[test]
fn without_a_guard_it_says_what_to_call() {
    let error = unguarded().unwrap_err();
    assert!(
        error.to_string().contains("call `MigrationGuard::install`"),
        "{error}"
    );
}

#[requires_migration(assumed)]
fn needs_assumed() -> Result<(), NotMigrated> {
    Ok(())
}

#[test]
fn a_test_may_say_that_it_is_applied() {
    assert!(needs_assumed().is_err());
    MigrationGuard::assume_applied(migrations![assumed]);
    needs_assumed().unwrap();
    MigrationGuard::check::<assumed>().unwrap();
}

#[requires_migration(slow)]
async fn slowly(text: &str) -> Result<usize, Box<dyn Error + Send + Sync>> {
    tokio::task::yield_now().await;
    Ok(text.len())
}

/// The database answers only after another task of the same, single thread has run.
#[test]
fn async_code_goes_on_while_the_database_is_asked() {
    let mut db = database("slow", migrations![slow], SQLITE);
    db.up().unwrap();
    let (go, wait) = mpsc::channel();
    let (wait, url) = (Mutex::new(wait), db.url().clone());
    let guard = MigrationGuard::connecting(move || {
        let waited = wait.lock().unwrap().recv_timeout(Duration::from_secs(10));
        waited.map_err(|_| "nobody else got to run")?;
        AnyConnection::open(&url).map_err(|error| error.to_string())
    });
    guard.database("slow").install().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        // A future that can be sent, as servers need it.
        let several: Vec<_> = (0..3).map(|_| tokio::spawn(slowly("abc"))).collect();
        tokio::task::yield_now().await;
        go.send(()).unwrap();
        for one in several {
            assert_eq!(one.await.unwrap().unwrap(), 3);
        }
        MigrationGuard::check_async::<slow>().await.unwrap();
    });
}

#[test]
fn of_a_crowd_one_asks() {
    let mut db = database("crowd", migrations![crowd], SQLITE);
    db.up().unwrap();
    let asked = counting("crowd", &db);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| MigrationGuard::check::<crowd>().unwrap());
        }
    });
    assert_eq!(asked.load(SeqCst), 1);
}

#[test]
fn a_database_that_does_not_answer_is_a_no_and_its_password_stays_unsaid() {
    let url = "postgres://me:s3cret@127.0.0.1:1/none";
    MigrationGuard::url(url).database("lost").install().unwrap();
    let error = MigrationGuard::check::<lost>().unwrap_err();
    assert!(matches!(error.reason, Missing::NoAnswer(_)));
    let chain = migrate_diesel::core::error_chain(&error).join(": ");
    assert!(
        chain.contains("cannot connect to postgres://me:***@"),
        "{chain}"
    );
    assert!(!format!("{error:?} {chain}").contains("s3cret"));
    // The next one may.
    let mut db = database("lost", migrations![lost], SQLITE);
    db.up().unwrap();
    counting("lost", &db);
    MigrationGuard::check::<lost>().unwrap();
}

#[requires_migration(one, two)]
fn needs_both() -> Result<(), NotMigrated> {
    Ok(())
}

#[test]
fn several_have_to_be_applied() {
    let mut db = database("several", migrations![one, two], SQLITE);
    db.apply::<one>().unwrap();
    counting("several", &db);
    assert_eq!(needs_both().unwrap_err().id, "code_guard:two");
    db.apply::<two>().unwrap();
    thread::sleep(Duration::from_millis(1100));
    needs_both().unwrap();
}

#[test]
fn every_backend_is_asked() {
    fn on<M: migrate_diesel::Declared>(name: &str, url: &str) {
        let mut db = database(name, [M::NODE], url);
        let guard = MigrationGuard::url(db.url().reveal()).database(name);
        guard.install().unwrap();
        assert!(MigrationGuard::check::<M>().is_err(), "{name}");
        db.up().unwrap();
        thread::sleep(Duration::from_millis(1100));
        MigrationGuard::check::<M>().unwrap();
    }
    let server = |variable: &str| {
        std::env::var(variable).unwrap_or_else(|_| {
            panic!(
                "{variable} is not set; run `cargo xtask servers -- cargo test -p migrate-tests`"
            )
        })
    };
    on::<sqlite>("sqlite", SQLITE);
    on::<postgres>("postgres", &server("MIGRATE_TEST_POSTGRES_URL"));
    on::<mysql>("mysql", &server("MIGRATE_TEST_MYSQL_URL"));
}

#[test]
fn what_a_squash_stands_for_is_applied() {
    let mut db = database("squash", migrations![squashed, squash], SQLITE);
    counting("squash", &db);
    assert!(MigrationGuard::check::<squashed>().is_err());
    assert_eq!(db.up().unwrap().applied, 1);
    thread::sleep(Duration::from_millis(1100));
    MigrationGuard::check::<squash>().unwrap();
    MigrationGuard::check::<squashed>().unwrap();
}
