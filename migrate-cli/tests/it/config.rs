//! Where a setting comes from.

use std::time::Duration;

use migrate_core::{Ordering, Settings};

use crate::{
    fake::{FakeApp, migration},
    typist::{Typist, write},
};

/// The URL and the settings that the program was opened with.
fn effective(typist: &Typist, line: &str) -> (String, Settings) {
    let app = FakeApp::three();
    let seen = typist.types(&app, line);
    assert_eq!(seen.code, 0, "{seen:?}");
    let opened = app.opened.borrow();
    let (settings, database) = opened.first().unwrap();
    let url = database.url.reveal();
    (
        url.replace(typist.directory.to_str().unwrap(), "[DIR]"),
        settings.clone(),
    )
}

/// Which source wins, for every set of sources.
#[test]
fn precedence() {
    // Weakest first.
    let sources = [
        "file",
        "DATABASE_URL in .env",
        "DATABASE_URL",
        "MIGRATE_DATABASE_URL in .env",
        "MIGRATE_DATABASE_URL",
        "flag",
    ];
    for chosen in 1..1_usize << sources.len() {
        let has = |source: usize| chosen & (1 << source) != 0;
        let mut typist = Typist::without_configuration();
        if has(0) {
            typist.file("migrate.toml", "database_url = \"sqlite:///0\"");
        }
        let mut dotenv = String::new();
        if has(1) {
            dotenv.push_str("DATABASE_URL=sqlite:///1\n");
        }
        if has(2) {
            typist.set("DATABASE_URL", "sqlite:///2");
        }
        if has(3) {
            dotenv.push_str("MIGRATE_DATABASE_URL=sqlite:///3\n");
        }
        typist.file(".env", &dotenv);
        if has(4) {
            typist.set("MIGRATE_DATABASE_URL", "sqlite:///4");
        }
        let line = if has(5) {
            "status --database-url sqlite:///5"
        } else {
            "status"
        };
        let strongest = chosen.ilog2();
        assert_eq!(
            effective(&typist, line).0,
            format!("sqlite:///{strongest}"),
            "{chosen:b}: {} should win",
            sources[strongest as usize]
        );
    }
}

#[test]
fn every_setting_from_every_source() {
    let typist = Typist::new();
    assert_eq!(effective(&typist, "status").1, Settings::default());

    let typist = Typist::new();
    typist.file(
        "migrate.toml",
        "history_table = \"a.file\"\nordering = \"stamped\"\nlock_wait = \"2m\"\nview_lock_wait = \"5m\"\nview_lock_timeout = \"2s\"",
    );
    let (_, settings) = effective(&typist, "status");
    assert_eq!(settings.history_table, "a.file");
    assert_eq!(settings.ordering, Ordering::Stamped);
    assert_eq!(settings.lock_wait, Duration::from_secs(120));
    assert_eq!(settings.view_lock_wait, Duration::from_secs(300));
    assert_eq!(settings.view_lock_timeout, Duration::from_secs(2));

    typist.file(
        ".env",
        "MIGRATE_HISTORY_TABLE=dotenv\nMIGRATE_ORDERING=declared\nMIGRATE_LOCK_WAIT=0s\nMIGRATE_VIEW_LOCK_TIMEOUT=250ms",
    );
    let (_, settings) = effective(&typist, "status");
    assert_eq!(settings.history_table, "dotenv");
    assert_eq!(settings.ordering, Ordering::Declared);
    assert_eq!(settings.lock_wait, Duration::ZERO);
    assert_eq!(settings.view_lock_timeout, Duration::from_millis(250));

    let mut typist = typist;
    typist.set("MIGRATE_HISTORY_TABLE", "environment");
    // An empty variable is an unset one.
    typist.set("MIGRATE_LOCK_WAIT", "");
    let (_, settings) = effective(&typist, "status");
    assert_eq!(settings.history_table, "environment");
    assert_eq!(settings.lock_wait, Duration::ZERO);
}

