//! Several databases: which a run is about, in what order, side by side, and what is told of each.

use migrate_core::{Failure, FailureKind, State};

use crate::{
    fake::{Body, FakeApp, migration},
    typist::{Seen, Typist},
};

/// One migration in `default`, and one in each of these.
fn app(names: &[&str]) -> FakeApp {
    let mut migrations = vec![migration("shop:create_users", &[])];
    for name in names {
        let mut one = migration(&format!("shop:create_{name}"), &[]);
        one.database = (*name).to_owned();
        migrations.push(one);
    }
    FakeApp::of(migrations)
}

const TENANTS: [&str; 3] = ["tenant_a", "tenant_b", "tenant_c"];

fn tenants() -> (FakeApp, Typist) {
    (app(&TENANTS), typist(&TENANTS))
}

fn typist(names: &[&str]) -> Typist {
    let mut typist = Typist::new();
    for name in names {
        let variable = format!("MIGRATE_DATABASES_{}_URL", name.to_uppercase());
        typist.set(&variable, &format!("sqlite://{name}.db"));
    }
    typist
}

/// Names of what was opened, in order.
fn opened(app: &FakeApp) -> Vec<String> {
    let opened = app.opened.borrow();
    opened.iter().map(|(_, it)| it.name.clone()).collect()
}

#[test]
fn the_option_may_be_repeated_and_be_a_pattern() {
    for (line, expected) in [
        (
            "status --database tenant_c --database default",
            vec!["default", "tenant_c"],
        ),
        ("status --database tenant_*", TENANTS.to_vec()),
        (
            "--database tenant_a status --database *_b --database tenant_?",
            TENANTS.to_vec(),
        ),
        (
            "status --database * --database default",
            vec!["default", "tenant_a", "tenant_b", "tenant_c"],
        ),
    ] {
        let (app, typist) = tenants();
        let seen = typist.types(&app, line);
        assert_eq!(seen.code, 0, "{line}: {}", seen.err);
        assert_eq!(opened(&app), expected, "{line}");
    }
}

#[test]
fn what_matches_nothing_lists_the_names_there_are() {
    let (app, typist) = tenants();
    let seen = typist.types(&app, "up --database tennant_* --database default");
    assert_eq!(seen.code, 2);
    assert!(
        seen.err.contains("no database matches `tennant_*`"),
        "{}",
        seen.err
    );
    assert!(
        seen.err.contains("default, tenant_a, tenant_b, tenant_c"),
        "{}",
        seen.err
    );
    assert!(app.opened.borrow().is_empty());
}

/// A migration of every tenant, and where the file says that these are.
fn by_pattern(file: &str) -> (FakeApp, Typist) {
    let mut app = app(&[]);
    app.migrations[0].database = "tenant_*".to_owned();
    let typist = Typist::without_configuration();
    typist.file("migrate.toml", file);
    (app, typist)
}

#[test]
fn a_pattern_at_a_migration_means_all_configured_databases_that_match() {
    let (app, mut typist) = by_pattern(
        "[databases.tenant_B]\nurl = \"sqlite://b.db\"\n[databases.other]\nurl = \"sqlite://o.db\"\n",
    );
    typist.set("MIGRATE_DATABASES_TENANT_A_URL", "sqlite://a.db");
    let seen = typist.types(&app, "status");
    assert_eq!(seen.code, 0, "{}", seen.err);
    assert_eq!(
        opened(&app),
        ["tenant_B", "tenant_a"],
        "as they are written"
    );
    // One that is configured by the flag alone.
    let seen = typist.types(
        &app,
        "status --database tenant_z --database-url sqlite://z.db",
    );
    assert_eq!(seen.code, 0, "{}", seen.err);
    assert_eq!(opened(&app).last().unwrap(), "tenant_z");
    let seen = typist.types(&app, "status --database other");
    assert_eq!(seen.code, 2, "no migration belongs to it");
}

#[test]
fn a_pattern_that_matches_nothing_is_told() {
    let (app, typist) = by_pattern("");
    let seen = typist.types(&app, "up");
    assert_eq!(seen.code, 2);
    assert!(
        seen.err
            .contains("no configured database matches `tenant_*`"),
        "{}",
        seen.err
    );

    let (mut app, typist) = by_pattern("database_url = \"sqlite://shop.db\"");
    app.migrations.push(migration("shop:create_all", &[]));
    let seen = typist.types(&app, "up");
    assert_eq!(seen.code, 0, "a program without tenants yet: {}", seen.err);
    assert!(
        seen.err
            .contains("warning: no configured database matches `tenant_*`"),
        "{}",
        seen.err
    );
    assert_eq!(app.state("shop:create_all"), State::Applied);
}

