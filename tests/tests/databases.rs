//! Several databases of one program, in SQLite files: tenants, and requirements between databases.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests, from one end to the other"
)]

use std::{fs, io::Cursor, path::PathBuf};

use diesel::{RunQueryDsl as _, dsl::sql, sql_types::BigInt};
use migrate_cli::{Input, Invocation, Live, Program, Stream, StreamKind, Streams};
use migrate_diesel::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

#[migration(down = drop_users)]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
}

fn drop_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE users")
}

/// After users, which are in another database.
#[migration(database = "analytics", requires = [create_users], down = drop_facts)]
fn create_facts(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE facts (id INTEGER PRIMARY KEY)")
}

fn drop_facts(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE facts")
}

/// And back: the two take turns.
#[migration(requires = [create_facts], down = drop_sums)]
fn create_sums(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE sums (id INTEGER PRIMARY KEY)")
}

fn drop_sums(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE sums")
}

#[migration(databases = ["tenant_*"])]
fn create_orders(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
}

#[migration(databases = ["tenant_*"], requires = [create_orders])]
fn index_orders(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX orders_id ON orders (id)")
}

/// Every tenant has to be there.
#[migration(requires = [index_orders, create_sums])]
fn count_tenants(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE tenants (id INTEGER PRIMARY KEY)")
}

/// What a run left.
#[derive(Debug)]
struct Seen {
    code: u8,
    out: String,
    err: String,
}

impl Seen {
    /// `database: id` of these events, in order.
    fn events(&self, event: &str) -> Vec<String> {
        let lines = self
            .out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|line: &Value| line["event"] == event)
            .map(|line| {
                let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
                let id = text("id").replace("databases:", "");
                format!("{}: {id}", text("database"))
                    .trim_end_matches(": ")
                    .to_owned()
            })
            .collect()
    }
}