/// For all databases, and for one.
#[test]
fn settings_of_sessions() {
    let mut typist = Typist::without_configuration();
    typist.file(
        "migrate.toml",
        "application_name = \"shop\"\nsearch_path = \"app, public\"\nstatement_timeout = \"15m\"\nlock_timeout = \"5s\"\nconnect_timeout = \"9s\"\n\
         database_url = \"sqlite://shop.db\"\n[databases.default]\nlock_timeout = \"1m\"\n[databases.user-data]\nurl = \"x\"\nsearch_path = \"own\"",
    );
    let session = |typist: &Typist, database: &str| {
        effective(typist, "status").1.for_database(database).session
    };
    let default = session(&typist, "default");
    assert_eq!(default.application_name.as_deref(), Some("shop"));
    assert_eq!(default.search_path.as_deref(), Some("app, public"));
    assert_eq!(default.limits.statement, Some(Duration::from_secs(900)));
    assert_eq!(default.limits.lock, Some(Duration::from_secs(60)));
    let other = session(&typist, "user-data");
    assert_eq!(other.search_path.as_deref(), Some("own"));
    assert_eq!(other.limits.lock, Some(Duration::from_secs(5)));
    assert_eq!(other.connect_timeout, Some(Duration::from_secs(9)));

    typist.set("MIGRATE_LOCK_TIMEOUT", "7s");
    typist.set("MIGRATE_DATABASES_USER_DATA_CONNECT_TIMEOUT", "2m");
    typist.set("MIGRATE_DATABASES_USER_DATA_APPLICATION_NAME", "other");
    typist.set("MIGRATE_DATABASES_USER_DATA_STATEMENT_TIMEOUT", "250ms");
    let other = session(&typist, "user-data");
    assert_eq!(other.application_name.as_deref(), Some("other"));
    assert_eq!(other.limits.statement, Some(Duration::from_millis(250)));
    assert_eq!(other.limits.lock, Some(Duration::from_secs(7)));
    assert_eq!(other.connect_timeout, Some(Duration::from_secs(120)));
    // What is said of one counts more, wherever it is said.
    assert_eq!(
        session(&typist, "default").limits.lock,
        Some(Duration::from_secs(60))
    );
}

#[test]
fn the_file_is_found_from_below_and_beside_the_program() {
    let mut typist = Typist::without_configuration();
    typist.file("migrate.toml", "database_url = \"sqlite://data/shop.db\"");
    typist.directory.push("app/src");
    std::fs::create_dir_all(&typist.directory).unwrap();
    // Relative to the file, not to where it is typed.
    let (url, _) = effective(&typist, "status");
    assert!(
        url.ends_with("/data/shop.db") && !url.contains("[DIR]"),
        "{url}"
    );

    let mut typist = Typist::without_configuration();
    let app = tempfile::tempdir().unwrap();
    write(
        &app.path().join("migrate.toml"),
        "database_url = \"sqlite:///beside\"",
    );
    typist.manifest_dir = app.path().to_str().unwrap().to_owned().leak();
    assert_eq!(effective(&typist, "status").0, "sqlite:///beside");

    typist.file("other.toml", "database_url = \"sqlite://x.db\"");
    assert_eq!(
        effective(&typist, "--config other.toml status").0,
        "sqlite://[DIR]/x.db"
    );
}

#[test]
fn a_path_that_is_not_from_the_file_is_as_typed() {
    let mut typist = Typist::without_configuration();
    typist.set("DATABASE_URL", "sqlite://shop.db");
    assert_eq!(effective(&typist, "status").0, "sqlite://shop.db");
}

