//! The start of a container: a database that comes later, the completion marker, Redis.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use migrate_core::{Failure, FailureKind, Outlook};

use crate::{
    fake::{Body, FakeApp, migration},
    typist::{Seen, Typist},
};

/// With a marker of version 7 in `flags`.
fn versioned() -> Typist {
    let typist = Typist::new();
    typist.file(
        "migrate.toml",
        "schema_version = \"7\"\nflag_dir = \"flags\"",
    );
    typist
}

fn files(typist: &Typist) -> Vec<String> {
    let Ok(entries) = fs::read_dir(typist.directory.join("flags")) else {
        return Vec::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn marker(typist: &Typist) -> PathBuf {
    typist.directory.join("flags/migrate-7.complete")
}

fn failing() -> FakeApp {
    let mut fails = migration("shop:index_email", &["shop:create_users"]);
    fails.body = Body::Fails(vec!["no".to_owned()]);
    FakeApp::of(vec![migration("shop:create_users", &[]), fails])
}

fn assert_complete(seen: &Seen) {
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(
        seen.err
            .contains("migrate-7.complete says that everything is applied"),
        "{}",
        seen.err
    );
}

#[test]
fn a_database_that_is_starting_is_waited_for() {
    for (line, toml) in [("up --wait-for-db 1m", ""), ("up", "wait_for_db = \"1m\"")] {
        let typist = Typist::new();
        typist.file("migrate.toml", toml);
        let app = FakeApp::three();
        *app.starting.borrow_mut() = 3;
        let seen = typist.types(&app, line);
        assert_eq!(seen.code, 0, "{seen:?}");
        let said = "waiting for database `default`: it is starting up\n";
        assert_eq!(seen.err.matches(said).count(), 1, "said once: {}", seen.err);
        assert!(seen.err.contains("3 applied"), "{}", seen.err);
    }
}

/// A host that drops packets would hold up one attempt for minutes.
#[test]
fn an_attempt_does_not_take_longer_than_there_is_time() {
    for line in ["up --wait-for-db 5s", "wait --timeout 5s"] {
        let app = FakeApp::three();
        Typist::new().types(&app, "up");
        app.opened.borrow_mut().clear();
        assert_eq!(Typist::new().types(&app, line).code, 0);
        let opened = app.opened.borrow();
        let limit = opened.first().unwrap().0.session.connect_timeout.unwrap();
        assert!(limit <= Duration::from_secs(5), "{line}: {limit:?}");
    }
}

#[test]
fn waiting_ends_and_is_not_for_nothing() {
    let app = FakeApp::three();
    *app.starting.borrow_mut() = usize::MAX;
    let seen = Typist::new().types(&app, "up --wait-for-db 300ms");
    assert_eq!(seen.code, 6);
    assert!(seen.err.contains("still so after"), "{}", seen.err);

    // Without it, once is enough.
    let app = FakeApp::three();
    *app.starting.borrow_mut() = 1;
    assert_eq!(Typist::new().types(&app, "up").code, 6);
    assert_eq!(app.opened.borrow().len(), 1);

    // A wrong password stays wrong; a wrong URL, too.
    let mut refused = Failure::new(FailureKind::Unreachable, "wrong password");
    refused.outlook = Outlook::Stays;
    for (failure, code) in [
        (refused, 6),
        (Failure::new(FailureKind::Usage, "no such scheme"), 2),
    ] {
        let mut app = FakeApp::three();
        app.closed.insert("default".to_owned(), failure);
        for line in ["up --wait-for-db 10m", "wait --timeout 10m"] {
            app.opened.borrow_mut().clear();
            let begun = Instant::now();
            assert_eq!(Typist::new().types(&app, line).code, code, "{line}");
            assert_eq!(app.opened.borrow().len(), 1, "{line}");
            assert!(begun.elapsed().as_secs() < 5);
        }
    }
}

#[test]
fn a_marker_is_written_after_success_and_ends_the_next_run_at_once() {
    let typist = versioned();
    let app = FakeApp::three();
    assert_eq!(typist.types(&app, "up").code, 0);
    assert_eq!(files(&typist), ["migrate-7.complete"], "and nothing else");
    app.opened.borrow_mut().clear();

    assert_complete(&typist.types(&app, "up"));
    let json = typist.types(&app, "up --format json");
    assert_complete(&json);
    assert!(json.out.contains("\"event\":\"finished\""), "{}", json.out);
    assert_eq!(app.opened.borrow().len(), 0, "the database was not touched");

    // Another version is another matter.
    let mut typist = typist;
    typist.set("MIGRATE_SCHEMA_VERSION", "8");
    let seen = typist.types(&app, "up");
    assert!(
        seen.err.contains("nothing to do: 3 migrations applied"),
        "{}",
        seen.err
    );
    assert_eq!(files(&typist), ["migrate-7.complete", "migrate-8.complete"]);
}

#[test]
fn a_failure_leaves_no_marker() {
    let typist = versioned();
    assert_eq!(typist.types(&failing(), "up").code, 1);
    assert_eq!(files(&typist), [""; 0]);

    // What was deferred is not done.
    let mut later = migration("shop:create_users", &[]);
    later.body = Body::NotYet("tomorrow".to_owned());
    assert_eq!(typist.types(&FakeApp::of(vec![later]), "up").code, 1);
    assert_eq!(files(&typist), [""; 0]);

    let app = FakeApp::three();
    *app.starting.borrow_mut() = 1;
    assert_eq!(typist.types(&app, "up").code, 6);
    assert_eq!(files(&typist), [""; 0]);

    // One that was there is taken away by whatever fails, also by a part of the work.
    for (app, line, code) in [
        (failing(), "up --steps 2", 1),
        (FakeApp::three(), "up nobody", 2),
        (FakeApp::three(), "up --database nobody", 2),
    ] {
        typist.file("flags/migrate-7.complete", "");
        assert_eq!(typist.types(&app, line).code, code, "{line}");
        assert_eq!(files(&typist), [""; 0], "{line}");
    }
}

#[test]
fn a_part_of_the_work_is_no_completion() {
    let typist = versioned();
    let app = FakeApp::three();
    assert_eq!(typist.types(&app, "up --steps 1").code, 0);
    assert_eq!(typist.types(&app, "up index_email").code, 0);
    assert_eq!(files(&typist), [""; 0]);
    // Nor is it stopped by one.
    typist.file("flags/migrate-7.complete", "");
    assert_eq!(typist.types(&app, "up split_names").code, 0);
    assert_eq!(app.state("shop:split_names"), migrate_core::State::Applied);

    // One of two databases.
    let mut other = migration("shop:count", &[]);
    other.database = "analytics".to_owned();
    let app = FakeApp::of(vec![migration("shop:create_users", &[]), other]);
    let mut typist = versioned();
    typist.set("MIGRATE_DATABASES_ANALYTICS_URL", "sqlite://other.db");
    assert_eq!(typist.types(&app, "up --database default").code, 0);
    assert_eq!(files(&typist), [""; 0]);
    assert_eq!(typist.types(&app, "up").code, 0);
    assert_eq!(files(&typist), ["migrate-7.complete"]);
}

#[test]
fn looking_does_not_need_a_marker_and_reverting_takes_it_away() {
    let typist = versioned();
    let app = FakeApp::three();
    assert_eq!(typist.types(&app, "up").code, 0);
    for line in ["status", "plan", "up --dry-run", "check", "log"] {
        assert_eq!(typist.types(&app, line).code, 0, "{line}");
        assert!(marker(&typist).exists(), "{line}");
    }
    assert_eq!(typist.types(&app, "down --yes").code, 0);
    assert_eq!(files(&typist), [""; 0]);
    let seen = typist.types(&app, "up");
    assert!(seen.err.contains("1 applied"), "{}", seen.err);
}

#[test]
fn only_both_keys_together_make_a_marker() {
    for toml in ["schema_version = \"7\"", "flag_dir = \"flags\""] {
        let typist = Typist::new();
        typist.file("migrate.toml", toml);
        assert_eq!(typist.types(&FakeApp::three(), "up").code, 0, "{toml}");
        assert_eq!(files(&typist), [""; 0]);
        assert!(!typist.directory.join("flags").exists());
    }
}

#[test]
fn a_marker_that_cannot_be_is_refused_before_anything_is_done() {
    for (toml, said) in [
        (
            "schema_version = \"../7\"\nflag_dir = \"flags\"",
            "migrate.toml:1: `schema_version` cannot be `../7`",
        ),
        (
            "schema_version = \"\"\nflag_dir = \"flags\"",
            "migrate.toml:1: `schema_version` cannot be ``: it is empty",
        ),
        (
            "schema_version = 7",
            "`schema_version` has to be a string, not an integer",
        ),
        (
            "schema_version = \"7\"\nflag_dir = \"migrate.toml/flags\"",
            "the directory of the completion marker cannot be used",
        ),
    ] {
        let typist = Typist::new();
        typist.file("migrate.toml", toml);
        let app = FakeApp::three();
        let seen = typist.types(&app, "up");
        assert_eq!(seen.code, 2, "{seen:?}");
        assert!(seen.err.contains(said), "{said} is not in {}", seen.err);
        assert_eq!(app.opened.borrow().len(), 0);
    }
}

#[test]
fn redis_has_to_be_said_whole() {
    for (toml, said) in [
        (
            "redis_url = \"redis://:s3cret@cache/0\"",
            "`redis_flush` is not",
        ),
        ("redis_flush = \"db\"", "`redis_url` is not"),
        (
            "redis_url = \"redis://:s3cret@cache\"\nredis_flush = \"DB\"",
            "it is `db`, or a pattern with a `*`",
        ),
        (
            "redis_url = \"redis://:s3cret@cache\"\nredis_flush = \"sessions\"",
            "it is `db`, or a pattern with a `*`",
        ),
        (
            "redis_url = \"http://:s3cret@cache\"\nredis_flush = \"db\"",
            "`redis_url` is not the URL of a Redis",
        ),
    ] {
        let typist = Typist::new();
        typist.file("migrate.toml", toml);
        let app = FakeApp::three();
        let seen = typist.types(&app, "up");
        assert_eq!(seen.code, 2, "{seen:?}");
        assert!(seen.err.contains(said), "{said} is not in {}", seen.err);
        assert!(!seen.err.contains("s3cret"));
        assert_eq!(app.opened.borrow().len(), 0);
        // What does not need it is not disturbed by it.
        assert_eq!(typist.types(&app, "status").code, 0);
    }
    let seen = Typist::new().types(&FakeApp::three().applied(), "up --flush-redis");
    assert_eq!(seen.code, 2);
    assert!(
        seen.err.contains("there is no Redis to flush"),
        "{}",
        seen.err
    );
}

#[test]
#[cfg(not(feature = "redis"))]
fn a_program_without_redis_says_so_before_anything_is_done() {
    let typist = Typist::new();
    typist.file(
        "migrate.toml",
        "redis_url = \"redis://cache\"\nredis_flush = \"db\"",
    );
    let app = FakeApp::three();
    let seen = typist.types(&app, "up");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("the feature `redis`"), "{}", seen.err);
    assert_eq!(app.opened.borrow().len(), 0);
}

#[test]
#[cfg(feature = "redis")]
fn a_redis_that_cannot_be_reached_fails_the_run_and_tells_what_was_applied() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let typist = versioned();
    typist.file(
        "migrate.toml",
        &format!(
            "redis_url = \"redis://:s3cret@{address}\"\nredis_flush = \"shop:*\"\nschema_version = \"7\"\nflag_dir = \"flags\""
        ),
    );
    let app = FakeApp::three();
    let seen = typist.types(&app, "up");
    assert_eq!(seen.code, 1, "{seen:?}");
    let said = format!(
        "error: 3 migrations applied, and then Redis could not be flushed: redis://:***@{address}\n"
    );
    assert!(seen.err.contains(&said), "{}", seen.err);
    assert!(
        seen.err.contains("the next `up` tries to flush it again"),
        "{}",
        seen.err
    );
    // It does, with nothing else to do, until it comes to it.
    for _ in 0..2 {
        let seen = typist.types(&app, "up");
        assert_eq!(seen.code, 1, "{seen:?}");
        assert!(
            seen.err
                .contains("Redis was not flushed after an earlier run"),
            "{}",
            seen.err
        );
        assert!(
            seen.err
                .contains("error: nothing was applied, and then Redis could not be flushed"),
            "{}",
            seen.err
        );
    }
    assert!(!seen.err.contains("s3cret"), "{}", seen.err);
    assert_eq!(files(&typist), [""; 0]);
    assert_eq!(app.state("shop:split_names"), migrate_core::State::Applied);
}

