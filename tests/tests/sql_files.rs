//! `migrations_dir!` while people work: files are added and changed, and the program is built as people build it.
#![expect(clippy::unwrap_used, reason = "tests, from one end to the other")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

const PROGRAM: &str = "pub mod sql {\n    migrate_diesel::migrations_dir!(\"migrations\", format = sqlx);\n}\n\n\
                       migrate_diesel::main!();\n";
const BUILD: &str = "fn main() {\n    println!(\"cargo::rerun-if-changed=migrations\");\n}\n";

/// A package of its own, built where the workspaces of `carrying.rs` are: the dependencies are there then.
struct Package {
    root: TempDir,
    target: PathBuf,
}

impl Package {
    fn new() -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let runtime = repository.join("migrate-diesel");
        let package = Self {
            root: tempfile::tempdir().unwrap(),
            target: Path::new(env!("CARGO_TARGET_TMPDIR")).join("carrying/target"),
        };
        package.write(
            "Cargo.toml",
            &format!(
                "[workspace]\n\n[package]\nname = \"sql-files\"\nedition = \"2024\"\n\n[dependencies]\n\
                 migrate-diesel = {{ path = \"{}\" }}\n\n[profile.dev]\ndebug = false\n",
                runtime.display()
            ),
        );
        package.write("src/main.rs", PROGRAM);
        // The versions that this repository is tested with, and none from the network.
        let lock = package.root.path().join("Cargo.lock");
        fs::copy(repository.join("Cargo.lock"), lock).unwrap();
        package
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn migration(&self, name: &str, sql: &str) {
        self.write(&format!("migrations/{name}.sql"), sql);
    }

    fn build(&self) {
        let output = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--quiet"])
            .current_dir(self.root.path())
            .env("CARGO_TARGET_DIR", &self.target)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }

    /// Exit code, and what was said.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let url = format!("sqlite://{}/app.db", self.root.path().display());
        let output = Command::new(self.target.join("debug/sql-files"))
            .args(arguments)
            .args(["--database-url", &url])
            .current_dir(self.root.path())
            .output()
            .unwrap();
        (output.status.code().unwrap(), said(&output))
    }

    #[track_caller]
    fn ups(&self, expected: i32, part: &str) -> String {
        let (code, said) = self.run(&["up"]);
        assert_eq!(code, expected, "{said}");
        assert!(said.contains(part), "{part}: {said}");
        said
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn files_come_and_change() {
    let package = Package::new();
    package.migration("1_users", "CREATE TABLE users (id INTEGER PRIMARY KEY);\n");
    package.build();
    package.ups(0, "users");

    // Nothing tells Cargo of a file that is added; the program does not say that there is nothing to do.
    package.migration(
        "2_orders",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY);\n",
    );
    package.build();
    for command in ["up", "status", "plan", "check"] {
        let (code, said) = package.run(&[command]);
        assert_eq!(code, 2, "{command}: {said}");
        assert!(said.contains("older than its migrations"), "{said}");
        assert!(said.contains("`migrations/2_orders.sql`"), "{said}");
        assert!(said.contains("touch src/main.rs"), "{said}");
    }
    package.write("src/main.rs", PROGRAM);
    package.build();
    package.ups(0, "orders");

    // With the line in `build.rs`, Cargo hears of it.
    package.write("build.rs", BUILD);
    package.build();
    package.ups(0, "");
    package.migration("3_items", "CREATE TABLE items (id INTEGER PRIMARY KEY);\n");
    package.build();
    package.ups(0, "items");

    // What means nothing is no change; anything else stops `up` before what is new runs.
    package.migration(
        "1_users",
        "-- Accounts.\r\nCREATE TABLE users\r\n  (id INTEGER PRIMARY KEY)\r\n",
    );
    package.build();
    package.ups(0, "");
    package.migration("1_users", "CREATE TABLE users (id BIGINT PRIMARY KEY);\n");
    package.migration("4_late", "CREATE TABLE late (id INTEGER PRIMARY KEY);\n");
    package.build();
    let said = package.ups(4, "its SQL changed");
    assert!(said.contains("migrations/1_users.sql:1"), "{said}");
    let (code, said) = package.run(&["check"]);
    assert_eq!(code, 4, "{said}");
    let (code, said) = package.run(&["accept", "users", "--reason", "the same to SQLite"]);
    assert_eq!(code, 0, "{said}");
    package.ups(0, "late");

    // One that is gone is missing.
    fs::remove_file(package.root.path().join("migrations/4_late.sql")).unwrap();
    package.build();
    package.ups(4, "late");
}