#[test]
fn values_of_the_file_are_expanded() {
    let mut typist = Typist::without_configuration();
    typist.file(
        "migrate.toml",
        "database_url = \"postgres://${DB_USER}:${DB_PASS:-secret}@db/shop\"",
    );
    typist.file(".env", "DB_USER=from_dotenv\nDB_PASS=overridden\n");
    typist.set("DB_PASS", "p");
    assert_eq!(
        effective(&typist, "status").0,
        "postgres://from_dotenv:p@db/shop"
    );
}

#[test]
fn a_value_that_does_not_count_is_not_looked_into() {
    let mut typist = Typist::without_configuration();
    typist.file(
        "migrate.toml",
        "database_url = \"${NOWHERE}\"\nordering = \"${NOWHERE}\"\n[databases.other]\nurl = \"${NOWHERE}\"",
    );
    typist.set("DATABASE_URL", "sqlite:///x");
    typist.set("MIGRATE_ORDERING", "stamped");
    assert_eq!(effective(&typist, "status").0, "sqlite:///x");
}

#[test]
fn mistakes_name_their_place() {
    for (file, dotenv, expected) in [
        (
            "databse_url = \"x\"",
            "",
            "migrate.toml:1: unknown key `databse_url`; did you mean `database_url`?",
        ),
        (
            "\nlock_wait = 60",
            "",
            "migrate.toml:2: `lock_wait` has to be a string such as \"60s\", not an integer",
        ),
        (
            "\n\nlock_wait = \"60\"",
            "",
            "migrate.toml:3: `lock_wait` cannot be `60`: it needs a unit, as in `60s`",
        ),
        (
            "ordering = \"alphabetic\"",
            "",
            "migrate.toml:1: `ordering` cannot be `alphabetic`: it is `declared` or `stamped`",
        ),
        (
            "history_table = \" \"",
            "",
            "migrate.toml:1: `history_table` cannot be ` `: it is empty",
        ),
        (
            "view_lock_timeout = \"0s\"",
            "",
            "migrate.toml:1: `view_lock_timeout` cannot be `0s`: it is at least `1ms`",
        ),
        (
            "statement_timeout = \"0s\"",
            "",
            "migrate.toml:1: `statement_timeout` cannot be `0s`: it is at least `1ms`: leave it out to have no limit",
        ),
        (
            "[databases.default]\nurl = \"x\"\nlock_timeout = 5",
            "",
            "migrate.toml:3: `databases.default.lock_timeout` has to be a string such as \"60s\", not an integer",
        ),
        (
            "[databases.default]\nurl = \"x\"\nlock_timeuot = \"5s\"",
            "",
            "migrate.toml:3: unknown key `lock_timeuot`; did you mean `lock_timeout`?",
        ),
        (
            "application_name = \"the deploys of the shop and of everything\"",
            "",
            "migrate.toml:1: `application_name` cannot be `the deploys of the shop and of everything`: it has at most 28 bytes",
        ),
        (
            "search_path = \"\"",
            "",
            "migrate.toml:1: `search_path` cannot be ``: it is empty",
        ),
        ("ordering = ", "", "migrate.toml:1: "),
        (
            "\ndatabase_url = \"${NOWHERE}/x\"",
            "",
            "migrate.toml:2: the variable `NOWHERE` is not set",
        ),
        (
            "",
            "A=1\nMIGRATE_LOCK_WAIT=soon",
            ".env:2: MIGRATE_LOCK_WAIT cannot be `soon`: ",
        ),
        (
            "",
            "A=1\nwhat is this",
            ".env:2: this line is no assignment",
        ),
    ] {
        let typist = Typist::without_configuration();
        typist.file("migrate.toml", file);
        typist.file(".env", dotenv);
        let app = FakeApp::three();
        let seen = typist.types(&app, "up");
        assert_eq!(seen.code, 2, "{file}{dotenv}");
        assert!(
            seen.err.starts_with(&format!("error: {expected}")),
            "{}",
            seen.err
        );
        assert!(app.opened.borrow().is_empty());
    }
    let mut typist = Typist::new();
    typist.set("MIGRATE_ORDERING", "x");
    assert!(
        typist
            .types(&FakeApp::three(), "up")
            .err
            .starts_with("error: MIGRATE_ORDERING cannot be `x`: ")
    );
    let seen = Typist::new().types(&FakeApp::three(), "--config nowhere.toml up");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("nowhere.toml"), "{}", seen.err);
}

