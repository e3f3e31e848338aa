//! One program, three kinds of database: SQLite, PostgreSQL and MySQL (or MariaDB), which require
//! something of each other.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "tests, from one end to the other")]

use std::io::Cursor;

use migrate_cli::{Input, Invocation, Live, Program, Stream, StreamKind, Streams};
use migrate_diesel::prelude::*;
use migrate_tests::database::{Backend, Scratch};
use serde_json::Value;

#[migration(database = "mixed_lite", down = drop_settings)]
fn create_settings(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE settings (id INTEGER PRIMARY KEY)")
}

fn drop_settings(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE settings")
}

#[migration(database = "mixed_pg", requires = [create_settings])]
fn create_events(db: &mut PgConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE events (at timestamptz NOT NULL)")
}

#[migration(database = "mixed_my", requires = [create_events])]
fn create_mails(db: &mut MysqlConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE mails (id INTEGER PRIMARY KEY)")
}

/// In each of them, and at last.
#[migration(databases = ["mixed_*"], requires = [create_mails])]
fn create_notes(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE notes (id INTEGER PRIMARY KEY)")
}

/// What a run left.
#[derive(Debug)]
struct Seen {
    code: u8,
    out: String,
    err: String,
}

/// Types `line` with these databases.
fn types(databases: &[(&str, &Scratch)], line: &str) -> Seen {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join(".git")).unwrap();
    let program = Program {
        name: "migrate",
        version: "0.1.0",
        manifest_dir: "",
    };
    let variables = databases.iter().map(|(name, scratch)| {
        let variable = format!("MIGRATE_DATABASES_{}_URL", name.to_uppercase());
        (variable.into(), scratch.url().reveal().into())
    });
    let invocation = Invocation {
        args: line.split_whitespace().map(Into::into).collect(),
        environment: variables.collect(),
        directory: directory.path().to_owned(),
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

#[test]
fn each_waits_for_what_it_requires_of_the_others() {
    let [lite, pg, my] = [Backend::Sqlite, Backend::Postgres, Backend::Mysql].map(Scratch::new);
    let all = [("mixed_lite", &lite), ("mixed_pg", &pg), ("mixed_my", &my)];

    let seen = types(&all, "up --database mixed_my");
    assert_eq!(seen.code, 1);
    assert!(
        seen.err
            .contains("requires `mixed:create_events`, which is pending in database `mixed_pg`"),
        "{}",
        seen.err
    );
    for (name, scratch) in &all {
        let password = scratch.url().secrets();
        assert!(
            !password.iter().any(|it| seen.err.contains(it)),
            "{name}: {}",
            seen.err
        );
    }

    let seen = types(&all, "up --database mixed_* --jobs 3 --format json");
    assert_eq!(seen.code, 0, "{}\n{}", seen.out, seen.err);
    let lines = seen
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let applied: Vec<String> = lines
        .filter(|line: &Value| line["event"] == "applied")
        .map(|line| format!("{} {}", line["database"], line["id"]).replace('"', ""))
        .collect();
    assert_eq!(applied.len(), 6, "{applied:?}");
    let at = |what: &str| applied.iter().position(|it| it == what).unwrap();
    let chain = [
        "mixed_lite mixed:create_settings",
        "mixed_pg mixed:create_events",
        "mixed_my mixed:create_mails",
    ];
    assert!(
        chain.windows(2).all(|it| at(it[0]) < at(it[1])),
        "{applied:?}"
    );
    for name in ["mixed_lite", "mixed_pg", "mixed_my"] {
        let notes = format!("{name} mixed:create_notes");
        assert!(
            at("mixed_my mixed:create_mails") < at(&notes),
            "{applied:?}"
        );
    }
    let seen = types(&all, "check --database mixed_*");
    assert_eq!(seen.code, 0, "{}", seen.out);
    for backend in ["mixed_lite", "mixed_pg", "mixed_my"] {
        let row = seen
            .out
            .lines()
            .find(|line| line.starts_with(&format!("{backend} ")) && line.ends_with("up to date"));
        assert!(row.is_some(), "{}", seen.out);
    }

    let seen = types(&all, "down create_settings --database mixed_lite --yes");
    assert_eq!(seen.code, 2);
    assert!(
        seen.err
            .contains("`mixed:create_events` requires it, which is applied in database `mixed_pg`"),
        "{}",
        seen.err
    );
}
