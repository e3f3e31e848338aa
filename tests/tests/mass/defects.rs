//! What is wrong with other tools, and is not wrong here: django-mass-migration (D), maintenance_tasks (M).
//!
//! Elsewhere:
//!
//! | defect | is not here: |
//! |---|---|
//! | D4, D6, M3: orders and failures that stop nothing | `signals.rs`, `sleepers.rs` |
//! | D5, D7, D8: attempts that get in each other's way | `sleepers.rs` |
//! | D11, D14: names of files cut wrongly, loaded twice, ignored | `tests/new.rs`; a requirement is a path that rustc checks |
//! | D15: requirements that do not exist, or go round in a circle | `tests/ui.rs`, and the graph's own tests |
//! | D16: a guard that was open once is never closed | `guards.rs` |
//! | D18: a typo in a guard is an error of the first request | a guard's path does not compile: `tests/ui.rs` |
//! | M1, M2, M4, M5: what a killed worker leaves, one worker for a run | `proof.rs` |
//! | M9: a CSV file read as a whole, and counted wrongly | `cases/mass/kinds.rs` |
//! | M14: a comparison of several columns by OR | `cases/mass/keys.rs`, `types.rs` |
//!
//! Cannot apply: D12 is a warning of the wrong class about a deprecated key, and there is none. D13, D21 are about
//! interfaces to one task queue. M15 is about rows that a worker and a page write in turn: here the shards' rows are
//! the workers', the run's row the people's. The pages and the admin of D19, M11 belong to no part of this.

use std::{thread, time::Duration};

use migrate_diesel::{
    MigrationGuard, NotMigrated,
    backend::Driver,
    mass::{MassParameters, Throttle},
    prelude::*,
    requires_migration,
};
use serde::{Deserialize, Serialize};

use crate::line::Desk;

const DB: &str = "defects";

const TABLE: &str = "CREATE TABLE things (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0, bad INTEGER NOT NULL DEFAULT 0, \
     CHECK (n = 0 OR bad = 0));
     INSERT INTO things (id) WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 50) SELECT i FROM k";

#[mass_migration(
    database = "defects",
    table = "things",
    batch = 10,
    shards = 1,
    before = note_begin
)]
fn defect_count(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "UPDATE things SET n = n + 1 WHERE {}",
        batch.filter()
    ))
    .execute(db)
}

/// Where somebody wants to know how often it is called.
fn note_begin(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE IF NOT EXISTS begun (id INTEGER PRIMARY KEY); INSERT INTO begun DEFAULT VALUES",
    )
}

#[migration(database = "defects", requires = [defect_count])]
fn defect_after(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE after_it (id INTEGER PRIMARY KEY)")
}

#[requires_migration(defect_count)]
fn guarded() -> Result<u32, NotMigrated> {
    Ok(7)
}

fn desk() -> Desk {
    let desk = Desk::new(&[DB]);
    desk.sql(DB, TABLE);
    desk
}

/// One whose run failed at row 25.
fn failed(line: &str) -> Desk {
    let desk = desk();
    desk.sql(DB, "UPDATE things SET bad = 1 WHERE id = 25");
    let seen = desk.types(line);
    // M10: `perform` exits with 0 whatever happened.
    assert_eq!(seen.code, 1, "{seen:?}");
    assert_eq!(desk.state(DB, "defect_count"), "failed");
    desk
}

/// D1, D2: installed as its instructions say, it does not run: parts and tables are missing.
#[test]
fn it_needs_nothing_that_nobody_made() {
    let desk = desk();
    desk.does("mass list");
    assert!(
        !desk.has(DB, "migrate_history_mass"),
        "a look writes nothing"
    );
    desk.does("mass run defect_count");
    assert_eq!(desk.count(DB, "things WHERE n = 1"), 50);
    desk.does("up");
}

/// D3: a run with errors is applied all the same, for guards and for what requires it. D17: a test
/// opens guards, or whatever has that word among its arguments.
#[test]
fn a_failed_run_is_not_applied_for_anybody() {
    let desk = failed("mass run defect_count");
    let url = format!("sqlite://{}", desk.file(DB).display());
    MigrationGuard::url(url).database(DB).install().unwrap();
    let missing = guarded().unwrap_err();
    assert_eq!(desk.types("up").code, 1);
    assert!(!desk.has(DB, "after_it"));
    assert_ne!(desk.types("mass list --exit-code").code, 0);
    assert_eq!(desk.count(DB, "migrate_history"), 0);
    desk.does("mass failures defect_count --skip 25 --reason nobody_needs_it");
    desk.does("up");
    assert!(desk.has(DB, "after_it"));
    thread::sleep(missing.retry_after() * 2);
    assert_eq!(guarded().unwrap(), 7);
}

/// D4: the error is noted where the workers do not look, and they go on.
#[test]
fn it_stops_at_the_first_failure_where_it_is_to() {
    let desk = failed("mass run defect_count --max-failures 0");
    assert_eq!(desk.count(DB, "things WHERE n = 1 AND id > 30"), 0);
    let told = desk.told(DB, "defect_count");
    assert_eq!(told["progress"]["failures"], 1, "{told}");
}

