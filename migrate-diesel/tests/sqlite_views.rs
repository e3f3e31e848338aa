//! SQLite's catalog of views: what it tells, and that nothing is lost between drop and create.
#![forbid(unsafe_code)]
#![cfg(feature = "sqlite")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests, from one end to the other"
)]

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use migrate_diesel::{
    __private::UNREGISTERED,
    AnyConnection, View,
    backend::{
        Aspect, Dependence, Driver, Object, ObjectKind, ReadersError, Snapshot, ViewCatalog,
    },
    core::{ViewDescriptor, ViewKind},
};

fn database(sql: &str) -> SqliteConnection {
    let mut db = SqliteConnection::establish(":memory:").unwrap();
    db.batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    db
}

const fn view(name: &'static str, sql: &'static str) -> View {
    View::new("app", "V", name, "", UNREGISTERED, ("", 0, 0)).sql(sql)
}

fn object(name: &str) -> Object {
    Object::view(name, ViewKind::Plain)
}

fn created(db: &SqliteConnection, view: &ViewDescriptor) -> Result<Vec<String>, String> {
    ViewCatalog::create(db, view, None)
}

fn readers(db: &mut SqliteConnection, target: &str) -> Vec<String> {
    match db.readers(target) {
        Ok(objects) => objects.into_iter().map(|it| it.identity).collect(),
        Err(error) => panic!("{target}: {error:?}"),
    }
}

/// `on <- by`, in order.
fn dependents(db: &mut SqliteConnection, identities: &[&str]) -> Vec<String> {
    let mut edges: Vec<String> = db
        .dependents(identities)
        .unwrap()
        .into_iter()
        .map(|Dependence { on, by }| {
            assert_eq!(by.kind, ObjectKind::View);
            format!("{on} <- {}", by.identity)
        })
        .collect();
    edges.sort();
    edges
}

fn snapshots(db: &mut SqliteConnection, names: &[&str]) -> Vec<Snapshot> {
    let objects: Vec<Object> = names.iter().map(|name| object(name)).collect();
    db.snapshots(&objects.iter().collect::<Vec<_>>()).unwrap()
}

