//! A password is in no output: whichever command, however it fails, wherever the URL stands, however much is
//! told. The program is a process, so that what it tells by `tracing` is seen, too.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, as it should"
)]

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::Mutex,
    thread,
};

use migrate_tests::database::{Backend, Scratch};

/// As the server knows it, and as a URL writes it.
const RAW: &str = "S3cret@Hidden/9";
const ENCODED: &str = "S3cret%40Hidden%2F9";
/// Of neither form may any part show.
const NEEDLES: [&str; 2] = ["s3cret", "hidden"];

/// The configured database of migrations that are never run here.
const DATABASE: &str = "refusal";
const VARIABLE: &str = "MIGRATE_DATABASES_REFUSAL_URL";

const COMMANDS: [&str; 29] = [
    "",
    "up --yes",
    "up --wait-for-db 10ms",
    "up --atomic --keep-going",
    "up --dry-run",
    "up --dry-run --sql",
    "plan",
    "status",
    "status --exit-code",
    "graph",
    "graph --format json",
    "down --yes",
    "down",
    "redo --yes",
    "check",
    "resolve refusal_any --retry",
    "mark refusal_any --applied --yes",
    "baseline --yes",
    "accept refusal_any --reason why",
    "adopt diesel --yes",
    "log",
    "restore dump.sql",
    "restore nowhere.sql.gz",
    "wait --timeout 10ms",
    "unlock",
    "unlock --yes --force",
    "mass list",
    "mass status refusal_any",
    "completions bash",
];

/// URLs that lead nowhere, each in a way of its own.
fn urls() -> Vec<String> {
    let mut urls: Vec<String> = [
        // Nobody listens.
        "postgres://me:{}@127.0.0.1:1/shop",
        "mysql://me:{}@127.0.0.1:1/shop",
        "mariadb://me:{}@127.0.0.1:1/shop",
        "postgres://127.0.0.1:1/shop?user=me&password={}",
        // No such name, no such port, no such option.
        "postgres://me:{}@no.such.host.invalid/shop",
        "mysql://me:{}@no.such.host.invalid/shop",
        "postgres://me:{}@127.0.0.1:port/shop",
        "mysql://me:{}@127.0.0.1:port/shop",
        "postgres://me:{}@127.0.0.1:1/shop?sslmode=perhaps",
        "postgres://me:{}@127.0.0.1:1/shop?no_such_option=1",
        "postgres://me:{}@[::1/shop",
        "mysql://me:{}@127.0.0.1:1",
        // No URL of a database.
        "oracle://me:{}@127.0.0.1/shop",
        "postgres//me:{}@127.0.0.1/shop",
        "postgres:/me:{}@127.0.0.1/shop",
        "postgres:me:{}@127.0.0.1/shop",
        "me:{}@127.0.0.1/shop",
        "://me:{}@127.0.0.1/shop",
        "host=127.0.0.1 port=1 user=me password={} dbname=shop",
        "sqlite:///no/such/directory/shop.db?password={}",
    ]
    .iter()
    // The second is what a person writes who does not know of percents.
    .flat_map(|url| [url.replace("{}", ENCODED), url.replace("{}", RAW)])
    .collect();
    for (backend, user) in [(Backend::Postgres, "postgres"), (Backend::Mysql, "migrate")] {
        let scratch = Scratch::new(backend);
        // A real server, and another password; and nobody of that name.
        for user in [user, "nobody_of_that_name"] {
            urls.push(scratch.url_as(user, ENCODED).reveal().to_owned());
        }
    }
    urls
}

/// The program in `directory`, told everything.
fn program(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_commander"));
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "1")
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}

/// Types `line` and `rest`.
fn types(command: &mut Command, line: &str, rest: &[&str]) -> Output {
    command.args(line.split_whitespace()).args(rest);
    command.output().unwrap()
}

/// What was said that should not have been: all of it, not the first alone.
#[derive(Default)]
struct Leaks(Mutex<Vec<String>>);

impl Leaks {
    /// What a program said, after a look at it.
    fn look(&self, output: &Output, about: &str) -> String {
        let all = [&output.stdout, &output.stderr];
        let all = all
            .map(|it| String::from_utf8_lossy(it).into_owned())
            .concat();
        let lower = all.to_lowercase();
        if NEEDLES.iter().any(|needle| lower.contains(needle)) || all.contains("panicked") {
            self.note(format!("{about}\n{all}"));
        }
        if output.status.code().is_none() {
            self.note(format!("{about}: {output:?}"));
        }
        all
    }

    fn note(&self, leak: String) {
        self.0.lock().unwrap().push(leak);
    }

    fn assert_none(self) {
        let leaks = self.0.into_inner().unwrap();
        assert!(leaks.is_empty(), "{}:\n{}", leaks.len(), leaks.join("\n"));
    }
}

/// A directory in which configuration is not looked for further up.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".git")).unwrap();
    std::fs::write(home.path().join("dump.sql"), "SELECT 1;\n").unwrap();
    home
}