/// D9: what the list offers and what a start accepts are not the same.
#[test]
fn what_is_said_to_be_next_can_be_done() {
    let desk = failed("mass run defect_count");
    let seen = desk.types("mass run defect_count");
    assert_eq!(seen.code, 1, "{seen:?}");
    seen.says(&["`mass retry` goes on"]);
    desk.sql(DB, "UPDATE things SET bad = 0");
    desk.does("mass retry defect_count");
    desk.does("mass run defect_count");
    desk.does("mass run defect_count");
    assert_eq!(desk.count(DB, "things WHERE n = 1"), 50);
    let seen = desk.types("mass retry defect_count");
    assert_eq!(seen.code, 1, "{seen:?}");
}

/// D10, D19: a database that nobody knows breaks every page; so does one without the tables.
#[test]
fn one_database_does_not_hide_another() {
    let desk = Desk::new(&[DB, "defects_too"]);
    desk.sql(DB, TABLE);
    desk.does("mass run defect_count");
    let seen = desk.does("mass list");
    seen.says(&[
        "mass:defect_count",
        "succeeded",
        "mass:defect_elsewhere",
        "pending",
    ]);
    let seen = desk.types("mass list --database nowhere");
    assert_eq!(seen.code, 2, "{seen:?}");
    seen.says(&["nowhere", DB]);
    let seen = desk.types("mass run defect_nothing");
    assert_eq!(seen.code, 2, "{seen:?}");
    seen.says(&["defect_nothing"]);
}

#[mass_migration(database = "defects_too")]
fn defect_elsewhere(_: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

/// D19: a record whose file is gone is an error of the page, or is not seen.
#[test]
fn a_run_of_code_that_is_gone_harms_nobody() {
    let desk = desk();
    desk.does("mass run defect_count --detach");
    desk.sql(
        DB,
        "UPDATE migrate_history_mass SET id = 'mass:defect_gone', live = 'mass:defect_gone'",
    );
    desk.does("mass list");
    desk.does("mass work --once");
    desk.does("mass run defect_count");
    assert_eq!(desk.count(DB, "things WHERE n = 1"), 50);
    assert_eq!(
        desk.count(
            DB,
            "migrate_history_mass WHERE id = 'mass:defect_gone' AND state = 'enqueued'"
        ),
        1
    );
    desk.does("log").says(&["mass:defect_count"]);
}

/// D20, M7: the last error alone is kept, of no unit; nobody knows who did what.
#[test]
fn every_failure_is_kept_with_its_unit_and_every_order_with_its_person() {
    let desk = desk();
    desk.sql(DB, "UPDATE things SET bad = 1 WHERE id IN (7, 25, 26)");
    assert_eq!(desk.types("mass run defect_count").code, 1);
    let seen = desk.does("mass failures defect_count");
    seen.says(&["7", "25", "26", "CHECK constraint failed"]);
    desk.does("mass failures defect_count --skip-all --reason nobody_needs_them");
    assert_eq!(desk.state(DB, "defect_count"), "succeeded");
    let seen = desk.does("mass failures defect_count");
    seen.says(&["nobody_needs_them"]);
    let anonymous = "migrate_history_log WHERE run_by IS NULL OR run_by = ''";
    assert_eq!(desk.count(DB, anonymous), 0);
    desk.does("log")
        .says(&["nobody_needs_them", "enqueued", "failed", "succeeded"]);
}

/// M6: after a resume it has just been started, counted anew, and what comes before it is done twice.
#[test]
fn a_resume_begins_nothing_anew() {
    let desk = failed("mass run defect_count --max-failures 0");
    let before = desk.told(DB, "defect_count");
    desk.sql(DB, "UPDATE things SET bad = 0");
    desk.does("mass retry defect_count");
    desk.does("mass run defect_count");
    let after = desk.told(DB, "defect_count");
    for key in ["run", "started_at", "created_at"] {
        assert_eq!(before["run"][key], after["run"][key], "{key}");
        assert!(!after["run"][key].is_null(), "{key}: {after}");
    }
    assert_eq!(before["progress"]["total"], after["progress"]["total"]);
    assert_eq!(desk.count(DB, "begun"), 1);
    assert_eq!(desk.count(DB, "things WHERE n = 1"), 50);
}

/// As long as there is such a row.
struct Closed;

impl Throttle for Closed {
    fn check(&self, ask: &mut dyn Driver) -> Result<Option<String>, migrate_diesel::BoxError> {
        let rows = ask.rows(
            "SELECT id AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM things WHERE n = 99",
        )?;
        Ok((!rows.is_empty()).then(|| "the shop is open".to_owned()))
    }

    fn back_off(&self) -> Duration {
        Duration::from_secs(30)
    }
}

static CLOSED: Closed = Closed;

#[mass_migration(database = "defects_throttled", throttle = [CLOSED])]
fn defect_throttled(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("UPDATE things SET n = n + 1")
}

/// M8: what is held back looks interrupted, and nobody says why and until when.
#[test]
fn what_holds_it_back_is_shown() {
    const THROTTLED: &str = "defects_throttled";
    let desk = Desk::new(&[THROTTLED]);
    desk.sql(THROTTLED, TABLE);
    desk.sql(THROTTLED, "UPDATE things SET n = 99 WHERE id = 1");
    let told = thread::scope(|scope| {
        let run = scope.spawn(|| desk.types("mass run defect_throttled"));
        let told = loop {
            let told = desk.told(THROTTLED, "defect_throttled");
            if told["state"] == "throttled" {
                break told;
            }
            assert!(!run.is_finished(), "{:?}", run.join().unwrap());
            thread::sleep(Duration::from_millis(20));
        };
        desk.does("mass cancel defect_throttled");
        assert_eq!(run.join().unwrap().code, 1);
        told
    });
    let reason = told["reason"].as_str().unwrap();
    assert!(reason.contains("the shop is open"), "{told}");
    assert!(
        told["run"]["throttled_for_ms"].as_f64().unwrap() > 0.0,
        "{told}"
    );
    assert_eq!(desk.count(THROTTLED, "things WHERE n = 1"), 0);
}

#[derive(Serialize, Deserialize, MassParameters)]
struct Access {
    /// Whose.
    shop: String,
    #[parameter(masked)]
    token: String,
}

#[mass_migration(database = "defects_secret", parameters = Access)]
fn defect_secret(db: &mut SqliteConnection, access: &Access) -> QueryResult<()> {
    assert!(
        access.token.is_empty(),
        "a panic that says nothing of {}",
        access.shop
    );
    db.batch_execute("SELECT 1")
}

/// M11: what is masked in the page goes to logs and events as it is.
#[test]
fn a_secret_is_shown_nowhere() {
    const SECRET: &str = "xyzzy-42";
    let desk = Desk::new(&["defects_secret"]);
    let run = format!("mass run defect_secret -p shop=corner -p token={SECRET} --format json");
    let mut all = vec![desk.types(&run)];
    assert_eq!(all[0].code, 1, "{all:?}");
    for line in [
        "mass list",
        "mass status defect_secret",
        "mass status defect_secret --format json",
        "mass failures defect_secret",
        "log",
        "log --format json",
        "status",
    ] {
        all.push(desk.does(line));
    }
    assert!(all[3].out.contains("corner"), "{:?}", all[3]);
    for seen in &all {
        assert!(
            !seen.out.contains(SECRET) && !seen.err.contains(SECRET),
            "{seen:?}"
        );
    }
    assert_eq!(
        desk.count(
            "defects_secret",
            &format!("migrate_history_log WHERE detail LIKE '%{SECRET}%'")
        ),
        0
    );
}

#[mass_migration(
    database = "defects_repeated",
    query = "SELECT 1 AS id UNION ALL SELECT 2",
    key = "id",
    parameters = Access
)]
fn defect_repeated(
    _: &mut SqliteConnection,
    _: &Batch<i64>,
    access: &Access,
) -> Result<(), String> {
    Err(format!(
        "{} does not open with {}",
        access.shop, access.token
    ))
}

