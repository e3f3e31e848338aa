//! SIGINT and SIGTERM at a command line that is at work: what becomes of the migration, the lock and
//! the exit code, and that the next run goes on.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "tests, from one end to the other")]

use std::{
    thread,
    time::{Duration, Instant},
};

use migrate_tests::{
    commander::{Commander, Ended},
    database::{Backend, Scratch},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_commander");

fn types(scratch: &Scratch, name: &str, line: &str) -> Commander {
    Commander::types(PROGRAM, scratch, name, line)
}

/// `up`, until the migration `id` has been started, and a little longer.
fn up_to(scratch: &Scratch, name: &str, id: &str) -> Commander {
    let mut up = types(scratch, name, "up --format json");
    up.says(&["\"started\"", id]);
    thread::sleep(Duration::from_millis(400));
    up
}

fn signalled(up: Commander, signal: &str) -> Ended {
    up.signal(signal);
    up.ends()
}

/// The next run finds the lock free, and does what is left.
fn goes_on(scratch: &Scratch, name: &str, applied: usize) {
    scratch.switch_on("quick");
    let ended = types(scratch, name, "up --wait 0s --format json").ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let count = format!("\"applied\":{applied}");
    assert!(
        ended.out.lines().last().unwrap().contains(&count),
        "{ended:?}"
    );
}

fn finished(ended: &Ended) -> &str {
    let last = ended.out.lines().last().unwrap();
    assert!(last.contains("\"event\":\"finished\""), "{ended:?}");
    last
}

/// In a statement of a transaction, between others: cut short where the database lets us.
fn in_a_statement(backend: Backend, signal: &str) {
    let scratch = Scratch::new(backend);
    let ended = signalled(up_to(&scratch, "signals", "signals_2_long"), signal);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.took < Duration::from_secs(10), "{ended:?}");
    assert!(ended.err.contains("interrupted"), "{ended:?}");
    let last = finished(&ended);
    if backend == Backend::Sqlite {
        assert!(last.contains("\"applied\":2"), "{last}");
        assert!(
            ended.err.contains("before `migrate_tests:signals_3_after`"),
            "{ended:?}"
        );
        assert_eq!(scratch.effects(), ["1", "2", "2 before"]);
        goes_on(&scratch, "signals", 1);
    } else {
        assert!(
            last.contains("\"applied\":1") && last.contains("\"failed\":1"),
            "{last}"
        );
        assert!(ended.out.contains("\"rolled_back\":true"), "{ended:?}");
        assert_eq!(scratch.effects(), ["1"]);
        goes_on(&scratch, "signals", 2);
    }
    assert_eq!(scratch.effects(), ["1", "2", "2 before", "3"]);
}

/// Whoever waits for the lock is gone at once; whoever has it does not notice.
fn while_waiting(backend: Backend) {
    let scratch = Scratch::new(backend);
    let first = up_to(&scratch, "signals", "signals_2_long");
    let second = types(&scratch, "signals", "up --format json");
    // Until it waits.
    thread::sleep(Duration::from_millis(700));
    let ended = signalled(second, "TERM");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.took < Duration::from_secs(1), "{ended:?}");
    assert!(
        ended
            .err
            .contains("while waiting for the deploy lock, held by"),
        "{ended:?}"
    );
    finished(&ended);
    let ended = signalled(first, "INT");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    goes_on(
        &scratch,
        "signals",
        if backend == Backend::Sqlite { 1 } else { 2 },
    );
}

/// Outside a transaction, in a step: it is finished, the next not begun.
fn between_steps(backend: Backend) {
    let scratch = Scratch::new(backend);
    let ended = signalled(up_to(&scratch, "signals_steps", "signals_steps"), "TERM");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(scratch.effects(), ["one"]);
    assert!(finished(&ended).contains("\"failed\":1"), "{ended:?}");
    goes_on(&scratch, "signals_steps", 1);
    assert_eq!(scratch.effects(), ["one", "two"]);
}

/// Outside a transaction, without steps: all of it is finished.
fn in_one_piece(backend: Backend) {
    let scratch = Scratch::new(backend);
    let ended = signalled(up_to(&scratch, "signals_whole", "signals_whole"), "INT");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(finished(&ended).contains("\"applied\":1"), "{ended:?}");
    assert_eq!(scratch.effects(), ["one", "two"]);
    goes_on(&scratch, "signals_whole", 1);
    assert_eq!(scratch.effects(), ["one", "three", "two"]);
}

