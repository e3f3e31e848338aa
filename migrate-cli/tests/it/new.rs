//! `new`: where it writes, what it refuses, what it says. That it compiles is tested where cargo is.

use std::fs;

use serde_json::Value;

use crate::{
    fake::{FakeApp, migration},
    typist::{Seen, Typist},
};

const MANIFEST: &str = "[package]\nname = \"my-shop\"\n[dependencies]\nmigrate-diesel = \"0.1\"\n";
const LIBRARY: &str = "//! A shop.\npub mod migrations;\n";

/// An app with these migrations in `src/migrations.rs`.
fn app(migrations: &str) -> Typist {
    let typist = Typist::without_configuration();
    typist.file("Cargo.toml", MANIFEST);
    typist.file("src/lib.rs", LIBRARY);
    typist.file("src/migrations.rs", migrations);
    typist
}

fn types(typist: &Typist, line: &str) -> Seen {
    typist.types(&FakeApp::of(Vec::new()), line)
}

fn done(typist: &Typist, line: &str) -> String {
    let seen = types(typist, line);
    assert_eq!((seen.code, seen.err.as_str()), (0, ""), "{seen:?}");
    seen.out
}

fn file(typist: &Typist, path: &str) -> String {
    fs::read_to_string(typist.directory.join(path)).unwrap()
}

/// Every file with its text.
fn everything(typist: &Typist) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![typist.directory.clone()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.display().to_string(), text));
            }
        }
    }
    found.sort();
    found
}

const ONE: &str = "use migrate_diesel::prelude::*;\n\n#[migration]\npub fn create_users(db: &mut PgConnection) -> QueryResult<()> {\n    Ok(())\n}\n";

#[test]
fn it_says_what_it_wrote_and_what_comes_next() {
    let typist = app(ONE);
    insta::assert_snapshot!(done(&typist, "new create_orders"));
    insta::assert_snapshot!("one_file", file(&typist, "src/migrations.rs"));
    let said = done(&typist, "new add_email --template sql --format json");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["id"], "my_shop:add_email");
    assert_eq!(said["requires"], "create_orders");
    assert_eq!(said["changed"][0], "src/migrations.rs");
    let line = usize::try_from(said["line"].as_u64().unwrap()).unwrap();
    let text = file(&typist, "src/migrations.rs");
    assert_eq!(text.lines().nth(line - 1), Some("/// Add email."));
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_written() {
    let typist = app(ONE);
    let before = everything(&typist);
    for (line, said) in [
        ("new add-email", "next:  try `add_email`"),
        ("new AddEmail", "next:  try `add_email`"),
        ("new fn", "Rust keeps that word for itself"),
        (
            "new create_users",
            "`create_users` is taken: see [DIR]/src/migrations.rs",
        ),
        (
            "new prices --template view --no-requires",
            "a view needs a migration",
        ),
        ("new prices --package nobody", "there are: my-shop"),
        ("new prices --package my-shp", "did you mean `my-shop`?"),
        ("new prices --template grid", "possible values"),
        ("new", "<NAME>"),
    ] {
        let seen = types(&typist, line);
        assert_eq!(seen.code, 2, "{line}: {seen:?}");
        assert!(seen.err.contains(said), "{line}: {}", seen.err);
        assert_eq!(seen.out, "", "{line}");
        assert_eq!(everything(&typist), before, "{line}");
    }
}

#[test]
fn a_name_is_taken_by_a_file_a_module_or_an_id() {
    let typist = app("pub mod orders;\n");
    typist.file(
        "src/migrations/orders.rs",
        "#[migration(id = \"early\")]\npub fn late(db: &mut AnyConnection) {}\n",
    );
    typist.file("src/migrations/notes.rs", "// Not declared.\n");
    for name in ["orders", "notes", "early", "late"] {
        let seen = types(&typist, &format!("new {name}"));
        assert_eq!(seen.code, 2, "{name}: {seen:?}");
        assert!(seen.err.contains("is taken"), "{name}: {seen:?}");
    }
    done(&typist, "new later");
    assert_eq!(
        file(&typist, "src/migrations.rs"),
        "pub mod later;\npub mod orders;\n"
    );
    let text = file(&typist, "src/migrations/later.rs");
    assert!(text.contains("requires = [super::orders::late]"), "{text}");
}