/// Beyond M11: bodies repeat in an error what they were given.
#[test]
fn a_secret_that_an_error_repeats_is_shown_nowhere() {
    const SECRET: &str = "plugh-43";
    let desk = Desk::new(&["defects_repeated"]);
    let run = format!("mass run defect_repeated -p shop=corner -p token={SECRET}");
    let mut all = vec![desk.types(&run)];
    for line in [
        "mass failures defect_repeated",
        "mass failures defect_repeated --format json",
        "log --format json",
    ] {
        all.push(desk.does(line));
    }
    all[1].says(&["corner does not open with ***"]);
    for seen in &all {
        assert!(
            !seen.out.contains(SECRET) && !seen.err.contains(SECRET),
            "{seen:?}"
        );
    }
    let stored = format!("migrate_history_quarantine WHERE error LIKE '%{SECRET}%'");
    assert_eq!(desk.count("defects_repeated", &stored), 0);
}

/// M12: with more rows than there were at first, the rest is negative, and shown as if it were not.
#[test]
fn what_is_left_is_never_less_than_nothing() {
    let desk = failed("mass run defect_count --max-failures 0");
    desk.sql(
        DB,
        "UPDATE things SET bad = 0;
         INSERT INTO things (id, bad) WITH RECURSIVE k(i) AS (SELECT 51 UNION ALL SELECT i + 1 FROM k WHERE i < 150) \
         SELECT i, i = 140 FROM k",
    );
    desk.does("mass retry defect_count");
    assert_eq!(desk.types("mass run defect_count").code, 1);
    let told = desk.told(DB, "defect_count");
    let progress = &told["progress"];
    assert!(
        progress["units"].as_i64() > progress["total"].as_i64(),
        "{told}"
    );
    assert!(
        progress["eta_ms"].as_f64().is_none_or(|left| left >= 0.0),
        "{told}"
    );
    for line in ["mass list", "mass status defect_count"] {
        let seen = desk.does(line);
        assert!(
            seen.out.contains("100 %") && !seen.out.contains(" -"),
            "{seen:?}"
        );
    }
}