fn run(db: &mut SqliteConnection, sql: &str) {
    db.batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[test]
fn views_go_by_their_names_in_any_case() {
    let mut db = database(
        "CREATE TABLE users (id); CREATE VIEW Active AS SELECT id FROM users; CREATE VIEW \"a.b\" AS SELECT 1; \
         CREATE TEMP VIEW passing AS SELECT 1;",
    );
    let found = db
        .find(&[
            "active",
            "MAIN.ACTIVE",
            "users",
            "nothing",
            "a.b",
            "passing",
            "it's",
        ])
        .unwrap();
    let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
    assert_eq!(
        found,
        [
            Some("Active"),
            Some("Active"),
            None,
            None,
            Some("a.b"),
            None,
            None
        ]
    );
    assert_eq!(db.find(&[]).unwrap(), [None; 0]);
}

#[test]
fn dependents_are_edges_each_once() {
    let mut db = database(
        "CREATE TABLE users (id, email);
         CREATE VIEW root AS SELECT id FROM users;
         CREATE VIEW \"Left one\" AS SELECT id FROM ROOT;
         CREATE VIEW [right] AS SELECT r.id FROM main.root r, root again;
         CREATE VIEW tip AS SELECT 1 FROM \"left ONE\" JOIN `right` USING (id);
         CREATE VIEW aside AS SELECT 'FROM root' AS root FROM users -- root
         ;",
    );
    let edges = [
        "Left one <- tip",
        "right <- tip",
        "root <- Left one",
        "root <- right",
    ];
    assert_eq!(dependents(&mut db, &["root"]), edges);
    // Several at once, one of them above another.
    assert_eq!(dependents(&mut db, &["root", "right", "aside"]), edges);
    assert_eq!(dependents(&mut db, &["right"]), ["right <- tip"]);
    assert_eq!(dependents(&mut db, &["tip"]), [""; 0]);
}

#[test]
fn dependents_of_a_view_that_is_not_there_are_seen() {
    let mut db = database("CREATE VIEW tip AS SELECT 1 FROM root");
    assert_eq!(dependents(&mut db, &["root"]), ["root <- tip"]);
}

/// Definitions, and whether they read `totals` and its column `amount`.
const DEFINITIONS: &[(&str, bool, bool)] = &[
    ("SELECT amount FROM totals", true, true),
    ("SELECT id FROM totals", true, false),
    ("SELECT * FROM totals", true, true),
    ("SELECT t.* FROM totals AS t", true, true),
    (
        "SELECT o.* FROM other o JOIN totals t ON t.id = o.id",
        true,
        false,
    ),
    ("SELECT count(*) FROM totals", true, false),
    ("SELECT 2 * id FROM totals", true, false),
    ("SELECT \"amount\" FROM \"totals\"", true, true),
    ("SELECT [Amount] FROM [TOTALS]", true, true),
    ("SELECT id FROM main.totals ORDER BY amount", true, true),
    ("SELECT id FROM 'totals'", true, false),
    (
        "SELECT id FROM other WHERE id IN totals_ids OR id IN (SELECT id FROM totals)",
        true,
        false,
    ),
    ("SELECT 1 AS x WHERE (1, 2) IN totals", true, false),
    (
        "SELECT id FROM (other JOIN (totals) USING (id))",
        true,
        false,
    ),
    ("SELECT id FROM other NATURAL JOIN totals", true, true),
    (
        "SELECT t.id FROM other, totals_ids, totals t GROUP BY t.id",
        true,
        false,
    ),
    ("SELECT (SELECT max(amount) FROM totals) AS x", true, true),
    (
        "SELECT id FROM other UNION ALL SELECT amount FROM totals",
        true,
        true,
    ),
    (
        "SELECT id FROM other WHERE id IS NOT DISTINCT FROM id AND EXISTS (SELECT 1 FROM totals)",
        true,
        false,
    ),
    (
        "WITH t AS (SELECT id FROM totals) SELECT id FROM t",
        true,
        false,
    ),
    (
        "WITH totals AS (SELECT * FROM main.totals) SELECT 1 AS x FROM totals",
        true,
        true,
    ),
    (
        "WITH t AS (SELECT id FROM u), u AS (SELECT id FROM totals) SELECT id FROM t",
        true,
        false,
    ),
    (
        "SELECT id FROM (WITH totals AS (SELECT 1 AS id) SELECT id FROM totals), totals t USING (id)",
        true,
        false,
    ),
    (
        "SELECT sum(id) OVER w AS x FROM totals WINDOW w AS (PARTITION BY id, amount)",
        true,
        true,
    ),
    ("VALUES ((SELECT id FROM totals))", true, false),
    (
        "WITH totals(amount) AS (SELECT 1) SELECT amount FROM totals",
        false,
        false,
    ),
    (
        "WITH RECURSIVE totals AS (SELECT 1 AS amount UNION SELECT amount + 1 FROM totals LIMIT 3) SELECT amount FROM totals",
        false,
        false,
    ),
    (
        "SELECT sum(id) AS totals FROM other ORDER BY totals",
        false,
        false,
    ),
    ("SELECT totals.id FROM other AS totals", false, false),
    (
        "SELECT totals.id FROM other totals, totals_ids",
        false,
        false,
    ),
    (
        "SELECT 'FROM totals' AS amount, \"id\" FROM other -- , totals",
        false,
        false,
    ),
    (
        "SELECT id FROM other /* JOIN totals */ WHERE id <> 'amount'",
        false,
        false,
    ),
    ("SELECT value FROM json_each('[1]')", false, false),
    (
        "SELECT id IS DISTINCT FROM totals AS x FROM (SELECT id, id AS totals FROM other)",
        false,
        false,
    ),
];

const TABLES: &str = "CREATE TABLE other (id, amount); CREATE TABLE totals_ids (id INTEGER);";

#[test]
fn what_reads_a_table_or_a_column() {
    for (sql, table, column) in DEFINITIONS {
        let mut db = database(&format!(
            "{TABLES} CREATE TABLE totals (id, amount); CREATE VIEW v AS {sql}"
        ));
        assert_eq!(!readers(&mut db, "totals").is_empty(), *table, "{sql}");
        assert_eq!(
            !readers(&mut db, "totals.amount").is_empty(),
            *column,
            "{sql}"
        );
        assert_eq!(
            !readers(&mut db, "main.Totals.Amount").is_empty(),
            *column,
            "{sql}"
        );
    }
}

/// SQLite's own word for it: what reads the table or the column is another thing when that is gone.
#[test]
fn sqlite_itself_agrees() {
    let columns = |db: &mut SqliteConnection| -> Result<Vec<String>, String> {
        // A view's names and types; fails when something it reads is not there.
        let rows = db.rows(
            "SELECT name || ' ' || type AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM pragma_table_info('v')",
        );
        rows.map(|rows| rows.iter().map(|row| format!("{row:?}")).collect())
            .map_err(|error| error.to_string())
    };
    for (sql, table, column) in DEFINITIONS {
        let mut db = database(&format!(
            "{TABLES} CREATE TABLE totals (id INTEGER, amount INTEGER); CREATE VIEW v AS {sql}"
        ));
        let before = columns(&mut db);
        assert!(before.is_ok(), "{sql}: {before:?}");
        run(&mut db, "DROP TABLE totals");
        assert_eq!(columns(&mut db) != before, *table, "{sql}");
        run(&mut db, "CREATE TABLE totals (id INTEGER, total INTEGER)");
        let after = columns(&mut db);
        // A natural join changes its meaning, not its columns.
        if after != before {
            assert!(column, "{sql}: {after:?}");
        }
    }
}

#[test]
fn a_target_that_is_not_there_is_named() {
    let mut db = database(
        "CREATE TABLE users (id, twice AS (2 * id)); CREATE VIEW v AS SELECT id FROM users",
    );
    for (target, expected) in [
        ("userz", "there is no table `userz`"),
        ("users.emial", "table `users` has no column `emial`"),
        ("USERS.emial", "table `users` has no column `emial`"),
        ("main.userz", "there is no table and no column `main.userz`"),
        (
            "other.users",
            "there is no table and no column `other.users`",
        ),
        (
            "other.users.id",
            "there is no table and no column `other.users.id`",
        ),
    ] {
        match db.readers(target) {
            Err(ReadersError::NotThere(said)) => assert_eq!(said, expected),
            other => panic!("{target}: {other:?}"),
        }
    }
    for target in ["users", "main.users", "users.id", "main.users.id"] {
        assert_eq!(readers(&mut db, target), ["v"], "{target}");
    }
    assert_eq!(readers(&mut db, "users.twice"), [""; 0]);
    // A view can be asked about as well.
    assert_eq!(readers(&mut db, "v.id"), [""; 0]);
}

const TRIGGERED: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email);
    CREATE TABLE log (line);
    CREATE VIEW \"all \"\"users\"\"\" AS SELECT id, email FROM users;
    CREATE TRIGGER \"in\"\"sert\" INSTEAD OF INSERT ON \"all \"\"users\"\"\" BEGIN INSERT INTO log VALUES ('first; ' || NEW.email); END;
    CREATE TRIGGER second INSTEAD OF INSERT ON \"all \"\"users\"\"\" BEGIN INSERT INTO log VALUES ('second'); END;
    CREATE VIEW plain AS SELECT id FROM \"all \"\"users\"\"\";";