/// After DDL: nothing stays of it, or all.
fn after_ddl(backend: Backend) {
    let scratch = Scratch::new(backend);
    let ended = signalled(up_to(&scratch, "signals_ddl", "signals_ddl"), "TERM");
    if backend == Backend::Postgres {
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(!scratch.has_table("signalled"));
        goes_on(&scratch, "signals_ddl", 1);
    } else {
        // It was the last one, and it was finished: everything is done.
        assert_eq!(ended.code, Some(0), "{ended:?}");
        goes_on(&scratch, "signals_ddl", 0);
    }
    assert!(scratch.has_table("signalled"));
    assert_eq!(scratch.effects(), ["ddl"]);
}

/// A body that makes nothing of the error of its statement is rolled back all the same.
fn swallowed(backend: Backend) {
    let scratch = Scratch::new(backend);
    let up = up_to(&scratch, "signals_swallowed", "signals_swallowed");
    let ended = signalled(up, "TERM");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(scratch.effects(), [""; 0]);
    goes_on(&scratch, "signals_swallowed", 1);
    assert_eq!(scratch.effects(), ["after", "swallowed"]);
}

/// A revert is rolled back.
fn in_a_revert(backend: Backend) {
    let scratch = Scratch::new(backend);
    goes_on(&scratch, "signals", 3);
    scratch.sql("DELETE FROM effects WHERE name = '3'");
    scratch.switch_on("slow_down");
    // What comes after it has no `down`.
    scratch.sql("DELETE FROM migrate_history WHERE id LIKE '%signals_3_after'");
    let mut down = types(&scratch, "signals", "down --yes --format json");
    down.says(&["\"started\"", "signals_2_long"]);
    thread::sleep(Duration::from_millis(400));
    let ended = signalled(down, "TERM");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.took < Duration::from_secs(10), "{ended:?}");
    finished(&ended);
    assert_eq!(scratch.effects(), ["1", "2", "2 before"]);
    let ended = types(&scratch, "signals", "status --format json").ends();
    assert!(!ended.out.contains("interrupted"), "{ended:?}");
    scratch.sql("DELETE FROM switches WHERE name = 'slow_down'");
    let ended = types(&scratch, "signals", "down --yes --wait 0s").ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(scratch.effects(), ["1"]);
}

/// Who does not want to wait for the end signals again.
#[test]
fn a_second_signal_ends_the_process() {
    for (backend, signal, code) in [
        (Backend::Sqlite, "INT", 130),
        (Backend::Postgres, "TERM", 143),
        (Backend::Mysql, "INT", 130),
    ] {
        let scratch = Scratch::new(backend);
        let up = up_to(&scratch, "signals_whole", "signals_whole");
        up.signal("TERM");
        thread::sleep(Duration::from_millis(300));
        let ended = signalled(up, signal);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.took < Duration::from_secs(1), "{ended:?}");
    }
}

/// `timeout` and some supervisors send each signal twice, to the process and to its group.
#[test]
fn a_signal_that_comes_twice_is_one() {
    let scratch = Scratch::new(Backend::Sqlite);
    let up = up_to(&scratch, "signals", "signals_2_long");
    up.signal("INT");
    let ended = signalled(up, "INT");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    finished(&ended);
}

#[test]
fn a_wait_ends_at_once() {
    let scratch = Scratch::new(Backend::Sqlite);
    let wait = types(&scratch, "signals", "wait --timeout 10m");
    thread::sleep(Duration::from_millis(700));
    let ended = signalled(wait, "TERM");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.took < Duration::from_secs(1), "{ended:?}");
    assert!(ended.err.contains("interrupted after waiting"), "{ended:?}");
}

#[test]
fn a_wait_for_the_database_ends_at_once() {
    let scratch = Scratch::new(Backend::Postgres);
    let began = Instant::now();
    // Nobody is there.
    let up = types(
        &scratch,
        "signals",
        "up --wait-for-db 10m --database-url postgres://nobody@127.0.0.1:9/none",
    );
    thread::sleep(Duration::from_millis(700));
    let ended = signalled(up, "INT");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "{ended:?}");
    assert!(ended.err.contains("interrupted after waiting"), "{ended:?}");
}

