//! Several databases: which a run is about, in what order, side by side, and what is told of each.

use migrate_core::State;

use crate::{
    fake::{FakeApp, migration},
    typist::Typist,
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