const TRIGGERED_NAME: &str = "all \"users\"";

fn log(db: &mut SqliteConnection) -> String {
    run(
        db,
        "DELETE FROM log; INSERT INTO \"all \"\"users\"\"\" VALUES (1, 'a@b')",
    );
    let rows = db.rows("SELECT group_concat(line) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM log");
    format!("{:?}", rows.unwrap())
}

#[test]
fn triggers_come_back_in_their_order() {
    let mut db = database(TRIGGERED);
    let fired = log(&mut db);
    let before = snapshots(&mut db, &[TRIGGERED_NAME, "plain"]);
    let [triggered, plain] = before.as_slice() else {
        panic!("{before:?}")
    };
    assert_eq!(triggered.columns, ["id", "email"]);
    assert_eq!(plain.columns, ["id"]);
    let what: Vec<&str> = triggered
        .properties
        .iter()
        .map(|it| it.what.as_str())
        .collect();
    assert_eq!(what, ["trigger in\"sert", "trigger second"]);
    assert!(
        triggered
            .properties
            .iter()
            .all(|it| it.aspect == Aspect::Trigger)
    );
    assert_eq!(
        (
            plain.properties.len(),
            plain.lost.len(),
            triggered.lost.len()
        ),
        (0, 0, 0)
    );

    // Leaves first; then, roots first, what each was, and what hung on it.
    for snapshot in before.iter().rev() {
        let sql = ViewCatalog::drop(&db, &snapshot.object);
        run(&mut db, &sql);
    }
    assert_eq!(db.find(&[TRIGGERED_NAME, "plain"]).unwrap(), [None, None]);
    for snapshot in &before {
        run(&mut db, &snapshot.create);
        for property in &snapshot.properties {
            run(&mut db, &property.set);
        }
    }
    assert_eq!(snapshots(&mut db, &[TRIGGERED_NAME, "plain"]), before);
    assert_eq!(log(&mut db), fired);

    let unset = triggered.properties.iter().map(|it| &it.unset);
    for sql in unset {
        run(&mut db, sql);
    }
    let bare = snapshots(&mut db, &[TRIGGERED_NAME]);
    assert!(bare.iter().all(|it| it.properties.is_empty()), "{bare:?}");
}

