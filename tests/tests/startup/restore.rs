//! Dumps of real dump programs, restored.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use migrate_diesel::core::percent_decode;
use migrate_tests::database::{Backend, Scratch};

use crate::line::{Seen, types};

const ALL: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::Mysql];

/// Characters that dump programs, shells and clients have their ways with.
const TITLE: &str = "it's; -- a \"title\"\\ with\ttab\nand line, \u{1f600}";

fn empty(backend: Backend) -> Scratch {
    let scratch = Scratch::new(backend);
    scratch.sql("DROP TABLE effects");
    scratch.sql("DROP TABLE switches");
    scratch
}

fn run(scratch: &Scratch, toml: &str, line: &str) -> Seen {
    types(&scratch.url(), scratch.directory(), toml, line)
}

/// A database with the first migration applied, and rows.
fn source(backend: Backend) -> Scratch {
    let scratch = empty(backend);
    let seen = run(&scratch, "", "up --steps 1");
    assert_eq!(seen.code, 0, "{seen:?}");
    let title = match backend {
        Backend::Mysql => TITLE.replace('\\', "\\\\"),
        _ => TITLE.to_owned(),
    };
    let title = title.replace('\'', "''");
    scratch.sql(&format!("INSERT INTO books VALUES (1, '{title}')"));
    for at in 2..200 {
        scratch.sql(&format!("INSERT INTO books VALUES ({at}, 'book {at}')"));
    }
    scratch
}

