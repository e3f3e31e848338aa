//! Settings of a session as they are configured, by a real command line.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "tests, from one end to the other")]

use std::net::TcpListener;

use migrate_tests::{
    commander::{Commander, Ended},
    database::{Backend, Scratch},
};

/// `up` of migrations of which one takes a minute, with this configuration.
fn up(scratch: &Scratch, toml: &str) -> Ended {
    let file = scratch.directory().join("migrate.toml");
    std::fs::write(file, toml).unwrap_or_else(|error| panic!("{error}"));
    Commander::types(env!("CARGO_BIN_EXE_commander"), scratch, "signals", "up").ends()
}

fn a_limit_of_the_run(backend: Backend) {
    let scratch = Scratch::new(backend);
    // What is said of the database counts more.
    let toml = "statement_timeout = \"10m\"\n[databases.signals]\nstatement_timeout = \"500ms\"\n";
    let ended = up(&scratch, toml);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .err
            .contains("a statement took longer than `statement_timeout = \"500ms\"` of the run"),
        "{ended:?}"
    );
    assert_eq!(scratch.effects(), ["1"]);
}

#[test]
fn postgres_a_limit_of_the_run() {
    a_limit_of_the_run(Backend::Postgres);
}

/// In each of its sessions: there is a new one for each migration.
#[test]
fn mysql_a_limit_of_the_run() {
    a_limit_of_the_run(Backend::Mysql);
}

#[test]
fn sqlite_says_that_it_cannot() {
    let scratch = Scratch::new(Backend::Sqlite);
    for toml in ["statement_timeout = \"1s\"", "search_path = \"app\""] {
        let ended = up(&scratch, toml);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.contains("SQLite") || ended.err.contains("sqlite"),
            "{ended:?}"
        );
        assert!(scratch.effects().is_empty());
    }
}

/// A host that takes the connection and never says a word, as one that drops packets: the attempt has an end,
/// with what is configured, and with what is left of a wait.
#[test]
fn an_attempt_to_connect_has_an_end() {
    let scratch = Scratch::new(Backend::Sqlite);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
    let address = silent
        .local_addr()
        .unwrap_or_else(|error| panic!("{error}"));
    let file = scratch.directory().join("migrate.toml");
    for scheme in ["postgres", "mysql"] {
        for (toml, line) in [
            ("connect_timeout = \"2s\"", "status"),
            ("", "wait --timeout 2s"),
            ("", "up --wait-for-db 2s"),
        ] {
            std::fs::write(&file, toml).unwrap_or_else(|error| panic!("{error}"));
            let line = format!("{line} --database-url {scheme}://me:s3cret@{address}/shop");
            let program = env!("CARGO_BIN_EXE_commander");
            // It fails where that does not come soon.
            let ended = Commander::types(program, &scratch, "signals", &line).ends();
            assert_eq!(ended.code, Some(6), "{line}: {ended:?}");
            let why = ["timeout expired", "no answer within 2s"];
            assert!(
                why.iter().any(|why| ended.err.contains(why)),
                "{line}: {ended:?}"
            );
            assert!(!ended.err.contains("s3cret"), "{line}: {ended:?}");
        }
    }
}