#[test]
fn a_broken_view_has_no_columns_and_hides_nobodys() {
    let mut db = database(
        "CREATE TABLE users (id); CREATE TABLE gone (id);
         CREATE VIEW good AS SELECT id FROM users; CREATE VIEW broken AS SELECT id FROM gone; DROP TABLE gone;",
    );
    let both = snapshots(&mut db, &["broken", "good"]);
    let columns: Vec<_> = both.iter().map(|it| it.columns.clone()).collect();
    assert_eq!(columns, [vec![], vec!["id".to_owned()]]);
    let create = both.first().map(|it| it.create.as_str());
    assert_eq!(create, Some("CREATE VIEW broken AS SELECT id FROM gone"));
}

#[test]
fn a_probe_fails_for_a_broken_view_alone() {
    let mut db = database(
        "CREATE TABLE users (id); CREATE VIEW good AS SELECT id FROM users; CREATE VIEW \"a.b\" AS SELECT 1;
         CREATE VIEW broken AS SELECT email FROM users; CREATE VIEW above AS SELECT * FROM broken;",
    );
    for (name, works) in [
        ("good", true),
        ("main.good", true),
        ("a.b", true),
        ("broken", false),
        ("above", false),
        ("nothing", false),
    ] {
        let probe = ViewCatalog::probe(&db, name).unwrap();
        assert_eq!(db.batch_execute(&probe).is_ok(), works, "{probe}");
    }
}

#[test]
fn a_snapshot_of_nothing_is_an_error() {
    let mut db = database("CREATE TABLE users (id)");
    let error = db.snapshots(&[&object("users")]).unwrap_err();
    assert_eq!(error.to_string(), "there is no view users");
}

#[test]
fn declared_views_are_created() {
    let mut db = database("CREATE TABLE users (id, active)");
    let with_comment = view(
        "main.active_users",
        "SELECT id FROM users -- all; of them\n WHERE active; -- end",
    );
    let odd = view("a \"b\" c", "SELECT id\nFROM active_users;");
    for view in [&with_comment, &odd] {
        for sql in created(&db, &view.descriptor).unwrap() {
            run(&mut db, &sql);
        }
    }
    let found = db.find(&["active_users", "a \"b\" c"]).unwrap();
    assert!(found.iter().all(Option::is_some), "{found:?}");
    assert_eq!(
        dependents(&mut db, &["active_users"]),
        ["active_users <- a \"b\" c"]
    );
    let sql = ViewCatalog::drop(&db, &object("a \"b\" c"));
    assert_eq!(sql, "DROP VIEW main.\"a \"\"b\"\" c\"");
    run(&mut db, &sql);
    // Not IF EXISTS.
    assert!(db.batch_execute(&sql).is_err());
}

#[test]
fn what_sqlite_has_not_is_said() {
    let db = database("");
    let refused = |view: View| created(&db, &view.descriptor).unwrap_err();
    for (option, value) in [
        ("security_invoker", "true"),
        ("security_barrier", "true"),
        ("check_option", "local"),
        ("algorithm", "merge"),
        ("definer", "root@localhost"),
    ] {
        let options: &'static [(&str, &str)] = Box::leak(Box::new([(option, value)]));
        assert_eq!(
            refused(view("v", "SELECT 1").options(options)),
            format!("option {option}: SQLite's views have none")
        );
    }
    assert_eq!(
        refused(view("v", "SELECT 1").materialized()),
        "materialized views: SQLite has none"
    );
    assert!(refused(view("reporting.v", "SELECT 1")).contains("reporting.v"));
    assert!(refused(view("v", "SELECT 1; SELECT 2")).contains("more than one"));
}

#[test]
fn the_connection_to_any_database_has_views() {
    let mut db = AnyConnection::establish(":memory:").unwrap();
    db.batch_execute("CREATE VIEW v AS SELECT 1").unwrap();
    let views = Driver::views(&mut db).unwrap();
    assert_eq!(views.find(&["v"]).unwrap(), [Some("v".to_owned())]);
}