/// Its dump, by the database's own program.
fn dump(scratch: &Scratch) -> String {
    let url = scratch.url();
    let rest = url.reveal().split_once("://").unwrap().1;
    let output = match scratch.backend {
        Backend::Sqlite => Command::new("sqlite3").args([rest, ".dump"]).output(),
        Backend::Postgres => Command::new("pg_dump").arg(url.reveal()).output(),
        Backend::Mysql => {
            let (user, address) = rest.split_once('@').unwrap();
            let (user, password) = user.split_once(':').unwrap();
            let (address, database) = address.split_once('/').unwrap();
            let (host, port) = address.split_once(':').unwrap();
            Command::new("mysqldump")
                .env("MYSQL_PWD", percent_decode(password))
                .args([
                    "-u",
                    user,
                    "-h",
                    host,
                    "-P",
                    port,
                    "--no-tablespaces",
                    database,
                ])
                .output()
        }
    };
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn titles(scratch: &Scratch) -> Vec<String> {
    scratch.texts("SELECT title AS value FROM books ORDER BY id")
}

fn assert_restored(scratch: &Scratch) {
    let titles = titles(scratch);
    assert_eq!(titles.len(), 199);
    assert_eq!(titles[0], TITLE);
    assert!(!scratch.has_table("migrate_history_dump"));
    let seen = run(scratch, "", "status");
    assert_eq!(seen.code, 0, "{seen:?}");
    let seen = run(scratch, "", "up");
    assert!(seen.err.contains("1 applied"), "{}", seen.err);
}

/// What a restore that failed leaves: nothing, or what everybody sees to be half.
fn assert_nothing_is_taken_for_whole(scratch: &Scratch) {
    if scratch.backend.has_transactional_ddl() {
        for table in ["books", "migrate_history", "migrate_history_meta"] {
            assert!(!scratch.has_table(table), "{table}");
        }
        return;
    }
    if !scratch.has_table("books") && !scratch.has_table("migrate_history") {
        // It had not come that far.
        return;
    }
    for line in ["up", "status", "plan", "check"] {
        let seen = run(scratch, "", line);
        assert_eq!(seen.code, 4, "{line}: {seen:?}");
        assert!(seen.err.contains("half restored"), "{}", seen.err);
    }
    let file = write(scratch, "again.sql", b"SELECT 1;");
    let seen = run(
        scratch,
        "restore_expects = \"books\"",
        &format!("restore {file}"),
    );
    assert_eq!(seen.code, 2, "not empty: {seen:?}");
}

fn write(scratch: &Scratch, name: &str, bytes: &[u8]) -> String {
    fs::write(scratch.directory().join(name), bytes).unwrap();
    name.to_owned()
}

fn packed(directory: &Path, name: &str, program: &[&str]) -> PathBuf {
    let path = directory.join(name);
    let output = Command::new(program[0])
        .args(&program[1..])
        .stdin(fs::File::open(directory.join("dump.sql")).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::write(&path, output.stdout).unwrap();
    path
}

#[test]
fn every_format_of_every_database() {
    for backend in ALL {
        let source = source(backend);
        let text = dump(&source);
        for (name, program, toml) in [
            ("dump.sql", &["cat"][..], ""),
            ("dump.sql.gz", &["gzip", "-c"], ""),
            ("dump.sql.xz", &["xz", "-c"], ""),
            ("dump.zst", &["zstd", "-qc", "--check"], ""),
            ("dump.backup", &["gzip", "-c"], ""),
            (
                "dump.bz2",
                &["bzip2", "-c"],
                "restore_command = \"bzip2 -dc\"",
            ),
            (
                "dump.other",
                &["cat"],
                "restore_command = \"cat $MIGRATE_RESTORE_FILE\"",
            ),
        ] {
            let scratch = empty(backend);
            write(&scratch, "dump.sql", text.as_bytes());
            packed(scratch.directory(), name, program);
            let seen = run(&scratch, toml, &format!("restore {name}"));
            assert_eq!(seen.code, 0, "{backend:?} {name}: {seen:?}");
            assert!(
                seen.err.contains("restored database `startup` from"),
                "{}",
                seen.err
            );
            assert_restored(&scratch);
        }
    }
}

#[test]
fn a_dump_that_is_not_whole_is_no_success() {
    for backend in ALL {
        let text = dump(&source(backend));
        let bytes = text.as_bytes();
        let middle = text.find("book 100").unwrap();
        let after_line = middle + text[middle..].find('\n').unwrap() + 1;
        // In a row, after a row, before the last line that says something.
        let cuts = [
            middle,
            after_line,
            text.trim_end().rfind('\n').unwrap() - 40,
        ];
        for cut in cuts {
            let scratch = empty(backend);
            let file = write(&scratch, "cut.sql", &bytes[..cut]);
            let seen = run(&scratch, "", &format!("restore {file}"));
            assert_eq!(seen.code, 1, "{backend:?} {cut}: {seen:?}");
            assert_nothing_is_taken_for_whole(&scratch);
        }
        // Packed, and cut or damaged then.
        for (name, program) in [
            ("dump.sql.gz", &["gzip", "-c"][..]),
            ("dump.sql.xz", &["xz", "-c"]),
            ("dump.sql.zst", &["zstd", "-qc", "--check"]),
        ] {
            let scratch = empty(backend);
            write(&scratch, "dump.sql", bytes);
            let path = packed(scratch.directory(), name, program);
            let whole = fs::read(&path).unwrap();
            for cut in [whole.len() / 2, whole.len() - 2] {
                let scratch = empty(backend);
                write(&scratch, name, &whole[..cut]);
                let seen = run(&scratch, "", &format!("restore {name}"));
                assert_eq!(seen.code, 1, "{backend:?} {name} {cut}: {seen:?}");
                assert_nothing_is_taken_for_whole(&scratch);
            }
        }
    }
}

#[test]
fn the_first_error_stops_it() {
    for backend in ALL {
        let text = dump(&source(backend));
        let at = text.find("CREATE TABLE").unwrap();
        let (one, other) = text.split_at(at);
        // pg_dump leaves no search path.
        let first = match backend {
            Backend::Postgres => "public.first",
            _ => "first",
        };
        let wrong = format!(
            "{one}CREATE TABLE {first} (id INTEGER);\nSELECT nonsense FROM nowhere;\n{other}"
        );
        let scratch = empty(backend);
        let file = write(&scratch, "wrong.sql", wrong.as_bytes());
        let seen = run(&scratch, "", &format!("restore {file}"));
        assert_eq!(seen.code, 1, "{seen:?}");
        assert!(seen.err.contains("nowhere"), "{}", seen.err);
        assert!(!scratch.has_table("books"));
        assert_nothing_is_taken_for_whole(&scratch);
        if backend == Backend::Mysql {
            assert!(scratch.has_table("migrate_history_dump"));
            assert_eq!(run(&scratch, "", "up").code, 4);
        } else {
            assert!(!scratch.has_table("first"));
        }

        // A command that fails at its end has said nothing that counts.
        let scratch = empty(backend);
        write(&scratch, "dump.bin", text.as_bytes());
        let toml = "restore_command = \"cat; echo it broke >&2; exit 3\"";
        let seen = run(&scratch, toml, "restore dump.bin");
        assert_eq!(seen.code, 1, "{seen:?}");
        assert!(seen.err.contains("it broke"), "{}", seen.err);
        assert_nothing_is_taken_for_whole(&scratch);
    }
}

#[test]
fn a_dump_cannot_commit_a_part_of_itself() {
    for backend in [Backend::Postgres, Backend::Sqlite] {
        let scratch = empty(backend);
        let text = "CREATE TABLE one (id INTEGER);\nCOMMIT;\nCREATE TABLE two (id INTEGER);\nSELECT nonsense FROM nowhere;\n";
        let file = write(&scratch, "commits.sql", text.as_bytes());
        let seen = run(&scratch, "", &format!("restore {file}"));
        assert_eq!(seen.code, 1, "{seen:?}");
        for table in ["one", "two"] {
            assert!(!scratch.has_table(table), "{backend:?} {table}");
        }
    }
}

#[test]
fn what_it_has_to_contain() {
    for backend in ALL {
        let scratch = empty(backend);
        let file = write(&scratch, "plain.sql", b"CREATE TABLE plain (id INTEGER);\n");
        let seen = run(&scratch, "", &format!("restore {file}"));
        assert_eq!(seen.code, 1, "{seen:?}");
        assert!(
            seen.err
                .contains("the dump does not contain `migrate_history`, `migrate_history_meta`"),
            "{}",
            seen.err
        );
        assert_nothing_is_taken_for_whole(&scratch);

        let scratch = empty(backend);
        let file = write(&scratch, "plain.sql", b"CREATE TABLE plain (id INTEGER);\n");
        let lacking = "restore_expects = \"plain, other\"";
        let seen = run(&scratch, lacking, &format!("restore {file}"));
        assert_eq!(seen.code, 1, "{seen:?}");
        assert!(
            seen.err.contains("does not contain `other`"),
            "{}",
            seen.err
        );

        let scratch = empty(backend);
        let file = write(&scratch, "plain.sql", b"CREATE TABLE plain (id INTEGER);\n");
        let seen = run(
            &scratch,
            "restore_expects = \"plain\"",
            &format!("restore {file}"),
        );
        assert_eq!(seen.code, 0, "{seen:?}");
        assert!(scratch.has_table("plain"));
    }
}

#[test]
fn tables_that_are_there_are_left_alone() {
    for backend in ALL {
        let text = dump(&source(backend));
        let scratch = empty(backend);
        scratch.sql("CREATE TABLE theirs (id INTEGER)");
        let file = write(&scratch, "dump.sql", text.as_bytes());
        let seen = run(&scratch, "", &format!("restore {file}"));
        assert_eq!(seen.code, 2, "{seen:?}");
        assert!(seen.err.contains("it holds `theirs`"), "{}", seen.err);
        assert!(!scratch.has_table("books"));
        // By itself even less.
        let seen = run(&scratch, "restore_from = \"dump.sql\"", "up");
        assert_eq!(seen.code, 2, "{seen:?}");
        assert!(!scratch.has_table("books"));

        let seen = run(&scratch, "", &format!("restore {file} --force"));
        assert_eq!(seen.code, 0, "{seen:?}");
        assert_restored(&scratch);
    }
}

#[test]
fn by_itself_only_where_there_is_no_history() {
    for backend in ALL {
        let text = dump(&source(backend));
        let toml = "restore_from = \"dump.sql.gz\"";
        let scratch = empty(backend);
        // A dump that is promised and not there is no reason to begin without.
        let seen = run(&scratch, toml, "up");
        assert_eq!(seen.code, 2, "{seen:?}");
        assert!(seen.err.contains("dump.sql.gz"), "{}", seen.err);
        assert!(!scratch.has_table("books"));

        write(&scratch, "dump.sql", text.as_bytes());
        packed(scratch.directory(), "dump.sql.gz", &["gzip", "-c"]);
        let seen = run(&scratch, toml, "up --format json");
        assert_eq!(seen.code, 0, "{seen:?}");
        assert!(seen.out.contains("\"event\":\"restored\""), "{}", seen.out);
        assert_eq!(titles(&scratch).len(), 199);
        assert!(
            scratch.has_table("readers"),
            "what the dump lacked was applied"
        );

        scratch.sql("DELETE FROM books");
        let seen = run(&scratch, toml, "up");
        assert_eq!(seen.code, 0, "{seen:?}");
        assert!(!seen.err.contains("restor"), "{}", seen.err);
        assert_eq!(titles(&scratch).len(), 0);
    }
}

#[test]
fn a_locked_database_is_not_taken_for_an_empty_one() {
    let scratch = source(Backend::Sqlite);
    write(&scratch, "dump.sql", dump(&scratch).as_bytes());
    let mut other = scratch.connect();
    use diesel::connection::SimpleConnection as _;
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let seen = run(&scratch, "restore_from = \"dump.sql\"", "up");
    assert_ne!(seen.code, 0, "{seen:?}");
    assert!(seen.err.contains("locked"), "{}", seen.err);
    assert!(!seen.err.contains("restoring"), "{}", seen.err);
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(titles(&scratch).len(), 199);
}

#[test]
fn two_that_begin_at_once_restore_once() {
    for backend in ALL {
        let text = dump(&source(backend));
        let scratch = empty(backend);
        write(&scratch, "dump.sql", text.as_bytes());
        let toml = "restore_from = \"dump.sql\"";
        assert_eq!(run(&scratch, toml, "status").code, 0);
        let both: Vec<Seen> = thread::scope(|scope| {
            let one = || run(&scratch, toml, "up");
            let runs = [scope.spawn(one), scope.spawn(one)];
            runs.map(|run| run.join().unwrap()).into()
        });
        for seen in &both {
            assert_eq!(seen.code, 0, "{backend:?} {both:?}");
        }
        let restored = both
            .iter()
            .filter(|seen| seen.err.contains("restored database"))
            .count();
        assert_eq!(restored, 1, "{both:?}");
        assert_eq!(titles(&scratch).len(), 199);
    }
}

#[test]
fn a_script_of_another_kind_is_told() {
    let scratch = empty(Backend::Postgres);
    let source = source(Backend::Postgres);
    let output = Command::new("pg_dump")
        .args(["-Fc", source.url().reveal()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    write(&scratch, "dump.custom", &output.stdout);
    let seen = run(&scratch, "", "restore dump.custom");
    assert_eq!(seen.code, 2, "{seen:?}");
    assert!(seen.err.contains("restore_command"), "{}", seen.err);
    let toml = "restore_command = \"pg_restore -f -\"";
    let seen = run(&scratch, toml, "restore dump.custom");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_restored(&scratch);
}
