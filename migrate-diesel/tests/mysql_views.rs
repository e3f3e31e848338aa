//! The catalog of views of MySQL and MariaDB, on the server of `MIGRATE_TEST_MYSQL_URL`: what it tells,
//! and that nothing is lost between drop and create.
#![forbid(unsafe_code)]
#![cfg(feature = "mysql")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests, from one end to the other"
)]

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection as _, MysqlConnection, connection::SimpleConnection as _};
use migrate_diesel::{
    __private::UNREGISTERED,
    AnyConnection, View,
    backend::{
        Aspect, Dependence, Driver, Object, ObjectKind, ReadersError, Snapshot, ViewCatalog,
    },
    core::ViewKind,
};

/// A database of one test's own, with users of its own; gone with the test.
struct Scratch {
    name: String,
    users: Vec<String>,
    db: MysqlConnection,
}

impl Scratch {
    fn new(sql: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("views{}_{}", process::id(), NEXT.fetch_add(1, Relaxed));
        let mut db = open(&admin_url());
        run(
            &mut db,
            &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4; USE {name}; {sql}"),
        );
        Self {
            name,
            users: Vec::new(),
            db,
        }
    }

    /// A new user or role; what follows `CREATE`.
    fn account(&mut self, kind: &str, suffix: &str) -> String {
        let account = format!("{}{suffix}", self.name);
        let host = if kind == "USER" { "@'%'" } else { "" };
        run(&mut self.db, &format!("CREATE {kind} `{account}`{host}"));
        self.users.push(format!("{kind} `{account}`{host}"));
        account
    }

    /// A connection to this database, as another user where one is named.
    fn connect(&self, user: Option<&str>) -> MysqlConnection {
        let url = admin_url();
        let (before, _) = url.rsplit_once('/').unwrap();
        let before = match user {
            Some(user) => format!("mysql://{user}@{}", before.rsplit_once('@').unwrap().1),
            None => before.to_owned(),
        };
        open(&format!("{before}/{}", self.name))
    }

    fn sql(&mut self, sql: &str) {
        run(&mut self.db, sql);
    }

    fn dependents(&mut self, identities: &[&str]) -> Vec<String> {
        let edges = self.db.dependents(identities).unwrap();
        edges
            .into_iter()
            .map(|Dependence { on, by }| format!("{on} <- {}", by.identity))
            .collect()
    }