/// A directory with a configuration.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new(names: &[&str]) -> Self {
        let place = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(place.directory.path().join(".git")).unwrap();
        place.configure(names);
        place
    }

    fn configure(&self, names: &[&str]) {
        let tables = names
            .iter()
            .map(|name| format!("[databases.{name}]\nurl = \"sqlite://{name}.db\"\n"));
        let file = self.directory.path().join("migrate.toml");
        fs::write(file, tables.collect::<String>()).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.db"))
    }

    fn open(&self, name: &str) -> SqliteConnection {
        SqliteConnection::establish(self.file(name).to_str().unwrap()).unwrap()
    }

    fn has(&self, name: &str, table: &str) -> bool {
        let count = format!("(SELECT count(*) FROM sqlite_master WHERE name = '{table}')");
        let count: i64 = diesel::select(sql::<BigInt>(&count))
            .get_result(&mut self.open(name))
            .unwrap();
        count == 1
    }

    fn types(&self, line: &str) -> Seen {
        let program = Program {
            name: "migrate",
            version: "0.1.0",
            manifest_dir: "",
        };
        let invocation = Invocation {
            args: line.split_whitespace().map(Into::into).collect(),
            environment: Vec::new(),
            directory: self.directory.path().to_owned(),
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams = Streams {
            stdin: Input {
                reader: &mut Cursor::new(Vec::new()),
                kind: StreamKind::Pipe,
            },
            stdout: Stream {
                writer: &mut out,
                kind: StreamKind::Pipe,
            },
            stderr: Stream {
                writer: &mut err,
                kind: StreamKind::Pipe,
            },
            live: Live::Off,
        };
        let app = migrate_diesel::Program::new(&[]);
        let code = migrate_cli::run(&program, &app, &invocation, streams);
        Seen {
            code,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }
}

const FOUR: [&str; 4] = ["default", "analytics", "tenant_a", "tenant_b"];

#[test]
fn databases_take_turns_until_everything_is_applied() {
    for jobs in [1, 4] {
        let place = Place::new(&FOUR);
        let seen = place.types(&format!("up --format json --jobs {jobs}"));
        assert_eq!(seen.code, 0, "{}\n{}", seen.out, seen.err);
        let applied = seen.events("applied");
        let at = |what: &str| applied.iter().position(|it| it == what).unwrap();
        assert_eq!(applied.len(), 8, "{applied:?}");
        let chain = [
            "default: create_users",
            "analytics: create_facts",
            "default: create_sums",
            "default: count_tenants",
        ];
        assert!(
            chain.windows(2).all(|it| at(it[0]) < at(it[1])),
            "{applied:?}"
        );
        for tenant in ["tenant_a: index_orders", "tenant_b: index_orders"] {
            assert!(at(tenant) < at("default: count_tenants"), "{applied:?}");
        }
        let finished = seen.events("finished");
        assert_eq!(finished.len(), 4, "each ends once: {finished:?}");
        assert_eq!(finished.last().unwrap(), "default");

        let seen = place.types(&format!("up --format json --jobs {jobs}"));
        assert_eq!(
            (seen.code, seen.events("applied").len()),
            (0, 0),
            "{}",
            seen.err
        );
        assert_eq!(place.types("check").code, 0);
    }
}

#[test]
fn many_tenants_of_which_one_is_broken() {
    let tenants: Vec<String> = (0..20).map(|at| format!("tenant_{at:02}")).collect();
    let names: Vec<&str> = ["default", "analytics"]
        .into_iter()
        .chain(tenants.iter().map(String::as_str))
        .collect();
    let place = Place::new(&names);
    place
        .open("tenant_07")
        .batch_execute("CREATE TABLE orders (other TEXT)")
        .unwrap();
    let seen = place.types("up --jobs 4 --stop-after 3");
    assert_eq!(seen.code, 1);
    for name in &tenants {
        assert_eq!(place.has(name, "orders_id"), name != "tenant_07", "{name}");
    }
    assert!(
        seen.err.contains("table orders already exists") || seen.err.contains("table `orders`"),
        "{}",
        seen.err
    );
    assert!(
        seen.err.contains(
            "requires `databases:index_orders`, which is pending in database `tenant_07`"
        ),
        "{}",
        seen.err
    );
    assert!(
        seen.err.contains("next:  run `up --database tenant_07`"),
        "{}",
        seen.err
    );
    let table: Vec<&str> = seen
        .err
        .lines()
        .skip_while(|line| !line.starts_with("database  "))
        .collect();
    assert_eq!(table.len(), 1 + names.len(), "{}", seen.err);
    let row = |name: &str| {
        table
            .iter()
            .find(|it| it.starts_with(name))
            .unwrap()
            .to_string()
    };
    assert!(
        row("default").ends_with("blocked, exit 1"),
        "{}",
        row("default")
    );
    assert!(row("tenant_07").ends_with("failed, exit 1"));
    assert!(row("tenant_08").ends_with("done"));

    place
        .open("tenant_07")
        .batch_execute("DROP TABLE orders")
        .unwrap();
    let seen = place.types("up --jobs 4");
    assert_eq!(seen.code, 0, "{}", seen.err);
    assert!(place.has("default", "tenants"));
}

#[test]
fn one_that_is_not_there_yet_is_named_with_what_to_run() {
    let place = Place::new(&FOUR);
    let waits = "requires `databases:create_users`, which is pending in database `default`";
    let seen = place.types("up --database analytics");
    assert_eq!(seen.code, 1);
    assert!(seen.err.contains(waits), "{}", seen.err);
    assert!(
        seen.err.contains("next:  run `up --database default`"),
        "{}",
        seen.err
    );
    assert!(!place.file("default").exists(), "it was only looked at");

    for line in ["plan", "status", "check"] {
        let seen = place.types(&format!("{line} --database analytics"));
        assert!(seen.out.contains(waits), "{line}: {}", seen.out);
        assert!(
            seen.out.contains("run `up --database default`"),
            "{line}: {}",
            seen.out
        );
    }
    let seen = place.types("plan --database analytics --format json");
    let plan: Value = serde_json::from_str(&seen.out).unwrap();
    let blocked = &plan[0]["blocked"][0];
    assert_eq!(blocked["id"], "databases:create_facts");
    assert_eq!(blocked["database"], "default");
    assert_eq!(blocked["waits_for"], "databases:create_users");
    assert_eq!(blocked["next"], "run `up --database default`");

    // What can be done is done, and then it is the other one's turn.
    let seen = place.types("up --database default");
    assert_eq!(seen.code, 1, "{}", seen.err);
    assert!(place.has("default", "users"));
    let seen = place.types("up --database analytics");
    assert_eq!(seen.code, 0, "{}", seen.err);
}

#[test]
fn one_that_cannot_be_asked_is_said() {
    let place = Place::new(&["analytics"]);
    let seen = place.types("up --database analytics");
    assert_eq!(seen.code, 1);
    assert!(
        seen.err.contains(
            "requires `databases:create_users` of database `default`, which is not configured"
        ),
        "{}",
        seen.err
    );
    place.configure(&FOUR);
    fs::write(
        place.file("default"),
        "no database, but a text that is long enough".repeat(40),
    )
    .unwrap();
    let seen = place.types("up --database analytics");
    assert_eq!(seen.code, 1);
    assert!(
        seen.err
            .contains("of database `default`, which gives no answer: "),
        "{}",
        seen.err
    );
}

#[test]
fn a_plan_of_all_counts_what_it_applies_itself() {
    let place = Place::new(&FOUR);
    let seen = place.types("plan --format json");
    assert_eq!(seen.code, 0, "{}", seen.err);
    let plans: Value = serde_json::from_str(&seen.out).unwrap();
    let plans = plans.as_array().unwrap();
    assert!(
        plans
            .iter()
            .all(|it| it["blocked"].as_array().unwrap().is_empty()),
        "{}",
        seen.out
    );
    let steps: usize = plans
        .iter()
        .map(|it| it["steps"].as_array().unwrap().len())
        .sum();
    assert_eq!(steps, 8);
    let seen = place.types("up --dry-run");
    assert_eq!(seen.code, 0, "{}", seen.err);
    assert!(seen.out.contains("CREATE TABLE tenants"), "{}", seen.out);

    // Of some databases only, what the others would have to do is in the way.
    let seen = place.types("plan --database default --database analytics");
    assert!(
        seen.out.contains("which is pending in database `tenant_a`"),
        "{}",
        seen.out
    );
    assert!(
        !seen
            .out
            .contains("`databases:create_facts`, which is pending"),
        "{}",
        seen.out
    );
}

#[test]
fn an_id_takes_what_it_requires_of_other_databases_with_it() {
    let place = Place::new(&FOUR);
    let seen = place.types("up create_sums --format json");
    assert_eq!(seen.code, 0, "{}", seen.err);
    assert_eq!(
        seen.events("applied"),
        [
            "default: create_users",
            "analytics: create_facts",
            "default: create_sums"
        ]
    );
}

#[test]
fn what_another_database_has_built_on_is_not_taken_away() {
    let place = Place::new(&FOUR);
    assert_eq!(place.types("up create_sums").code, 0);
    let down = |what: &str| place.types(&format!("down {what} --yes"));
    for (what, by) in [
        (
            "create_facts --database analytics",
            "`databases:create_sums` requires it, which is applied in database `default`",
        ),
        (
            "create_users --database default",
            "`databases:create_facts` requires it, which is applied in database `analytics`",
        ),
    ] {
        let seen = down(what);
        assert_eq!(seen.code, 2, "{}", seen.err);
        assert!(seen.err.contains(by), "{}", seen.err);
        assert!(
            seen.err.contains("next:  revert that first: `down "),
            "{}",
            seen.err
        );
    }
    assert!(place.has("default", "users") && place.has("analytics", "facts"));
    for what in [
        "create_sums --database default",
        "create_facts --database analytics",
        "create_users --database default",
    ] {
        let seen = down(what);
        assert_eq!(seen.code, 0, "{what}: {}", seen.err);
    }
    assert!(!place.has("default", "users"));
}

#[test]
fn as_a_library() {
    use migrate_diesel::{Migrator, migrations};

    let place = Place::new(&FOUR);
    let facts = Migrator::new(migrations![create_users, create_facts])
        .unwrap()
        .database("analytics");
    let mut db = place.open("analytics");
    let error = facts.up(&mut db).unwrap_err();
    assert!(
        error.to_string().contains("which is not configured"),
        "{error}"
    );

    let url = format!("sqlite://{}", place.file("default").display());
    let facts = facts.other_database("default", url);
    let error = facts.up(&mut db).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("which is pending in database `default`"),
        "{error}"
    );
    let users = Migrator::new(migrations![create_users, create_facts]).unwrap();
    users.up(&mut place.open("default")).unwrap();
    assert_eq!(facts.up(&mut db).unwrap().applied, 1);
}