/// A dump that takes long: nothing of it stays, and then it can be restored.
#[test]
fn in_a_statement_of_a_restore() {
    let scratch = Scratch::new(Backend::Postgres);
    scratch.sql("DROP TABLE effects; DROP TABLE switches");
    let dump = scratch.directory().join("dump.sql");
    let text = |seconds: u32| {
        format!(
            "CREATE TABLE switches (name text);\nCREATE TABLE effects (name text);\nSELECT pg_sleep({seconds});\n"
        )
    };
    std::fs::write(&dump, text(60)).unwrap();
    std::fs::write(
        scratch.directory().join("migrate.toml"),
        "restore_expects = \"effects\"\n",
    )
    .unwrap();
    let restore = types(&scratch, "signals", "restore dump.sql");
    thread::sleep(Duration::from_millis(1500));
    let ended = signalled(restore, "TERM");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .err
            .contains("interrupted while the dump was restored"),
        "{ended:?}"
    );
    assert!(!scratch.has_table("effects"));
    // The server notices with the end of the statement that its client is gone.
    scratch.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
    );
    std::fs::write(&dump, text(0)).unwrap();
    let ended = types(&scratch, "signals", "restore dump.sql --wait 0s").ends();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(scratch.has_table("effects"));
}

/// A command that makes SQL of a dump, and then says nothing for long: it is not waited for. What came of it
/// stays only where the database cannot take it back, and then that is known.
fn in_a_restore(backend: Backend) {
    let scratch = Scratch::new(backend);
    scratch.sql("DROP TABLE effects");
    scratch.sql("DROP TABLE switches");
    let create =
        "CREATE TABLE switches (name VARCHAR(99));\nCREATE TABLE effects (name VARCHAR(99));\n";
    // Enough for a client program that waits until it has a block.
    let rest = "-- and so on\n".repeat(40_000);
    std::fs::write(
        scratch.directory().join("dump.bin"),
        format!("{create}{rest}"),
    )
    .unwrap();
    let configure = |seconds: u32| {
        let toml = format!(
            "restore_expects = \"effects\"\nrestore_command = \"cat; touch begun; sleep {seconds}\"\n"
        );
        std::fs::write(scratch.directory().join("migrate.toml"), toml).unwrap();
    };
    configure(60);
    let restore = types(&scratch, "signals", "restore dump.bin");
    let is_begun = || match backend {
        // What it commits, others see.
        Backend::Mysql => scratch.has_table("effects"),
        _ => scratch.directory().join("begun").exists(),
    };
    while !is_begun() {
        thread::sleep(Duration::from_millis(20));
    }
    let ended = signalled(restore, "TERM");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .err
            .contains("interrupted while the dump was restored"),
        "{ended:?}"
    );
    configure(0);
    let restore = |line: &str| types(&scratch, "signals", line).ends();
    if backend == Backend::Mysql {
        // Whatever of it is there, nobody takes it for whole.
        assert!(ended.err.contains("a part of it stays"), "{ended:?}");
        let up = restore("up");
        assert_ne!(up.code, Some(0), "{up:?}");
        assert!(up.err.contains("restore"), "{up:?}");
        for table in ["effects", "switches", "migrate_history_dump"] {
            scratch.sql(&format!("DROP TABLE IF EXISTS {table}"));
        }
    } else {
        assert!(!scratch.has_table("effects"));
    }
    let ended = restore("restore dump.bin --wait 10s");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(scratch.has_table("effects"));
}

/// A module of tests for a backend.
macro_rules! on {
    ($($module:ident $backend:ident { $($test:ident $(($signal:literal))?),* })*) => {
        $(mod $module {
            use super::*;
            $(#[test]
            fn $test() {
                super::$test(Backend::$backend $(, $signal)?);
            })*
        })*
    };
}
on! {
    sqlite Sqlite {
        in_a_statement("TERM"), while_waiting, between_steps, in_one_piece, after_ddl,
        in_a_restore
    }
    postgres Postgres {
        in_a_statement("INT"), while_waiting, between_steps, in_one_piece, after_ddl, swallowed, in_a_revert,
        in_a_restore
    }
    mysql Mysql {
        in_a_statement("TERM"), while_waiting, between_steps, in_one_piece, after_ddl, swallowed, in_a_revert,
        in_a_restore
    }
}