/// Of the lines of JSON, those of an event: `database: text`.
fn events(seen: &Seen, event: &str) -> Vec<serde_json::Value> {
    let lines = seen.out.lines();
    let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line["event"] == event).collect()
}

fn names(values: &[serde_json::Value]) -> Vec<&str> {
    values
        .iter()
        .map(|it| it["database"].as_str().unwrap())
        .collect()
}

/// How the matrix says that each ended.
fn states(seen: &Seen) -> Vec<(String, String)> {
    let rows = seen
        .err
        .lines()
        .skip_while(|line| !line.starts_with("database  "));
    rows.skip(1)
        .take_while(|line| !line.is_empty())
        .map(|row| {
            let cells: Vec<&str> = row.split("  ").filter(|it| !it.trim().is_empty()).collect();
            (cells[0].trim().to_owned(), cells[4].trim().to_owned())
        })
        .collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn up_ends_with_a_line_for_each() {
    for jobs in ["1", "3"] {
        let (mut app, typist) = tenants();
        app.migrations[2].body = Body::Fails(vec!["no such table".to_owned()]);
        let seen = typist.types(&app, &format!("up --jobs {jobs} --stop-after 9"));
        assert_eq!(seen.code, 1, "{}", seen.err);
        assert_eq!(
            states(&seen),
            pairs(&[
                ("default", "done"),
                ("tenant_a", "done"),
                ("tenant_b", "failed, exit 1"),
                ("tenant_c", "done"),
            ]),
            "{}",
            seen.err
        );
        assert_eq!(seen.err.matches("no such table").count(), 1);
        assert!(seen.out.is_empty());
    }
    // One database needs no table.
    let app = FakeApp::three();
    let seen = Typist::new().types(&app, "up");
    assert!(!seen.err.contains("database  "), "{}", seen.err);
}

#[test]
fn after_so_many_failures_no_other_one_is_begun() {
    for (line, expected) in [
        (
            "up",
            ["done", "failed, exit 1", "not started", "not started"],
        ),
        (
            "up --stop-after 2",
            ["done", "failed, exit 1", "done", "failed, exit 1"],
        ),
    ] {
        let (mut app, typist) = tenants();
        for at in [1, 3] {
            app.migrations[at].body = Body::Fails(vec!["no".to_owned()]);
        }
        let seen = typist.types(&app, line);
        assert_eq!(seen.code, 1);
        let found = states(&seen);
        let found: Vec<&str> = found.iter().map(|(_, state)| state.as_str()).collect();
        assert_eq!(found, expected, "{line}: {}", seen.err);
    }
}

#[test]
fn one_that_cannot_be_reached_is_one_that_failed() {
    let (mut app, typist) = tenants();
    let closed = Failure::new(FailureKind::Unreachable, "cannot connect");
    app.closed.insert("tenant_a".to_owned(), closed);
    for jobs in ["1", "2"] {
        let seen = typist.types(&app, &format!("up --stop-after 2 --jobs {jobs}"));
        assert_eq!(seen.code, 6);
        assert!(states(&seen).contains(&("tenant_a".to_owned(), "unreachable, exit 6".to_owned())));
        assert!(
            seen.err
                .contains("tenant_a (sqlite://tenant_a.db)\nerror: cannot connect"),
            "{}",
            seen.err
        );
        assert_eq!(app.state("shop:create_tenant_c"), State::Applied);
    }
}

#[test]
fn side_by_side_each_is_told_in_one_block() {
    let many: Vec<String> = (0..40).map(|at| format!("t{at:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let app = app(&many);
    let typist = typist(&many);
    let seen = typist.types(&app, "up --jobs 8");
    assert_eq!(seen.code, 0, "{}", seen.err);
    let lines: Vec<&str> = seen.err.lines().collect();
    for name in &many {
        let at = lines
            .iter()
            .position(|line| line.starts_with(&format!("{name} (")))
            .unwrap();
        assert!(
            lines[at + 1].starts_with(&format!("applied  shop:create_{name}")),
            "{}",
            seen.err
        );
    }

    let app = self::app(&many);
    let seen = typist.types(&app, "up --jobs 8 --format json");
    for event in ["started", "applied", "finished"] {
        let told = events(&seen, event);
        let mut told = names(&told);
        told.sort_unstable();
        assert_eq!(told, [&["default"], many.as_slice()].concat(), "{event}");
    }
    assert!(seen.err.is_empty(), "{}", seen.err);
}

#[test]
fn the_last_finished_tells_of_all() {
    for jobs in ["1", "4"] {
        let (mut app, typist) = tenants();
        app.migrations[1].body = Body::Fails(vec!["no".to_owned()]);
        let seen = typist.types(
            &app,
            &format!("up --format json --stop-after 2 --jobs {jobs}"),
        );
        assert_eq!(seen.code, 1);
        let finished = events(&seen, "finished");
        assert_eq!(finished.len(), 4, "{}", seen.out);
        let (last, others) = finished.split_last().unwrap();
        assert!(
            others.iter().all(|it| it.get("databases").is_none()),
            "{}",
            seen.out
        );
        let all = last["databases"].as_array().unwrap();
        assert_eq!(names(all), ["default", "tenant_a", "tenant_b", "tenant_c"]);
        assert_eq!(
            all[1],
            serde_json::json!({"database": "tenant_a", "applied": 0, "pending": 1, "failed": 1,
                "state": "failed", "exit": 1})
        );
        assert!(
            seen.out.lines().last().unwrap().contains("finished"),
            "{}",
            seen.out
        );
        assert_eq!(seen.err.matches("error: no").count(), 1, "{}", seen.err);
    }
    let (mut app, typist) = tenants();
    app.migrations[0].body = Body::Fails(vec!["no".to_owned()]);
    let seen = typist.types(&app, "up --format json");
    let finished = events(&seen, "finished");
    assert_eq!(finished.len(), 1, "the others did not begin: {}", seen.out);
    let all = finished[0]["databases"].as_array().unwrap();
    assert_eq!(all[3]["state"], "not_started");
    assert!(all[3]["exit"].is_null());
}

#[test]
fn steps_are_of_all_databases_and_so_one_after_the_other() {
    let (app, typist) = tenants();
    let seen = typist.types(&app, "up --steps 2 --jobs 2");
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("`--steps`"), "{}", seen.err);
    assert!(app.opened.borrow().is_empty());
    let seen = typist.types(&app, "up --steps 2 --jobs 2 --database tenant_a");
    assert_eq!(seen.code, 0, "of one: {}", seen.err);
    for (line, what) in [
        ("up --jobs 0", "at least 1"),
        ("up --stop-after x", "whole number"),
    ] {
        let seen = typist.types(&app, line);
        assert_eq!(seen.code, 2);
        assert!(seen.err.contains(what), "{}", seen.err);
    }
}

#[test]
fn what_is_required_of_another_database_comes_first() {
    for jobs in ["1", "4"] {
        let (mut app, typist) = tenants();
        app.migrations[0].requires = vec!["shop:create_tenant_c".to_owned()];
        let seen = typist.types(&app, &format!("up --format json --jobs {jobs}"));
        assert_eq!(seen.code, 0, "{}", seen.err);
        let finished = events(&seen, "finished");
        let finished = names(&finished);
        let at = |name| finished.iter().position(|it| *it == name).unwrap();
        assert!(at("tenant_c") < at("default"), "{finished:?}");
        if jobs == "1" {
            assert_eq!(finished, ["tenant_a", "tenant_b", "tenant_c", "default"]);
        }
    }
}

/// How the table on standard output says that each stands.
fn stands(seen: &Seen) -> Vec<(String, String)> {
    states(&Seen {
        code: seen.code,
        out: String::new(),
        err: seen.out.clone(),
    })
}

#[test]
fn status_and_check_end_with_a_line_for_each() {
    let (mut app, typist) = tenants();
    app.set("shop:create_users", State::Applied, None);
    app.set("shop:create_tenant_a", State::Failed, Some("no"));
    let closed = Failure::new(FailureKind::Unreachable, "cannot connect");
    app.closed.insert("tenant_b".to_owned(), closed);
    for (line, failed, pending) in [
        ("status", "failed", "pending"),
        ("status --exit-code", "failed, exit 3", "pending, exit 3"),
        ("check", "failed, exit 3", "pending, exit 3"),
    ] {
        let seen = typist.types(&app, line);
        assert_eq!(seen.code, 6, "{line}: {}", seen.err);
        assert_eq!(
            stands(&seen),
            pairs(&[
                ("default", "up to date"),
                ("tenant_a", failed),
                ("tenant_b", "unreachable, exit 6"),
                ("tenant_c", pending),
            ]),
            "{line}: {}",
            seen.out
        );
        assert_eq!(seen.err, "error: cannot connect\n");
    }
    let seen = typist.types(&app, "status --format json");
    assert_eq!((seen.code, seen.out.as_str()), (6, ""), "no half document");
    let seen = typist.types(
        &app,
        "status --exit-code --database tenant_c --database default",
    );
    assert_eq!(seen.code, 3);
    let seen = typist.types(&app, "check --database default");
    assert!(!seen.out.contains("database  "), "{}", seen.out);
}