#[test]
fn a_dump_is_restored_where_nothing_is() {
    let typist = versioned();
    let app = FakeApp::three();
    typist.file("dump.sql", "SELECT 1;\n");
    typist.file("flags/migrate-7.complete", "");
    let seen = typist.types(&app, "restore dump.sql --wait 5s");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(
        seen.err
            .contains("restored database `default` from [DIR]/dump.sql")
    );
    let (text, request) = app.restored.borrow().clone().unwrap();
    assert_eq!(text, "SELECT 1;\n");
    assert_eq!(request.wait, Some(std::time::Duration::from_secs(5)));
    assert_eq!(files(&typist), [""; 0], "another database is not complete");

    assert_eq!(typist.types(&app, "restore dump.sql").code, 2);
    let seen = typist.types(&app, "restore dump.sql --force --format json");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(
        seen.out
            .starts_with("{\"event\":\"restored\",\"database\":\"default\"")
    );
}

#[test]
fn a_dump_that_cannot_be_opened_is_told() {
    for (toml, line, said) in [
        ("", "restore nowhere.sql", "[DIR]/nowhere.sql: "),
        ("", "restore data", "it is a directory"),
        (
            "",
            "restore data.bin",
            "`restore_command` makes SQL of any format",
        ),
        (
            "restore_from = \"nowhere.sql.gz\"",
            "up",
            "take `restore_from` out",
        ),
        ("restore_from = \"\"", "up", "it is empty"),
    ] {
        let typist = Typist::new();
        typist.file("migrate.toml", toml);
        typist.file("data.bin", "\0\0");
        fs::create_dir(typist.directory.join("data")).unwrap();
        let app = FakeApp::three();
        let seen = typist.types(&app, line);
        assert_eq!(seen.code, 2, "{line}: {seen:?}");
        assert!(seen.err.contains(said), "{said} is not in {}", seen.err);
        assert!(app.restored.borrow().is_none());
        assert_eq!(app.asked.borrow().len(), 0, "nothing was applied");
    }
}