/// Runs `check` of each, two at a time.
fn each<T: Sync>(all: &[T], check: impl Fn(&T) + Sync) {
    let (one, other) = all.split_at(all.len() / 2);
    thread::scope(|scope| {
        for half in [one, other] {
            scope.spawn(|| half.iter().for_each(&check));
        }
    });
}

#[test]
fn no_command_tells_the_password_of_a_database_that_it_cannot_reach() {
    let leaks = Leaks::default();
    each(&urls(), |url| {
        let home = home();
        for (at, line) in COMMANDS.iter().enumerate() {
            let flags: &[&str] = match at % 2 {
                0 => &["-vv"],
                _ if line.contains("--format") => &[],
                _ => &["--format", "json"],
            };
            let rest = [&["--database", DATABASE, "--database-url", url], flags].concat();
            let output = types(&mut program(home.path()), line, &rest);
            let said = leaks.look(&output, &format!("{line} at {url}"));
            // What needs no database, and a file that would only come with the first migration.
            let needs_none = ["graph", "completions"];
            if !needs_none.iter().any(|it| line.starts_with(it)) && !url.starts_with("sqlite") {
                let code = output.status.code().unwrap();
                if ![2, 6].contains(&code) || said.trim().is_empty() {
                    leaks.note(format!("{line} at {url}: {code}\n{said}"));
                }
            }
        }
    });
    leaks.assert_none();
}

#[test]
fn no_place_of_the_url_gives_it_away() {
    let leaks = Leaks::default();
    // Every third, of either form: that each of them is masked is shown above.
    let some: Vec<String> = urls().into_iter().step_by(3).collect();
    each(&some, |url| {
        for line in ["up -vv", "status --format json"] {
            let quoted = url.replace('\'', "");
            let file = |text: &str| {
                let home = home();
                std::fs::write(home.path().join("migrate.toml"), text).unwrap();
                home
            };
            let rest = ["--database", DATABASE];
            let about = format!("{line} at {url}");

            // Variables, ours and everybody's.
            for variable in [VARIABLE, "DATABASE_URL", "MIGRATE_DATABASE_URL"] {
                let home = home();
                let output = types(program(home.path()).env(variable, url), line, &rest);
                leaks.look(&output, &about);
            }
            let home = home();
            std::fs::write(home.path().join(".env"), format!("{VARIABLE}='{quoted}'\n")).unwrap();
            leaks.look(&types(&mut program(home.path()), line, &rest), &about);

            // The file: as it should be, expanded, of a wrong type, twice, broken off.
            for text in [
                format!("[databases.refusal]\nurl = '{quoted}'"),
                "[databases.refusal]\nurl = '${THERE}'".to_owned(),
                format!("[databases.refusal]\nurl = ['{quoted}']"),
                format!("[databases.refusal]\nurl = '{quoted}'\nurl = '{quoted}'"),
                format!("[databases.refusal]\nurl = '{quoted}"),
                format!("[databases.refusal]\nurl = {quoted}"),
                format!("databases = '{quoted}'"),
                format!("'{quoted}' = 1"),
            ] {
                let home = file(&text);
                let output = types(program(home.path()).env("THERE", url), line, &rest);
                leaks.look(&output, &format!("{about}, configured as\n{text}"));
            }
        }
    });
    leaks.assert_none();
}

/// Where a URL does not belong.
#[test]
fn nor_does_a_url_in_the_wrong_place() {
    let leaks = Leaks::default();
    each(&urls(), |url| {
        let at_home = home();
        for line in [
            vec!["up", url],
            vec![url],
            vec!["status", url],
            vec!["down", url, "--yes"],
            vec!["resolve", url, "--retry"],
            vec!["mark", url, "--applied", "--yes"],
            vec!["restore", url],
            vec!["new", url],
            vec!["--config", url],
            vec!["--database", url],
            vec!["--databse-url", url],
            vec!["up", "--wait", url],
            vec!["up", "--steps", url],
            vec!["status", "--format", url],
        ] {
            let output = types(&mut program(at_home.path()), "", &line);
            leaks.look(&output, &format!("{line:?}"));
            let flag = format!("--databse-url={url}");
            leaks.look(&types(&mut program(at_home.path()), "", &[&flag]), &flag);
        }
        for key in [
            "lock_wait",
            "ordering",
            "on_changed",
            "wait_for_db",
            "redis_url",
            "schema_version",
            "restore_from",
            "history_table",
            "statement_timeout",
        ] {
            let about = format!("{key} = {url}");
            let variable = format!("MIGRATE_{}", key.to_uppercase());
            let mut command = program(at_home.path());
            command.env(variable, url).env("MIGRATE_REDIS_FLUSH", "db");
            command.env(VARIABLE, "sqlite://shop.db");
            let output = types(&mut command, "up", &["--database", DATABASE, "-vv"]);
            leaks.look(&output, &about);
        }
    });
    leaks.assert_none();
}