#[test]
fn what_the_program_carries_says_which_is_the_latest() {
    let text = "use migrate_diesel::prelude::*;\n\
        #[migration] pub fn second(db: &mut SqliteConnection) {}\n\
        #[migration(repeat = always)] pub fn again(db: &mut SqliteConnection) {}\n\
        #[migration] pub fn first(db: &mut SqliteConnection) {}\n\
        #[migration(database = \"other\")] pub fn elsewhere(db: &mut SqliteConnection) {}\n";
    let typist = app(text);
    let carried = ["first", "second", "again", "elsewhere"];
    let carried = carried.map(|name| migration(&format!("my_shop:{name}"), &[]));
    let seen = typist.types(&FakeApp::of(carried.to_vec()), "new third --template sql");
    assert_eq!((seen.code, seen.err.as_str()), (0, ""));
    let text = file(&typist, "src/migrations.rs");
    assert!(text.contains("requires = [second]"), "{text}");

    // Newer than the program: nothing requires it yet.
    let seen = typist.types(&FakeApp::of(carried.to_vec()), "new fourth --template sql");
    assert!(seen.out.contains("comes after `third`"), "{seen:?}");
}

#[test]
fn a_crate_that_the_program_does_not_carry_is_told() {
    let typist = app(ONE);
    let seen = typist.types(&FakeApp::three(), "new third");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.err.contains("main!(.., my_shop)"), "{seen:?}");
}

#[test]
fn stamps_go_on() {
    for (latest, begins, ends) in [
        ("m20260330_120000_users", "m20", "_orders"),
        ("users_20260330_007", "orders_20", "_001"),
    ] {
        let typist = app(&format!(
            "#[migration]\npub fn {latest}(db: &mut AnyConnection) {{}}\n"
        ));
        let said = done(&typist, "new orders --format json");
        let said: Value = serde_json::from_str(&said).unwrap();
        let id = said["id"].as_str().unwrap();
        let name = id.strip_prefix("my_shop:").unwrap();
        assert!(name.starts_with(begins) && name.ends_with(ends), "{name}");
        let text = file(&typist, "src/migrations.rs");
        assert!(text.contains("CREATE TABLE orders"), "{text}");
    }
}

#[test]
fn a_private_latest_is_not_required_but_told() {
    let typist = app("mod orders;\n");
    typist.file(
        "src/migrations/orders.rs",
        "#[migration]\nfn hidden(db: &mut MysqlConnection) {}\n",
    );
    let seen = types(&typist, "new open");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.err.contains("`hidden` is the latest"), "{seen:?}");
    let text = file(&typist, "src/migrations/open.rs");
    assert!(!text.contains("requires"), "{text}");
    assert!(
        text.contains("MysqlConnection") && text.contains("AUTO_INCREMENT"),
        "{text}"
    );
}

#[test]
fn views_go_to_views() {
    let typist = app(ONE);
    typist.file("src/lib.rs", "pub mod migrations;\nmod views;\n");
    typist.file(
        "src/views.rs",
        "use db::prelude::*;\n\n#[view_manager(since = x, sql = \"\")]\npub struct Old;\n",
    );
    typist.file(
        "Cargo.toml",
        "[package]\nname = \"shop\"\n[dependencies]\ndb = { package = \"migrate-diesel\" }\n",
    );
    done(&typist, "new active_users --template view");
    let text = file(&typist, "src/views.rs");
    assert!(
        text.contains("since = crate::migrations::create_users"),
        "{text}"
    );
    assert!(text.ends_with("pub struct ActiveUsers;\n"), "{text}");
    assert!(
        types(&typist, "new active_users --template view")
            .err
            .contains("is taken")
    );
    assert_eq!(file(&typist, "src/migrations.rs"), ONE);
    // By the name that the crate has for it.
    typist.file("src/migrations.rs", "");
    done(&typist, "new first");
    assert!(file(&typist, "src/migrations.rs").starts_with("use db::prelude::*;"));
}

#[test]
fn without_a_package_it_says_where_to_go() {
    let typist = Typist::without_configuration();
    let seen = types(&typist, "new first");
    assert_eq!(seen.code, 2);
    assert!(
        seen.err.contains("there is no package at or above [DIR]"),
        "{seen:?}"
    );
    typist.file("Cargo.toml", "[package]\nname = \"other\"\n");
    typist.file("src/lib.rs", "");
    let seen = types(&typist, "new first");
    assert!(
        seen.err
            .contains("`other` does not depend on migrate-diesel"),
        "{seen:?}"
    );
    assert!(seen.err.contains("cargo add migrate-diesel"), "{seen:?}");
    typist.file("Cargo.toml", "[package\n");
    let seen = types(&typist, "new first");
    assert!(
        seen.err.contains("[DIR]/Cargo.toml is no manifest"),
        "{seen:?}"
    );
}