#[test]
fn each_database_begins_with_a_dump_of_its_own() {
    let app = || {
        let of = |id, database: &str| {
            let mut migration = migration(id, &[]);
            migration.database = database.to_owned();
            migration
        };
        FakeApp::of(vec![
            migration("shop:create_users", &[]),
            of("shop:count", "analytics"),
            of("shop:note", "user-log"),
        ])
    };
    let restored = |app: &FakeApp| -> Vec<(String, String)> {
        let all = app.restored_into.borrow();
        let all = all.iter().map(|(one, text)| (one.clone(), text.clone()));
        all.collect()
    };
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let toml = "restore_from = \"shop.sql\"\ndatabase_url = \"sqlite://shop.db\"\n\
        [databases.analytics]\nurl = \"sqlite://a.db\"\nrestore_from = \"a.sql\"\n\
        [databases.user-log]\nurl = \"sqlite://l.db\"\n";
    let mut typist = Typist::without_configuration();
    typist.file("migrate.toml", toml);
    for name in ["shop", "a", "log"] {
        typist.file(&format!("{name}.sql"), &format!("of {name}"));
    }
    // The general one is for `default`: another database with its tables would be a surprise.
    let all = app();
    let seen = typist.types(&all, "up");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(
        restored(&all),
        [pair("analytics", "of a"), pair("default", "of shop")]
    );
    // Its own counts more than the general one, also where it is the only one.
    let one = app();
    assert_eq!(typist.types(&one, "up --database analytics").code, 0);
    assert_eq!(restored(&one), [pair("analytics", "of a")]);
    // A variable says it, too.
    typist.set("MIGRATE_DATABASES_USER_LOG_RESTORE_FROM", "log.sql");
    let all = app();
    let seen = typist.types(&all, "up");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(restored(&all).len(), 3);
    assert!(
        seen.err
            .contains("restored database `user-log` from [DIR]/log.sql")
    );

    // One that is not there stops before anything is applied.
    typist.file("migrate.toml", &toml.replace("a.sql", "gone.sql"));
    let all = app();
    assert_eq!(typist.types(&all, "up").code, 2);
    assert_eq!(all.asked.borrow().len(), 0);
}

