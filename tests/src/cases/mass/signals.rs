//! What holds a run back, and what a batch costs.

use std::{sync::mpsc, thread, time::Duration};

use migrate_diesel::{
    core::{Interrupt, mass::MassState},
    mass::{LockWaits, Paced, Query, ReplicaLag, Sessions, Throttle},
    prelude::*,
};

use super::{Mass, succeeded};
use crate::database::{Backend, Scratch};

static SALE: Paced<Query> = Paced::new(Query::new("SELECT reason FROM mass_sale"))
    .every(Duration::ZERO)
    .back_off(Duration::from_millis(50));

#[mass_migration(database = "mass_held", table = "mass_held", batch = 1, throttle = [SALE])]
pub(crate) fn mass_held(db: &mut AnyConnection, batch: &Batch<i32>) -> QueryResult<usize> {
    // The sale begins.
    if *batch.first() == 3 {
        db.batch_execute("INSERT INTO mass_sale VALUES ('sale until 8')")?;
    }
    diesel::sql_query(format!(
        "UPDATE mass_held SET n = n + 1 WHERE {}",
        batch.filter()
    ))
    .execute(db)
}

struct StopAtTheEnd<'i>(&'i Interrupt);

impl Drop for StopAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}

/// A signal holds a run back between two batches, says why, and lets it go on.
pub fn a_signal_holds_back_and_says_why(scratch: &Scratch) {
    scratch.sql(
        "CREATE TABLE mass_held (id INTEGER NOT NULL PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0)",
    );
    scratch.sql("CREATE TABLE mass_sale (reason VARCHAR(50))");
    scratch.sql("INSERT INTO mass_held (id) VALUES (1), (2), (3), (4), (5), (6)");
    let mass = Mass::new(scratch, "mass_held", "mass_held");
    let interrupt = Interrupt::new();
    thread::scope(|scope| {
        let run = scope.spawn(|| mass.work(1, Duration::from_secs(15), &interrupt, &mut |_| {}));
        // A run that is held back would wait for a test that has failed.
        let _stop = StopAtTheEnd(&interrupt);
        let held = mass.wait_for(|status| status.state == MassState::Throttled);
        assert_eq!(held.reason.as_deref(), Some("sale until 8"), "{held:?}");
        assert_eq!(held.progress.units, 3);
        thread::sleep(Duration::from_millis(200));
        assert_eq!(mass.status().progress.units, 3);
        scratch.sql("DELETE FROM mass_sale");
        succeeded(&run.join().unwrap());
    });
    let once = "SELECT count(*) AS value FROM mass_held WHERE n = 1";
    assert_eq!(scratch.number(once), 6);
}

/// Signals of a server, and that SQLite has none.
pub fn signals_of_a_server(scratch: &Scratch) {
    let check = |signal: &dyn Throttle| {
        let mut db = scratch.connect();
        signal.check(&mut db).map_err(|error| error.to_string())
    };
    let lag = ReplicaLag::above(Duration::from_secs(1));
    match scratch.backend {
        Backend::Sqlite => {
            assert!(check(&LockWaits::above(0)).is_err());
            assert!(check(&lag).is_err());
            return;
        }
        // Nothing replicates from it.
        Backend::Postgres => assert_eq!(check(&lag), Ok(None)),
        Backend::Mysql => {
            assert!(check(&lag).unwrap_err().contains(".of("));
            // It is no replica.
            let itself = lag.of("MIGRATE_TEST_MYSQL_URL");
            assert_eq!(
                check(&itself),
                Ok(Some("the replica is not replicating".to_owned()))
            );
        }
    }
    let nowhere = ReplicaLag::above(Duration::from_secs(1)).of("MIGRATE_TEST_NOWHERE");
    assert!(
        check(&nowhere)
            .unwrap_err()
            .contains("`MIGRATE_TEST_NOWHERE`")
    );
    assert_eq!(check(&LockWaits::above(10_000)), Ok(None));
    assert_eq!(check(&Sessions::above(10_000)), Ok(None));
    scratch.sql("CREATE TABLE mass_waits (id INTEGER NOT NULL PRIMARY KEY, n INTEGER)");
    scratch.sql("INSERT INTO mass_waits VALUES (1, 0)");
    let update = "UPDATE mass_waits SET n = n + 1 WHERE id = 1";
    let (done, is_done) = mpsc::channel();
    thread::scope(|scope| {
        let mut holder = scratch.connect();
        holder.batch_execute("BEGIN").unwrap();
        holder.batch_execute(update).unwrap();
        scope.spawn(move || {
            scratch.sql(update);
            done.send(()).unwrap();
        });
        let mut said = None;
        for _ in 0..60 {
            said = check(&LockWaits::above(0)).unwrap();
            if said.is_some() {
                break;
            }
            // InnoDB makes its list anew only when nobody has asked for 100 ms.
            thread::sleep(Duration::from_millis(150));
        }
        let said = said.unwrap();
        assert!(said.contains("wait for locks, more than 0"), "{said}");
        assert!(
            check(&Sessions::above(0))
                .unwrap()
                .unwrap()
                .contains("busy")
        );
        holder.batch_execute("COMMIT").unwrap();
        is_done.recv().unwrap();
    });
}