    fn readers(&mut self, target: &str) -> Vec<String> {
        match self.db.readers(target) {
            Ok(objects) => objects.into_iter().map(|it| it.identity).collect(),
            Err(error) => panic!("{target}: {error:?}"),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut sql = format!("DROP DATABASE IF EXISTS {}", self.name);
        for user in &self.users {
            sql.push_str(&format!("; DROP {user}"));
        }
        // A failure here hides none that matters.
        let _ = open(&admin_url()).batch_execute(&sql);
    }
}

fn admin_url() -> String {
    env::var("MIGRATE_TEST_MYSQL_URL").unwrap_or_else(|_| {
        panic!("MIGRATE_TEST_MYSQL_URL is not set; run `cargo xtask servers -- cargo test -p migrate-diesel --features mysql`")
    })
}

fn open(url: &str) -> MysqlConnection {
    MysqlConnection::establish(url).unwrap()
}

fn run(db: &mut MysqlConnection, sql: &str) {
    db.batch_execute(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The first column of the first row.
fn value(db: &mut MysqlConnection, expression: &str) -> String {
    let rows = db.rows(&format!(
        "SELECT CAST({expression} AS CHAR) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5"
    ));
    format!("{:?}", rows.unwrap())
}

const fn view(name: &'static str, sql: &'static str) -> View {
    View::new("app", "V", name, "", UNREGISTERED, ("", 0, 0)).sql(sql)
}

fn object(name: &str) -> Object {
    Object::view(name, ViewKind::Plain)
}

fn snapshots(db: &mut MysqlConnection, names: &[&str]) -> Vec<Snapshot> {
    let objects: Vec<Object> = names.iter().map(|name| object(name)).collect();
    db.snapshots(&objects.iter().collect::<Vec<_>>()).unwrap()
}

fn snapshot(db: &mut MysqlConnection, name: &str) -> Snapshot {
    snapshots(db, &[name]).pop().unwrap()
}

fn what(snapshot: &Snapshot) -> Vec<&str> {
    let properties = snapshot.properties.iter();
    properties.map(|it| it.what.as_str()).collect()
}

fn drop_view(db: &mut MysqlConnection, name: &str) {
    let sql = ViewCatalog::drop(db, &object(name));
    run(db, &sql);
}

const USERS: &str = "CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(50), active INT);
    CREATE TABLE orders (id INT, user_id INT);";

#[test]
fn views_go_by_name_and_database() {
    let mut scratch = Scratch::new(
        "CREATE TABLE users (id INT); CREATE VIEW Active AS SELECT id FROM users; CREATE VIEW `a.b` AS SELECT 1;",
    );
    let other = Scratch::new("CREATE VIEW v AS SELECT 1");
    let name = scratch.name.clone();
    let [full, in_other, dotted] = [
        format!("{name}.Active"),
        format!("{}.v", other.name),
        format!("{name}.a.b"),
    ];
    let found = scratch
        .db
        .find(&[
            "Active", &full, "users", "nothing", "v", &in_other, &dotted, "it's",
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
            None,
            Some(in_other.as_str()),
            Some(dotted.as_str()),
            None
        ]
    );
    if value(&mut scratch.db, "@@lower_case_table_names").contains('0') {
        assert_eq!(scratch.db.find(&["active"]).unwrap(), [None]);
    }
    drop_view(&mut scratch.db, &dotted);
    assert_eq!(
        scratch.db.find(&[&dotted, "Active"]).unwrap(),
        [None, Some("Active".to_owned())]
    );
}

#[test]
fn dependents_are_edges_each_once_across_databases() {
    let mut scratch = Scratch::new(USERS);
    let mut other = Scratch::new("");
    let name = scratch.name.clone();
    scratch.sql(
        "CREATE VIEW root AS SELECT id FROM users;
         CREATE VIEW `Left one` AS SELECT id FROM root WHERE id <> 'FROM aside';
         CREATE VIEW right_one AS SELECT r.id FROM root r JOIN root again;
         CREATE VIEW tip AS SELECT l.id FROM `Left one` l NATURAL JOIN right_one;
         CREATE VIEW aside AS WITH root AS (SELECT 1 AS id) SELECT id, 'root' AS root FROM root, (SELECT 1) x;",
    );
    other.sql(&format!(
        "CREATE TABLE root (id INT); CREATE VIEW far AS SELECT tip.id FROM {name}.tip; CREATE VIEW own AS SELECT id FROM root"
    ));
    let far = format!("tip <- {}.far", other.name);
    let edges = [
        "Left one <- tip",
        "right_one <- tip",
        "root <- Left one",
        "root <- right_one",
        &far,
    ];
    assert_eq!(scratch.dependents(&["root"]), edges);
    assert_eq!(scratch.dependents(&["root", "right_one", "aside"]), edges);
    assert_eq!(scratch.dependents(&["aside"]), [""; 0]);
    assert_eq!(scratch.dependents(&[]), [""; 0]);
    // Seen from the other side; and when it is down.
    let root = format!("{name}.root");
    assert_eq!(other.dependents(&[&root]).len(), 5);
    drop_view(&mut scratch.db, "root");
    assert_eq!(scratch.dependents(&["root"]), edges);
}

#[test]
fn what_reads_a_table_or_a_column() {
    for (sql, table, column) in [
        ("SELECT email FROM users", true, true),
        ("SELECT id FROM users", true, false),
        ("SELECT * FROM users", true, true),
        (
            "SELECT u.* FROM orders o JOIN users u ON u.id = o.user_id",
            true,
            true,
        ),
        (
            "SELECT o.* FROM orders o JOIN users u ON u.id = o.user_id",
            true,
            false,
        ),
        ("SELECT count(*) AS n FROM users", true, false),
        ("SELECT id FROM orders NATURAL JOIN users", true, false),
        ("SELECT id AS email FROM users", true, true),
        (
            "SELECT id FROM orders WHERE id IN (SELECT id FROM users WHERE EMAIL = '')",
            true,
            true,
        ),
        (
            "WITH u AS (SELECT * FROM users) SELECT id FROM u",
            true,
            true,
        ),
        (
            "WITH RECURSIVE u AS (SELECT 1 AS id UNION SELECT u.id + 1 FROM u JOIN users WHERE u.id < 3) SELECT id FROM u",
            true,
            false,
        ),
        (
            "SELECT id FROM orders UNION SELECT id FROM users",
            true,
            false,
        ),
        (
            "SELECT 'it\\'s FROM users' AS email FROM orders -- users",
            false,
            false,
        ),
        (
            "WITH users AS (SELECT 1 AS email) SELECT email FROM users",
            false,
            false,
        ),
        ("SELECT users.id FROM orders AS users", false, false),
        ("SELECT id AS users FROM orders", false, false),
    ] {
        let mut scratch = Scratch::new(&format!("{USERS} CREATE VIEW v AS {sql}"));
        let full = format!("{}.users", scratch.name);
        for target in ["users", &full] {
            assert_eq!(
                !scratch.readers(target).is_empty(),
                table,
                "{target}: {sql}"
            );
            let target = format!("{target}.Email");
            assert_eq!(
                !scratch.readers(&target).is_empty(),
                column,
                "{target}: {sql}"
            );
        }
    }
}

#[test]
fn a_target_that_is_not_there_is_named() {
    let mut scratch = Scratch::new(USERS);
    for (target, expected) in [
        ("userz", "there is no table `userz`"),
        ("users.emial", "table `users` has no column `emial`"),
        (
            "nowhere.users",
            "there is no table and no column `nowhere.users`",
        ),
        (
            "nowhere.users.id",
            "there is no table and no column `nowhere.users.id`",
        ),
    ] {
        match scratch.db.readers(target) {
            Err(ReadersError::NotThere(said)) => assert_eq!(said, expected),
            other => panic!("{target}: {other:?}"),
        }
    }
    assert_eq!(scratch.readers("users"), [""; 0]);
}

/// Odd names, every attribute, and texts in which quotes and backslashes matter.
const ODD: &str = "CREATE ALGORITHM = TEMPTABLE VIEW `odd ``name` AS
        SELECT id AS `a ``b`, 'it''s \\\\ \"so\"' AS text, _latin1'x' AS latin FROM users WHERE email LIKE '%\\%%';
    CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW checked AS
        SELECT id, email FROM users WHERE id > 3 WITH CASCADED CHECK OPTION;
    CREATE VIEW local_one AS SELECT id FROM checked WHERE id < 9 WITH LOCAL CHECK OPTION;
    CREATE VIEW shadowed (x) AS WITH users AS (SELECT 1 AS one) SELECT u.id FROM users, (SELECT 2) t, users AS again JOIN (SELECT 4 AS id) u;";

#[test]
fn a_view_comes_back_as_it_was() {
    let mut scratch = Scratch::new(&format!("{USERS}{ODD}"));
    // The table, not the expression: without its database the text would say the expression.
    let name = scratch.name.clone();
    scratch.sql(&format!(
        "CREATE VIEW both_users AS WITH users AS (SELECT 1 AS one) SELECT t.id, one FROM {name}.users t, users"
    ));
    let names = [
        "odd `name",
        "checked",
        "local_one",
        "shadowed",
        "both_users",
    ];
    let before = snapshots(&mut scratch.db, &names);
    let texts = definitions(&mut scratch);
    let [odd, checked, local, ..] = before.as_slice() else {
        panic!("{before:?}")
    };
    let user = value(&mut scratch.db, "CURRENT_USER()");
    assert_eq!(odd.columns, ["a `b", "text", "latin"]);
    assert_eq!(what(odd).first(), Some(&"algorithm temptable"));
    assert!(what(odd).contains(&"sql security definer"));
    let definer = what(odd)
        .into_iter()
        .find_map(|it| it.strip_prefix("definer "))
        .unwrap();
    assert!(user.contains(&definer.replace('`', "")), "{user} {definer}");
    assert_eq!(what(checked).first(), Some(&"algorithm merge"));
    assert!(what(checked).contains(&"sql security invoker"));
    assert!(what(checked).contains(&"check option cascaded"));
    assert!(what(local).contains(&"check option local"));
    assert!(before.iter().all(|it| it.lost.is_empty()), "{before:?}");

    for name in names.iter().rev() {
        drop_view(&mut scratch.db, name);
    }
    // In whatever state the session is by then.
    scratch.sql("SET SESSION sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'");
    let mode = value(&mut scratch.db, "@@SESSION.sql_mode");
    for snapshot in &before {
        run(&mut scratch.db, &snapshot.create);
    }
    assert_eq!(snapshots(&mut scratch.db, &names), before);
    assert_eq!(value(&mut scratch.db, "@@SESSION.sql_mode"), mode);
    assert_eq!(
        value(&mut scratch.db, "DATABASE()"),
        value(&mut scratch.connect(None), "DATABASE()")
    );
    assert_eq!(definitions(&mut scratch), texts);
}

/// What the server keeps of every view.
fn definitions(scratch: &mut Scratch) -> String {
    let rows = scratch.db.rows(
        "SELECT table_name AS c0, view_definition AS c1, check_option AS c2, definer AS c3, security_type AS c4, \
         collation_connection AS c5 FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY 1",
    );
    // MariaDB puts a join in parentheses or not, as it was written.
    format!("{:#?}", rows.unwrap()).replace(['(', ')'], "")
}

#[test]
fn the_collation_of_literals_comes_back() {
    let mut scratch = Scratch::new(USERS);
    scratch.sql(
        "SET @before = @@collation_connection, collation_connection = 'latin1_german1_ci';
         CREATE VIEW v AS SELECT 'x' AS literal;
         SET collation_connection = @before",
    );
    let session = value(&mut scratch.db, "@@collation_connection");
    let before = snapshot(&mut scratch.db, "v");
    assert!(
        what(&before).contains(&"collation of its literals latin1_german1_ci"),
        "{before:?}"
    );
    drop_view(&mut scratch.db, "v");
    run(&mut scratch.db, &before.create);
    assert_eq!(snapshot(&mut scratch.db, "v"), before);
    // A declared one takes it over.
    drop_view(&mut scratch.db, "v");
    let declared = view("v", "SELECT 'x' AS literal");
    for sql in scratch
        .db
        .create(&declared.descriptor, Some(&before))
        .unwrap()
    {
        run(&mut scratch.db, &sql);
    }
    assert_eq!(snapshot(&mut scratch.db, "v"), before);
    assert_eq!(value(&mut scratch.db, "@@collation_connection"), session);
}

#[test]
fn declared_views_take_over_what_they_do_not_declare() {
    let mut scratch = Scratch::new(USERS);
    let definer = scratch.account("USER", "d");
    scratch.sql(&format!(
        "CREATE ALGORITHM = MERGE DEFINER = `{definer}`@`%` SQL SECURITY INVOKER VIEW v AS
         SELECT id FROM users WHERE id > 1 WITH LOCAL CHECK OPTION"
    ));
    let old = snapshot(&mut scratch.db, "v");
    assert_eq!(old.lost, [""; 0]);
    let declared = view("v", "SELECT id, email FROM users WHERE id > 2 -- more");
    drop_view(&mut scratch.db, "v");
    for sql in scratch.db.create(&declared.descriptor, Some(&old)).unwrap() {
        run(&mut scratch.db, &sql);
    }
    let new = snapshot(&mut scratch.db, "v");
    assert_eq!(new.columns, ["id", "email"]);
    assert_eq!(new.properties, old.properties);

    // The declaration wins where it says something.
    let stricter = view("v", "SELECT id FROM users;").options(&[
        ("security_invoker", "false"),
        ("check_option", "cascaded"),
        ("algorithm", "undefined"),
        ("definer", "current_user"),
    ]);
    drop_view(&mut scratch.db, "v");
    for sql in scratch.db.create(&stricter.descriptor, Some(&old)).unwrap() {
        run(&mut scratch.db, &sql);
    }
    let new = snapshot(&mut scratch.db, "v");
    assert!(what(&new).contains(&"sql security definer"), "{new:?}");
    assert!(what(&new).contains(&"check option cascaded"), "{new:?}");
    assert!(!new.create.contains(&definer), "{new:?}");

    // And without an old one, the server decides.
    drop_view(&mut scratch.db, "v");
    for sql in scratch.db.create(&declared.descriptor, None).unwrap() {
        run(&mut scratch.db, &sql);
    }
    let new = snapshot(&mut scratch.db, "v");
    assert_eq!(what(&new).first(), Some(&"algorithm undefined"));
    assert!(what(&new).contains(&"sql security definer"), "{new:?}");
}

#[test]
fn a_view_of_hand_written_code_is_amended() {
    let mut scratch = Scratch::new(USERS);
    let definer = scratch.account("USER", "d");
    scratch.sql(&format!(
        "CREATE DEFINER = `{definer}`@`%` SQL SECURITY INVOKER VIEW v AS SELECT id FROM users WITH CASCADED CHECK OPTION;
         GRANT SELECT ON v TO `{definer}`@`%`"
    ));
    let old = snapshot(&mut scratch.db, "v");
    drop_view(&mut scratch.db, "v");
    scratch.sql("CREATE VIEW v AS SELECT id, 'a\\\\b' AS text FROM users");
    let new = snapshot(&mut scratch.db, "v");
    assert_ne!(new.properties, old.properties);
    let sql = ViewCatalog::amend(&scratch.db, &old, &new).unwrap();
    run(&mut scratch.db, &sql);
    let amended = snapshot(&mut scratch.db, "v");
    assert_eq!(amended.properties, old.properties);
    assert_eq!(amended.columns, ["id", "text"]);
    assert!(amended.create.contains("'a\\\\b'"), "{}", amended.create);
}

#[test]
fn grants_survive_a_drop_and_would_be_missed() {
    let mut scratch = Scratch::new(&format!(
        "{USERS} CREATE VIEW v AS SELECT id, email FROM users"
    ));
    let reader = scratch.account("USER", "r");
    let role = scratch.account("ROLE", "o");
    let name = scratch.name.clone();
    scratch.sql(&format!(
        "GRANT SELECT ON v TO `{reader}`@`%`; GRANT UPDATE (email), SELECT (id) ON v TO `{reader}`@`%`;
         GRANT INSERT ON v TO `{role}` WITH GRANT OPTION"
    ));
    let before = snapshot(&mut scratch.db, "v");
    let is_grant = |it: &&_| -> bool {
        matches!(
            it,
            migrate_diesel::backend::Property {
                aspect: Aspect::Grant,
                ..
            }
        )
    };
    let grants: Vec<_> = before.properties.iter().filter(is_grant).cloned().collect();
    let said: Vec<&str> = grants.iter().map(|it| it.set.as_str()).collect();
    let (on, to) = (format!("ON `{name}`.`v` TO"), format!("`{reader}`@`%`"));
    for expected in [
        format!("GRANT SELECT {on} {to}"),
        format!("GRANT SELECT (`id`) {on} {to}"),
        format!("GRANT UPDATE (`email`) {on} {to}"),
        format!("GRANT INSERT {on} `{role}`"),
        format!("GRANT USAGE {on} `{role}` WITH GRANT OPTION"),
    ] {
        assert!(said.contains(&expected.as_str()), "{expected}: {said:#?}");
    }
    assert_eq!(grants.len(), 5, "{said:#?}");
    let of_email = grants.iter().find(|it| it.set.contains("email")).unwrap();
    assert_eq!(of_email.columns, ["email"]);

    drop_view(&mut scratch.db, "v");
    run(&mut scratch.db, &before.create);
    assert_eq!(snapshot(&mut scratch.db, "v"), before);

    // A loss is seen, and can be made good.
    for grant in &grants {
        run(&mut scratch.db, &grant.unset);
    }
    let without = snapshot(&mut scratch.db, "v");
    assert_eq!(
        without.properties.len(),
        before.properties.len() - 5,
        "{without:#?}"
    );
    for grant in &grants {
        run(&mut scratch.db, &grant.set);
    }
    assert_eq!(snapshot(&mut scratch.db, "v"), before);
}

#[test]
fn an_ordinary_user_is_told_what_they_cannot_bring_back() {
    let mut scratch = Scratch::new(&format!(
        "{USERS} CREATE TABLE secrets (id INT); CREATE VIEW theirs AS SELECT id FROM secrets"
    ));
    let user = scratch.account("USER", "u");
    let role = scratch.account("ROLE", "o");
    let name = scratch.name.clone();
    scratch.sql(&format!(
        "GRANT CREATE VIEW, SHOW VIEW, DROP ON {name}.* TO `{user}`@`%`; GRANT SELECT ON users TO `{user}`@`%`;
         GRANT SELECT ON theirs TO `{user}`@`%`;
         CREATE VIEW allowed AS SELECT id FROM users; GRANT SELECT ON allowed TO `{user}`@`%`"
    ));
    let mut db = scratch.connect(Some(&user));
    run(&mut db, "CREATE VIEW ours AS SELECT id FROM users");
    scratch.sql(&format!("GRANT SELECT ON ours TO `{user}`@`%`"));
    assert_eq!(snapshot(&mut db, "ours").lost, [""; 0]);
    let lost = snapshot(&mut db, "theirs").lost;
    assert!(
        matches!(lost.as_slice(), [one] if one.starts_with("definer `") && one.contains("may not set")),
        "{lost:?}"
    );
    // Nothing stays of the questions.
    assert_eq!(
        value(&mut db, "DATABASE()"),
        value(&mut scratch.db, "DATABASE()")
    );
    assert_eq!(
        value(&mut db, "@@sql_mode"),
        value(&mut scratch.connect(Some(&user)), "@@sql_mode")
    );

    // With the privilege, by way of a role, there is still what only its maker may read.
    if value(&mut scratch.db, "VERSION()").contains("MariaDB") {
        scratch.sql(&format!(
            "GRANT SET USER ON *.* TO `{role}`; GRANT `{role}` TO `{user}`@`%`"
        ));
        run(&mut db, &format!("SET ROLE `{role}`"));
    } else {
        scratch.sql(&format!(
            "GRANT SET_USER_ID ON *.* TO `{role}`; GRANT `{role}` TO `{user}`@`%`"
        ));
        run(&mut db, &format!("SET ROLE `{role}`"));
    }
    let lost = snapshot(&mut db, "theirs").lost;
    assert!(
        matches!(lost.as_slice(), [one] if one.starts_with("it could not be created again")),
        "{lost:?}"
    );
    let allowed = snapshot(&mut db, "allowed");
    assert_eq!(allowed.lost, [""; 0]);
    drop_view(&mut db, "allowed");
    run(&mut db, &allowed.create);
    assert_eq!(snapshot(&mut db, "allowed"), allowed);
}

#[test]
fn a_view_whose_text_is_hidden_counts_as_a_reader() {
    let mut scratch = Scratch::new(&format!(
        "{USERS} CREATE VIEW v AS SELECT 1 AS one; CREATE VIEW w AS SELECT id FROM users"
    ));
    let user = scratch.account("USER", "u");
    scratch.sql(&format!(
        "GRANT SELECT ON users TO `{user}`@`%`; GRANT SELECT ON v TO `{user}`@`%`"
    ));
    let mut db = scratch.connect(Some(&user));
    let readers = db.readers("users").unwrap();
    let [hidden] = readers.as_slice() else {
        panic!("{readers:?}")
    };
    assert!(
        matches!(&hidden.kind, ObjectKind::Other(words) if words.contains("view v") && words.contains("SHOW VIEW")),
        "{hidden:?}"
    );
    let edges = db.dependents(&["w"]).unwrap();
    assert!(
        edges.iter().all(|it| it.by == *hidden) && edges.len() == 1,
        "{edges:?}"
    );
}

#[test]
fn a_broken_view_still_has_its_text() {
    let mut scratch = Scratch::new(&format!(
        "{USERS} CREATE VIEW good AS SELECT id FROM users; CREATE VIEW broken AS SELECT email FROM users;
         CREATE VIEW above AS SELECT email FROM broken; ALTER TABLE users DROP COLUMN email;"
    ));
    let all = snapshots(&mut scratch.db, &["broken", "good", "above"]);
    let columns: Vec<_> = all.iter().map(|it| it.columns.clone()).collect();
    assert_eq!(columns, [vec![], vec!["id".to_owned()], vec![]]);
    assert!(
        all.iter().all(|it| it.create.contains(" AS select ")),
        "{all:?}"
    );
    assert!(all.iter().all(|it| it.lost.is_empty()), "{all:?}");
    assert_eq!(scratch.readers("users"), ["broken", "good"]);
    assert_eq!(scratch.dependents(&["broken"]), ["broken <- above"]);
    for name in ["above", "broken"] {
        drop_view(&mut scratch.db, name);
    }
    scratch.sql("ALTER TABLE users ADD COLUMN email INT");
    for snapshot in all.iter().filter(|it| it.columns.is_empty()) {
        run(&mut scratch.db, &snapshot.create);
    }
    assert_eq!(snapshot(&mut scratch.db, "above").columns, ["email"]);
}

#[test]
fn a_snapshot_of_nothing_is_an_error_and_leaves_the_session_alone() {
    let mut scratch = Scratch::new(USERS);
    let mode = value(&mut scratch.db, "@@sql_mode");
    for name in ["nothing", "users"] {
        assert!(scratch.db.snapshots(&[&object(name)]).is_err(), "{name}");
    }
    assert_eq!(value(&mut scratch.db, "@@sql_mode"), mode);
    assert_eq!(scratch.readers("users"), [""; 0]);
}

#[test]
fn what_mysql_has_not_is_said() {
    let scratch = Scratch::new("");
    let refused = |view: View| scratch.db.create(&view.descriptor, None).unwrap_err();
    assert_eq!(
        refused(view("v", "SELECT 1").options(&[("security_barrier", "true")])),
        "option security_barrier: MySQL's views have none such"
    );
    assert_eq!(
        refused(view("v", "SELECT 1").options(&[("algorithm", "fast")])),
        "option algorithm: it is one of undefined, merge, temptable, not `fast`"
    );
    assert_eq!(
        refused(view("v", "SELECT 1").materialized()),
        "materialized views: MySQL has none"
    );
    assert!(refused(view("v", "SELECT 1; SELECT 2")).contains("more than one"));
}

#[test]
fn a_drop_does_not_wait_for_a_day() {
    let mut scratch = Scratch::new(&format!("{USERS} CREATE VIEW v AS SELECT id FROM users"));
    let before = value(&mut scratch.db, "@@SESSION.lock_wait_timeout");
    let mut reader = scratch.connect(None);
    run(&mut reader, "BEGIN; SELECT * FROM v");
    let reader_id = value(&mut reader, "CONNECTION_ID()");
    let id: String = reader_id
        .chars()
        .skip_while(|it| !it.is_ascii_digit() || *it == '0')
        .take_while(char::is_ascii_digit)
        .collect();

    let (limit, lift) = ViewCatalog::lock_timeout(&scratch.db, 300).unwrap();
    scratch.sql(&limit);
    assert!(value(&mut scratch.db, "@@SESSION.lock_wait_timeout").contains("\"1\""));
    let started = Instant::now();
    let sql = ViewCatalog::drop(&scratch.db, &object("v"));
    let error = scratch.db.batch_execute(&sql).unwrap_err();
    assert!(error.to_string().contains("timeout"), "{error}");
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    scratch.sql(&lift);
    assert_eq!(
        value(&mut scratch.db, "@@SESSION.lock_wait_timeout"),
        before
    );

    let v = object("v");
    let blockers = scratch.db.blockers(&[&v]).unwrap();
    let ours = format!("connection {id} ");
    assert!(
        blockers
            .iter()
            .any(|it| it.contains(&ours) && it.contains("idle in a transaction")),
        "{id}: {blockers:?}"
    );
    assert_eq!(scratch.db.blockers(&[]).unwrap(), [""; 0]);
    run(&mut reader, "COMMIT");
    // The next attempt gets it.
    scratch.sql(&limit);
    let waiting = thread::spawn(move || drop(reader));
    scratch.sql(&sql);
    scratch.sql(&lift);
    waiting.join().unwrap();
}

#[test]
fn the_connection_to_any_database_has_views() {
    let scratch = Scratch::new("CREATE VIEW v AS SELECT 1");
    let url = admin_url();
    let (before, _) = url.rsplit_once('/').unwrap();
    let mut db = AnyConnection::establish(&format!("{before}/{}", scratch.name)).unwrap();
    let views = Driver::views(&mut db).unwrap();
    assert_eq!(views.find(&["v"]).unwrap(), [Some("v".to_owned())]);
}
