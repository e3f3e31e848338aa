//! Mass migrations in deploys: what `up` does about them, and what settles and reverts them.

use std::{thread, time::Duration};

use migrate_diesel::{
    MigrationGuard, NotMigrated, mass::MassParameters, prelude::*, requires_migration,
};
use serde::{Deserialize, Serialize};

use crate::line::{Desk, Seen};

#[migration(database = "deploy", down = drop_people)]
fn deploy_people(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0, bad INTEGER NOT NULL DEFAULT 0, \
         CHECK (n = 0 OR bad = 0));
         INSERT INTO people (id) WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 50) SELECT i FROM k",
    )
}

fn drop_people(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE people")
}

#[mass_migration(
    database = "deploy",
    requires = [deploy_people],
    table = "people",
    batch = 10,
    down = uncount
)]
fn deploy_count(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    count(db, batch)
}

fn count(db: &mut SqliteConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "UPDATE people SET n = n + 1 WHERE {}",
        batch.filter()
    ))
    .execute(db)
}

fn uncount(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("UPDATE people SET n = n - 1")
}

#[migration(database = "deploy", requires = [deploy_count], down = drop_index)]
fn deploy_index(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX people_by_n ON people (n)")
}

fn drop_index(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP INDEX people_by_n")
}

/// Does not wait for anybody.
#[migration(database = "deploy", requires = [deploy_people], down = drop_beside)]
fn deploy_beside(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE beside (id INTEGER PRIMARY KEY)")
}

fn drop_beside(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE beside")
}

#[view_manager(
    name = "counted",
    since = deploy_count,
    sql = "SELECT id FROM people WHERE n > 0"
)]
struct Counted;

#[requires_migration(deploy_count)]
fn guarded() -> Result<u32, NotMigrated> {
    Ok(7)
}

const DB: &str = "deploy";

fn desk() -> Desk {
    Desk::new(&[DB])
}

/// Rows that were counted once, and others.
#[track_caller]
fn counted(desk: &Desk, once: i64) {
    assert_eq!(desk.count(DB, "people WHERE n = 1"), once);
    assert_eq!(desk.count(DB, "people WHERE n = 0"), 50 - once);
}

/// What comes after it is there, or not.
#[track_caller]
fn after_it(desk: &Desk, there: bool) {
    assert_eq!(desk.has(DB, "people_by_n"), there, "the index");
    assert_eq!(desk.has(DB, "counted"), there, "the view");
}

#[track_caller]
fn is_blocked(seen: &Seen) {
    assert_eq!(seen.code, 1, "{seen:?}");
    seen.says(&["mass:deploy_index", "mass:deploy_count", "mass run"]);
}

#[test]
fn a_deploy_starts_it_and_what_requires_it_waits() {
    let desk = desk();
    let url = format!("sqlite://{}", desk.file(DB).display());
    MigrationGuard::url(url).database(DB).install().unwrap();
    for _ in 0..2 {
        is_blocked(&desk.types("up"));
        assert!(desk.has(DB, "beside"), "nothing else waits");
        after_it(&desk, false);
        counted(&desk, 0);
        assert_eq!(desk.state(DB, "deploy_count"), "enqueued");
        assert_eq!(desk.count(DB, "migrate_history_mass"), 1);
    }
    assert_ne!(desk.types("check").code, 0);
    let missing = guarded().unwrap_err();
    desk.does("mass work --once");
    counted(&desk, 50);
    desk.does("up");
    after_it(&desk, true);
    desk.does("check");
    thread::sleep(missing.retry_after() + Duration::from_millis(100));
    assert_eq!(guarded().unwrap(), 7);
}

#[test]
fn in_its_place_where_that_is_asked_for() {
    let desk = desk();
    desk.does("up --mass inline");
    counted(&desk, 50);
    after_it(&desk, true);
    assert_eq!(desk.state(DB, "deploy_count"), "succeeded");
}