#[derive(QueryableByName)]
struct PostgresPlan {
    #[diesel(sql_type = diesel::sql_types::Text)]
    #[diesel(column_name = "QUERY PLAN")]
    line: String,
}

#[derive(QueryableByName)]
struct SqlitePlan {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct MysqlPlan {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    key: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    #[diesel(column_name = "type")]
    how: Option<String>,
}

fn by_index(db: &mut AnyConnection, sql: &str) -> QueryResult<bool> {
    Ok(match Backend::of(db) {
        Backend::Postgres => diesel::sql_query(format!("EXPLAIN {sql}"))
            .load::<PostgresPlan>(db)?
            .iter()
            .any(|it| it.line.contains("Index Scan")),
        Backend::Sqlite => diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"))
            .load::<SqlitePlan>(db)?
            .iter()
            .all(|it| it.detail.contains("SEARCH")),
        Backend::Mysql => diesel::sql_query(format!("EXPLAIN {sql}"))
            .load::<MysqlPlan>(db)?
            .iter()
            .all(|it| it.key.as_deref() == Some("PRIMARY") && it.how.as_deref() != Some("index")),
    })
}

#[mass_migration(
    database = "mass_skewed",
    table = "mass_skewed",
    batch = 200,
    shards = 3
)]
pub(crate) fn mass_skewed(
    db: &mut AnyConnection,
    batch: &Batch<(i32, i32)>,
) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let update = format!("UPDATE mass_skewed SET n = n + 1 WHERE {}", batch.filter());
    if !by_index(db, &update)? {
        return Err(format!("the whole table is read: {update}").into());
    }
    Ok(diesel::sql_query(update).execute(db)?)
}

/// A batch is found by the index, however few values its first column has.
pub fn the_index_answers(scratch: &Scratch) {
    scratch.sql(
        "CREATE TABLE mass_skewed (tenant INTEGER NOT NULL, number INTEGER NOT NULL, n INTEGER NOT NULL DEFAULT 0, \
         filler VARCHAR(100), PRIMARY KEY (tenant, number))",
    );
    for tenant in 1..=2 {
        scratch.sql(&format!(
            "INSERT INTO mass_skewed (tenant, number, filler) \
             WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 900), \
             l(j) AS (SELECT 1 UNION ALL SELECT j + 1 FROM l WHERE j < 11) \
             SELECT {tenant}, j * 1000 + i, 'something that makes the row as long as rows are' FROM k CROSS JOIN l"
        ));
    }
    scratch.sql(match scratch.backend {
        Backend::Mysql => "ANALYZE TABLE mass_skewed",
        _ => "ANALYZE mass_skewed",
    });
    let mass = Mass::new(scratch, "mass_skewed", "mass_skewed");
    let status = mass.run(1);
    let failures = mass.program().mass().failures(mass.id, 1).unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    succeeded(&status);
    assert_eq!(status.progress.rows, 19_800);
}
