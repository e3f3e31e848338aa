//! `new`: what it writes into crates of every layout compiles, runs, and comes after what was there.
#![expect(clippy::unwrap_used, reason = "tests, from one end to the other")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

const MANIFEST: &str = "[workspace]\nresolver = \"3\"\nmembers = [\"in*\", \"crates/*\"]\n\
    [workspace.dependencies]\nmigrate-diesel = { path = \"@runtime@\" }\n\
    [workspace.lints.rust]\nwarnings = \"deny\"\nmissing_docs = \"deny\"\n\
    [profile.dev]\ndebug = false\n";

/// Packages: directory, and files beside the program.
const PACKAGES: &[(&str, &[(&str, &str)])] = &[
    (
        "in_files",
        &[
            ("src/lib.rs", "//! In files.\npub mod migrations;\n"),
            (
                "src/migrations.rs",
                "//! All of them.\n\nmod accounts;\npub mod zebras;\n",
            ),
            ("src/migrations/accounts.rs", ACCOUNTS),
            ("src/migrations/zebras.rs", "//! None yet.\n"),
        ],
    ),
    (
        "in_one_file",
        &[
            ("src/lib.rs", "//! In one file.\npub mod migrations;\n"),
            ("src/migrations.rs", ONE_FILE),
        ],
    ),
    ("crates/inline", &[("src/lib.rs", INLINE)]),
    (
        "crates/fresh",
        &[(
            "src/lib.rs",
            "//! Nothing yet.\n\n/// One.\npub const ONE: u8 = 1;\n",
        )],
    ),
    // A program that is a crate by itself, with a file of its own for migrations.
    (
        "crates/whole",
        &[(
            "src/main.rs",
            "//! The program.\n\nmigrate_diesel::main!();\n",
        )],
    ),
    // One in src/bin: a file beside it would be a program, too.
    (
        "crates/lonely",
        &[(
            "src/bin/lonely_bin.rs",
            "//! The program.\n\nmigrate_diesel::main!();\n",
        )],
    ),
];

const ACCOUNTS: &str = concat!(
    "//! Accounts.\n",
    "use migrate_diesel::prelude::*;\n\n/// Users.\n#[migration]\n",
    "pub(super) fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {\n    ",
    "db.batch_execute(\"CREATE TABLE users (id INTEGER PRIMARY KEY)\")\n}\n",
);

const ONE_FILE: &str = concat!(
    "//! In one file.\n",
    "use diesel::{QueryResult, connection::SimpleConnection};\nuse migrate_diesel::AnyConnection;\nuse migrate_diesel::migration;\n\n",
    "/// Users.\n#[migration(id = \"users\")]\n",
    "pub fn create_users(db: &mut AnyConnection) -> QueryResult<()> {\n    ",
    "db.batch_execute(\"CREATE TABLE users (id INTEGER PRIMARY KEY)\")\n}\n\n",
    "#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {}\n}\n",
);

const INLINE: &str = concat!(
    "//! Inline.\n\npub mod migrations {\n    //! Written out.\n    use migrate_diesel::prelude::*;\n\n",
    "    /// Users.\n    #[migration]\n",
    "    pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {\n        ",
    "db.batch_execute(\"CREATE TABLE users (id INTEGER PRIMARY KEY)\")\n    }\n}\n\n",
    "/// After it.\npub fn after() {}\n",
);

fn root() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("new")
}