#[test]
fn a_command_reads_what_is_not_known() {
    let typist = Typist::new();
    typist.file(
        "migrate.toml",
        "restore_from = \"dump.rot\"\nrestore_command = \"tr a-z b-za\"\nrestore_expects = \"one, two\"",
    );
    typist.file("dump.rot", "rdkdbs 1;");
    let app = FakeApp::three();
    let seen = typist.types(&app, "up");
    assert_eq!(seen.code, 0, "{seen:?}");
    let (text, request) = app.restored.borrow().clone().unwrap();
    assert_eq!(text, "select 1;");
    assert_eq!(request.expects, ["one", "two"]);

    // Its failure is one, whatever it has written.
    let typist = Typist::new();
    typist.file("dump.rot", "x");
    typist.file(
        "migrate.toml",
        "restore_command = \"echo SELECT 1; echo broken >&2; exit 3\"",
    );
    let app = FakeApp::three();
    let seen = typist.types(&app, "restore dump.rot");
    assert_eq!(seen.code, 1, "{seen:?}");
    assert!(seen.err.contains("exit status: 3: broken"), "{}", seen.err);
}

#[test]
#[cfg(not(feature = "compressed"))]
fn a_program_that_cannot_unpack_says_so() {
    let typist = Typist::new();
    typist.file("dump.sql.zst", "x");
    let seen = typist.types(&FakeApp::three(), "restore dump.sql.zst");
    assert_eq!(seen.code, 2);
    assert!(
        seen.err.contains("the feature `compressed`"),
        "{}",
        seen.err
    );
}