#[test]
fn inline_does_the_rest_of_what_was_begun() {
    let desk = desk();
    is_blocked(&desk.types("up"));
    desk.sql(DB, "UPDATE people SET bad = 1 WHERE id = 15");
    assert_eq!(desk.types("mass run deploy_count --max-failures 0").code, 1);
    let done = desk.count(DB, "people WHERE n = 1");
    assert!(done > 0 && done < 50, "{done}");
    desk.sql(DB, "UPDATE people SET bad = 0");
    desk.does("mass retry deploy_count");
    desk.does("up --mass inline");
    counted(&desk, 50);
}

#[test]
fn left_alone() {
    let desk = desk();
    is_blocked(&desk.types("up --mass leave"));
    assert_eq!(desk.state(DB, "deploy_count"), "pending");
    // Now those whose requirements are applied.
    desk.does("mass run");
    counted(&desk, 50);
    desk.does("up --mass leave");
    after_it(&desk, true);
}

#[test]
fn one_that_fails_inline_fails_the_deploy() {
    let desk = desk();
    is_blocked(&desk.types("up --mass leave"));
    desk.sql(DB, "UPDATE people SET bad = 1 WHERE id = 15");
    let seen = desk.types("up --mass inline");
    assert_eq!(seen.code, 1, "{seen:?}");
    seen.says(&["1 unit is in quarantine", "mass failures"]);
    counted(&desk, 49);
    after_it(&desk, false);
    // A deploy does not overrule who has to look at it.
    let seen = desk.types("up");
    is_blocked(&seen);
    seen.says(&["failed"]);
    desk.sql(DB, "UPDATE people SET bad = 0");
    desk.does("mass retry deploy_count");
    desk.does("mass run deploy_count");
    desk.does("up");
    counted(&desk, 50);
    after_it(&desk, true);
}

#[test]
fn marked_as_applied_nobody_works_on_it_any_more() {
    let desk = desk();
    is_blocked(&desk.types("up"));
    desk.does("mark deploy_count --applied --yes");
    assert_eq!(desk.state(DB, "deploy_count"), "succeeded");
    desk.does("mass work --once");
    desk.does("mass run deploy_count");
    counted(&desk, 0);
    desk.does("up");
    after_it(&desk, true);
    assert_eq!(desk.state(DB, "deploy_count"), "succeeded");
    assert_eq!(desk.count(DB, "migrate_history"), 4);
}

#[test]
fn a_database_that_is_there_already() {
    let desk = desk();
    desk.sql(
        DB,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0);
         INSERT INTO people (id) VALUES (1);
         CREATE TABLE beside (id INTEGER); CREATE INDEX people_by_n ON people (n)",
    );
    desk.does("baseline --yes");
    desk.does("up");
    assert_eq!(desk.state(DB, "deploy_count"), "succeeded");
    assert_eq!(desk.count(DB, "people WHERE n = 0"), 1, "no work");
    assert!(desk.has(DB, "counted"));
}

#[test]
fn reverted_it_is_pending_and_can_be_run_anew() {
    let desk = desk();
    desk.does("up --mass inline");
    desk.does("down deploy_count --yes");
    counted(&desk, 0);
    after_it(&desk, false);
    assert_eq!(desk.state(DB, "deploy_count"), "pending");
    is_blocked(&desk.types("up"));
    desk.does("mass run deploy_count");
    counted(&desk, 50);
    desk.does("up");
    after_it(&desk, true);
    assert_eq!(desk.count(DB, "migrate_history_mass"), 2);
    let seen = desk.does("log");
    seen.says(&["reverted", "succeeded"]);
}