/// Beside that of carrying.rs, the same crates in the same profile: they are built once.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("carrying/target")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The workspace, as it is before anything is new.
fn workspace() {
    let root = root();
    if root.exists() {
        fs::remove_dir_all(&root).unwrap();
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let runtime = repository.join("migrate-diesel");
    write(
        &root.join("Cargo.toml"),
        &MANIFEST.replace("@runtime@", runtime.to_str().unwrap()),
    );
    // The versions that this repository is tested with, and none from the network.
    fs::copy(repository.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    for (directory, files) in PACKAGES {
        let name = package(directory);
        write(
            &root.join(directory).join("Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nedition = \"2024\"\n[dependencies]\n\
                 migrate-diesel.workspace = true\n\
                 diesel = {{ version = \"2.3\", default-features = false }}\n[lints]\nworkspace = true\n"
            ),
        );
        for (path, text) in *files {
            write(&root.join(directory).join(path), text);
        }
        if files.iter().any(|(path, _)| path.ends_with("lib.rs")) {
            let program = format!("src/bin/{name}_bin.rs");
            let text = format!("//! The program.\n\nmigrate_diesel::main!({name});\n");
            write(&root.join(directory).join(program), &text);
        }
    }
}

fn package(directory: &str) -> &str {
    directory.rsplit('/').next().unwrap()
}

fn program(package: &str) -> String {
    match package {
        "whole" => "whole".to_owned(),
        other => format!("{other}_bin"),
    }
}

fn build() {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet", "--workspace", "--bins"])
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// Runs the program of a package in the package's directory.
fn run(directory: &str, arguments: &[&str]) -> Output {
    let binary = target().join("debug").join(program(package(directory)));
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("MIGRATE_") || text == "DATABASE_URL" || text == "CARGO_MANIFEST_DIR" {
            command.env_remove(&name);
        }
    }
    command
        .args(arguments)
        .current_dir(root().join(directory))
        .output()
        .unwrap()
}

fn done(directory: &str, arguments: &[&str]) -> String {
    let output = run(directory, arguments);
    assert!(
        output.status.success(),
        "{directory} {arguments:?}: {}",
        said(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn every_template_compiles_in_every_layout() {
    workspace();
    build();
    for (directory, _) in PACKAGES {
        // The program is not built anew in between: what it carries is older than its sources.
        for (name, template) in [
            ("create_orders", "table"),
            ("count_orders", "sql"),
            ("fill_orders", "data"),
            ("busy_orders", "view"),
            ("backfill_orders", "mass"),
        ] {
            done(directory, &["new", name, "--template", template]);
        }
    }
    let long = "add_the_consent_of_everybody_to_our_newsletters";
    done("in_files", &["new", long]);
    // From elsewhere in the workspace, and without a requirement.
    done(
        "in_files",
        &["new", "add_more", "--package", "fresh", "--no-requires"],
    );
    build();

    for (directory, _) in PACKAGES {
        let package = package(directory);
        let url = format!("sqlite://{}/{package}.db", root().display());
        let plan = done(
            directory,
            &["plan", "--format", "json", "--database-url", &url],
        );
        let plan: Value = serde_json::from_str(&plan).unwrap();
        let steps = plan.pointer("/0/steps").and_then(Value::as_array).unwrap();
        let step = |name: &str| {
            let id = format!("{package}:{name}").replace("lonely:", "lonely_bin:");
            let found = steps.iter().find(|step| step["id"] == *id);
            found.unwrap_or_else(|| panic!("{id} is not in {plan:#}"))
        };
        let requires = |name: &str| step(name)["requires"].to_string();
        let first = match package {
            "in_files" | "inline" => "create_users\"]",
            "in_one_file" => ":users\"]",
            _ => "[]",
        };
        assert!(requires("create_orders").ends_with(first), "{plan:#}");
        assert!(
            requires("count_orders").ends_with("create_orders\"]"),
            "{plan:#}"
        );
        assert!(
            requires("fill_orders").ends_with("count_orders\"]"),
            "{plan:#}"
        );
        assert_eq!(step("fill_orders")["atomic"], false);
        assert_eq!(step("fill_orders")["views"][0]["name"], "busy_orders");
        if package == "fresh" {
            assert_eq!(requires("add_more"), "[]");
        }
        for arguments in [
            ["up", "create_orders"].as_slice(),
            // The table's way back.
            &["down", "--yes"],
            &["up", "--mass", "inline"],
            &["check"],
        ] {
            done(directory, &[arguments, &["--database-url", &url]].concat());
        }
    }
    files_are_where_they_belong();
    for (directory, _) in PACKAGES {
        let output = Command::new(env!("CARGO"))
            .args(["fmt", "--check"])
            .current_dir(root().join(directory))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
}

fn files_are_where_they_belong() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let declared = read("in_files/src/migrations.rs");
    let declared = declared.replace(
        "pub mod add_the_consent_of_everybody_to_our_newsletters;\n",
        "",
    );
    assert_eq!(
        declared,
        "//! All of them.\n\nmod accounts;\npub mod backfill_orders;\npub mod busy_orders;\npub mod count_orders;\n\
         pub mod create_orders;\npub mod fill_orders;\npub mod zebras;\n"
    );
}