#[test]
fn no_configuration_says_what_to_write() {
    let seen = Typist::without_configuration().types(&FakeApp::three(), "up");
    assert_eq!(seen.code, 2);
    insta::assert_snapshot!(seen.err);
}

#[test]
fn a_mistyped_database_is_told_beside_the_one_that_is_missing() {
    let typist = Typist::without_configuration();
    typist.file("migrate.toml", "[databases.defualt]\nurl = \"sqlite://x\"");
    let seen = typist.types(&FakeApp::three(), "up");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("configured is `defualt`"), "{}", seen.err);
    assert!(
        seen.err.contains("migrate.toml does not say it"),
        "{}",
        seen.err
    );
}

#[test]
fn an_unknown_variable_is_a_warning() {
    let mut typist = Typist::new();
    typist.set("MIGRATE_LOCKWAIT", "1s");
    let seen = typist.types(&FakeApp::three().applied(), "status");
    assert_eq!(seen.code, 0);
    assert_eq!(
        seen.err,
        "warning: MIGRATE_LOCKWAIT is not a setting and has no effect; did you mean MIGRATE_LOCK_WAIT?\n"
    );
}

#[test]
fn the_flag_is_for_the_database_that_is_meant() {
    let only_analytics = || {
        let mut app = FakeApp::of(vec![migration("stats:a", &[])]);
        app.migrations[0].database = "analytics".to_owned();
        app
    };
    let app = only_analytics();
    let typist = Typist::without_configuration();
    assert_eq!(
        typist.types(&app, "status --database-url sqlite:///x").code,
        0
    );

    let mut app = only_analytics();
    app.migrations.push(migration("stats:b", &[]));
    app.migrations[1].database = "archive".to_owned();
    let seen = typist.types(&app, "status --database-url sqlite:///x");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("--database NAME"), "{}", seen.err);
    let seen = typist.types(&app, "status --database-url sqlite:///x --database archive");
    assert_eq!(seen.code, 0);
}

#[test]
fn passwords_do_not_show() {
    let mut typist = Typist::without_configuration();
    typist.set("DATABASE_URL", "postgres://me:s3cret@db/shop");
    for line in [
        "up",
        "status",
        "plan",
        "check",
        "log",
        "graph",
        "redo --yes",
    ] {
        let seen = typist.types(&FakeApp::three().applied(), line);
        assert_eq!(seen.code, 0, "{line}");
        assert!(!format!("{seen:?}").contains("s3cret"), "{line}: {seen:?}");
    }
}

/// BEAT edwh 7 and 20: variables of the application's own, under common names, are none of ours; and what is
/// not configured is not looked for.
#[test]
fn variables_of_others_are_left_alone() {
    let mut typist = Typist::new();
    for name in [
        "SCHEMA",
        "SCHEMA_VERSION",
        "FLAG_DIR",
        "FLAG_LOCATION",
        "REDIS_URL",
        "REDIS_HOST",
        "DB_URI",
        "DATABASE_TO_RESTORE",
        "RESTORE_FROM",
        "LOCK_WAIT",
        "STATEMENT_TIMEOUT",
        "APPLICATION_NAME",
        "ORDERING",
    ] {
        typist.set(name, "some thing");
    }
    let before: Vec<_> = std::fs::read_dir(&typist.directory).unwrap().collect();
    let seen = typist.types(&FakeApp::three(), "up");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(!seen.err.contains("warning"), "{seen:?}");
    let after: Vec<_> = std::fs::read_dir(&typist.directory).unwrap().collect();
    assert_eq!(before.len(), after.len());
}