/// What its cursor says is done is gone with the table.
#[test]
fn what_it_builds_on_is_reverted_and_so_it_begins_anew() {
    let desk = desk();
    is_blocked(&desk.types("up"));
    desk.sql(DB, "UPDATE people SET bad = 1 WHERE id = 35");
    assert_eq!(desk.types("mass run deploy_count --max-failures 0").code, 1);
    assert!(desk.count(DB, "people WHERE n = 1") > 0);
    desk.does("down deploy_people --yes");
    assert_eq!(desk.state(DB, "deploy_count"), "pending");
    desk.does("log")
        .says(&["`mass:deploy_people` was reverted"]);
    for line in ["mass run deploy_count", "mass retry deploy_count"] {
        assert_ne!(desk.types(line).code, 0, "{line}");
    }
    desk.types("mass run deploy_count")
        .says(&["requires `mass:deploy_people`"]);
    desk.does("mass work --once");
    desk.does("up --mass inline");
    counted(&desk, 50);
    after_it(&desk, true);
}

#[mass_migration(databases = ["store_*"], query = "SELECT 1 AS id", key = "id")]
fn store_fill(db: &mut SqliteConnection, _: &Batch<i64>) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE filled (id INTEGER PRIMARY KEY)")
}

#[migration(database = "head_office", requires = [store_fill])]
fn head_office_sums(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE sums (id INTEGER PRIMARY KEY)")
}

#[test]
fn several_databases_have_a_run_each() {
    let desk = Desk::new(&["head_office", "store_a", "store_b"]);
    let seen = desk.types("up");
    assert_eq!(seen.code, 1, "{seen:?}");
    seen.says(&["mass:store_fill", "mass:head_office_sums"]);
    assert!(!desk.has("head_office", "sums"));
    desk.does("mass run store_fill --database store_a");
    assert_eq!(desk.state("store_a", "store_fill"), "succeeded");
    assert_eq!(desk.state("store_b", "store_fill"), "enqueued");
    assert_ne!(desk.types("up").code, 0);
    assert!(!desk.has("head_office", "sums"), "one store is not enough");
    desk.does("mass run");
    assert!(desk.has("store_a", "filled") && desk.has("store_b", "filled"));
    desk.does("up");
    assert!(desk.has("head_office", "sums"));
    // Inline, from the beginning.
    let desk = Desk::new(&["head_office", "store_a", "store_b"]);
    desk.does("up --mass inline");
    assert!(desk.has("head_office", "sums"));
}

#[derive(Serialize, Deserialize, MassParameters)]
struct Told {
    /// Whose, which no deploy knows.
    shop: String,
}

#[mass_migration(database = "told", parameters = Told)]
fn told_load(db: &mut SqliteConnection, told: &Told) -> QueryResult<()> {
    db.batch_execute(&format!(
        "CREATE TABLE {} (id INTEGER PRIMARY KEY)",
        told.shop
    ))
}

#[migration(database = "told")]
fn told_others(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE others (id INTEGER PRIMARY KEY)")
}

#[test]
fn what_has_to_be_told_something_holds_no_deploy_up() {
    let desk = Desk::new(&["told"]);
    for _ in 0..2 {
        let seen = desk.does("up");
        seen.says(&[
            "`shop` is missing",
            "`mass run mass:told_load -p NAME=VALUE`",
        ]);
        assert!(!seen.err.contains("enqueued"), "{seen:?}");
        assert!(desk.has("told", "others"));
        assert_eq!(desk.state("told", "told_load"), "pending");
    }
    desk.does("status").says(&["mass migration, not started"]);
    desk.does("mass run told_load -p shop=corner");
    assert!(desk.has("told", "corner"));
    desk.does("up")
        .says(&["nothing to do: 2 migrations applied"]);
}

#[test]
fn what_is_left_alone_is_named() {
    let desk = Desk::new(&["told"]);
    desk.does("up --mass leave").says(&["1 left to `mass run`"]);
    desk.does("up --mass leave")
        .says(&["nothing to do: 1 migration applied, 1 left to `mass run`"]);
    let rehearsed = desk.does("up --mass leave --dry-run --format json");
    assert!(
        rehearsed
            .out
            .contains("\"left\": [\n      \"mass:told_load\""),
        "{rehearsed:?}"
    );
    desk.does("up --mass leave --dry-run")
        .says(&["left mass:told_load: a mass migration, for `mass run mass:told_load`"]);
}
