//! Which migrations a program carries: real workspaces, built as people build them, in debug, in
//! release, and with the linker's strongest broom (LTO over everything).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests, from one end to the other"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

/// Files of the workspace: path and text.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("carrying/Cargo.toml")),
    ("first/src/lib.rs", include_str!("carrying/first.rs")),
    ("second/src/lib.rs", include_str!("carrying/second.rs")),
    (
        "forgotten/src/lib.rs",
        include_str!("carrying/forgotten.rs"),
    ),
    ("silent/src/lib.rs", "//! No migration here.\n"),
    ("claims/src/lib.rs", include_str!("carrying/claims.rs")),
    ("twin-a/src/lib.rs", include_str!("carrying/twin.rs")),
    ("twin-b/src/lib.rs", include_str!("carrying/twin.rs")),
    (
        "app/src/bin/both.rs",
        "migrate_diesel::main!(first, second);\n",
    ),
    (
        "app/src/bin/reversed.rs",
        "migrate_diesel::main!(second, first);\n",
    ),
    (
        "app/src/bin/required.rs",
        "migrate_diesel::main!(second);\n",
    ),
    (
        "app/src/bin/complete.rs",
        "migrate_diesel::main!(first, forgotten);\n",
    ),
    ("app/src/bin/forgets.rs", "migrate_diesel::main!(first);\n"),
    ("app/src/bin/silent.rs", "migrate_diesel::main!(silent);\n"),
    (
        "app/src/bin/half.rs",
        "migrate_diesel::main!(first, silent);\n",
    ),
    (
        "app/src/bin/claiming.rs",
        "migrate_diesel::main!(first, claims);\n",
    ),
    ("app/src/bin/empty.rs", "migrate_diesel::main!();\n"),
    ("app/src/bin/own.rs", include_str!("carrying/own.rs")),
    (
        "app/src/bin/library.rs",
        include_str!("carrying/library.rs"),
    ),
    ("other/src/bin/twins.rs", include_str!("carrying/twins.rs")),
    (
        "other/src/bin/renamed.rs",
        "migrate_diesel::main!(first_as_we_call_it);\n",
    ),
];

/// Libraries and what each depends on, beside the runtime.
const LIBRARIES: &[(&str, &str, &str)] = &[
    ("first", "first", ""),
    ("second", "second", "first = { path = \"../first\" }\n"),
    ("forgotten", "forgotten", ""),
    ("silent", "silent", ""),
    ("claims", "claims", ""),
    // Two packages whose libraries have one name: cargo allows it, and only the program notices.
    ("twin-a", "twin", ""),
    ("twin-b", "twin", ""),
];

const APP: &str = "[dependencies]\n\
    migrate-diesel.workspace = true\n\
    first = { path = \"../first\" }\n\
    second = { path = \"../second\" }\n\
    forgotten = { path = \"../forgotten\" }\n\
    silent = { path = \"../silent\" }\n\
    claims = { path = \"../claims\" }\n";

/// Under other names than their own.
const OTHER: &str = "[dependencies]\n\
    migrate-diesel.workspace = true\n\
    first_as_we_call_it = { path = \"../first\", package = \"first\" }\n\
    twin_a = { path = \"../twin-a\", package = \"twin-a\" }\n\
    twin_b = { path = \"../twin-b\", package = \"twin-b\" }\n";

/// A profile of cargo's: its name, and the directory of what it builds.
#[derive(Clone, Copy)]
struct Profile {
    name: &'static str,
    directory: &'static str,
    /// Only these; else all.
    programs: &'static [&'static str],
}

const DEBUG: Profile = Profile {
    name: "dev",
    directory: "debug",
    programs: &[],
};
const RELEASE: Profile = Profile {
    name: "release",
    directory: "release",
    programs: &[],
};
const FAT: Profile = Profile {
    name: "fat",
    directory: "fat",
    // Each takes a quarter of a minute.
    programs: &["both", "forgets", "own"],
};

/// Writes the workspace, once; what has not changed is not touched, so that a second run builds nothing.
fn workspace() -> &'static Path {
    static WORKSPACE: OnceLock<PathBuf> = OnceLock::new();
    WORKSPACE.get_or_init(|| {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("carrying");
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let runtime = repository.join("migrate-diesel");
        remove_others(&root, &root);
        for (path, text) in FILES {
            let text = text.replace("@runtime@", runtime.to_str().unwrap());
            write(&root.join(path), &text);
        }
        for (package, library, dependencies) in LIBRARIES {
            let manifest = format!(
                "[package]\nname = \"{package}\"\nedition = \"2024\"\n[lib]\nname = \"{library}\"\n\
                 [dependencies]\nmigrate-diesel.workspace = true\n{dependencies}"
            );
            write(&root.join(package).join("Cargo.toml"), &manifest);
        }
        for (package, dependencies) in [("app", APP), ("other", OTHER)] {
            let manifest =
                format!("[package]\nname = \"{package}\"\nedition = \"2024\"\n{dependencies}");
            write(&root.join(package).join("Cargo.toml"), &manifest);
        }
        // The versions that this repository is tested with, and none from the network.
        if !root.join("Cargo.lock").exists() {
            fs::copy(repository.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
        }
        root
    })
}

/// Removes sources that an earlier version of this test has left: cargo would build them.
fn remove_others(root: &Path, directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.strip_prefix(root).unwrap();
        if path.is_dir() && name != Path::new("target") {
            remove_others(root, &path);
        } else if path.extension().is_some_and(|it| it == "rs")
            && !FILES.iter().any(|(file, _)| Path::new(file) == name)
        {
            fs::remove_file(path).unwrap();
        }
    }
}

fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The programs of one profile, built, and an empty directory for their databases.
struct Programs {
    binaries: PathBuf,
    directory: TempDir,
}

impl Programs {
    fn build(profile: Profile) -> Self {
        let root = workspace();
        let target = root.join("target");
        let programs = if profile.programs.is_empty() {
            vec!["--bins"]
        } else {
            profile
                .programs
                .iter()
                .flat_map(|it| ["--bin", it])
                .collect()
        };
        let output = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--quiet", "--profile", profile.name])
            .args(programs)
            .current_dir(root)
            .env("CARGO_TARGET_DIR", &target)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        Self {
            binaries: target.join(profile.directory),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs a program on the database `database` of this test.
    fn run(&self, program: &str, database: &str, arguments: &[&str]) -> Output {
        let url = format!("sqlite://{}/{database}.db", self.directory.path().display());
        let mut command = Command::new(self.binaries.join(program));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("MIGRATE_") || text == "DATABASE_URL" {
                command.env_remove(&name);
            }
        }
        command
            .args(arguments)
            .args(["--database-url", &url])
            .current_dir(self.directory.path())
            .output()
            .unwrap()
    }

    /// Runs a program that has to end well, and reads what it printed as JSON.
    fn json(&self, program: &str, database: &str, arguments: &[&str]) -> Value {
        let output = self.run(program, database, arguments);
        assert!(output.status.success(), "{program}: {}", said(&output));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{program}: {error}: {}", said(&output)))
    }

    /// Ids in the order of the plan.
    fn planned(&self, program: &str) -> Vec<String> {
        let plan = self.json(program, "plan", &["plan", "--format", "json"]);
        let steps = plan.pointer("/0/steps").and_then(Value::as_array);
        let steps = steps.unwrap_or_else(|| panic!("{plan}"));
        let id = |step: &Value| step.get("id").and_then(Value::as_str).map(str::to_owned);
        steps.iter().map(|step| id(step).unwrap()).collect()
    }

    /// A program that has to refuse: its exit code, and what it said.
    fn refused(&self, program: &str, database: &str, arguments: &[&str]) -> (i32, String) {
        let output = self.run(program, database, arguments);
        let said = said(&output);
        assert!(!output.status.success(), "{program}: {said}");
        assert!(!said.contains("panicked"), "{program}: {said}");
        (output.status.code().unwrap(), said)
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A dependant follows its requirement at once; else the order of `main!`, of files, of lines. The
/// same in every profile.
const BOTH: [&str; 4] = [
    "first:create_users",
    "first:index_users",
    "second:create_invoices",
    "first:deeper_roles",
];

fn carries_what_it_names(profile: Profile) {
    let programs = Programs::build(profile);

    assert_eq!(programs.planned("both"), BOTH);
    let mut sorted = BOTH;
    sorted.sort_unstable();
    // The same code in the other order of crates: what is required comes first all the same.
    let mut reversed = programs.planned("reversed");
    assert_eq!(
        reversed.first().map(String::as_str),
        Some("first:create_users")
    );
    reversed.sort();
    assert_eq!(reversed, sorted);
    // Not named, but required by path: carried.
    let mut required = programs.planned("required");
    required.sort();
    assert_eq!(required, sorted);

    let output = programs.run("both", "both", &["up"]);
    assert!(output.status.success(), "{}", said(&output));
    let output = programs.run("required", "both", &["up"]);
    assert!(output.status.success(), "{}", said(&output));
    let output = programs.run("library", "both", &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(said(&output).trim(), "carries 5, applied 0");
}

fn refuses_what_it_does_not_carry(profile: Profile) {
    let programs = Programs::build(profile);

    let output = programs.run("complete", "forgotten", &["up"]);
    assert!(output.status.success(), "{}", said(&output));
    // `forgotten` is a dependency of the package, and not named.
    for arguments in [&["up"][..], &["check"], &[]] {
        let (code, said) = programs.refused("forgets", "forgotten", arguments);
        assert_eq!(code, 4, "{said}");
        assert!(said.contains("forgotten:create_letters"), "{said}");
        assert!(said.contains("main!"), "{said}");
    }
    let status = programs.run("forgets", "forgotten", &["status"]);
    assert!(
        said(&status).contains("forgotten:create_letters"),
        "{}",
        said(&status)
    );

    for (program, word) in [
        ("silent", "silent"),
        ("half", "silent"),
        ("empty", "no migration"),
    ] {
        for arguments in [&["up"][..], &["status"], &["plan"], &["check"]] {
            let (code, said) = programs.refused(program, program, arguments);
            assert!(matches!(code, 2 | 4), "{program}: {code} {said}");
            assert!(said.contains(word), "{program}: {said}");
            assert!(!said.contains("nothing to do"), "{program}: {said}");
        }
        assert!(
            !programs
                .directory
                .path()
                .join(format!("{program}.db"))
                .exists()
        );
    }
}

fn refuses_what_clashes(profile: Profile) {
    let programs = Programs::build(profile);
    let (code, said) = programs.refused("claiming", "claiming", &["up"]);
    assert_eq!(code, 2, "{said}");
    for word in ["claims:create_people", "first:create_users", "lib.rs:"] {
        assert!(said.contains(word), "{said}");
    }
    let (code, said) = programs.refused("twins", "twins", &["up"]);
    assert_eq!(code, 2, "{said}");
    assert_eq!(
        said.matches("twin:create_thing").count().min(1),
        1,
        "{said}"
    );
    for word in ["twin-a", "twin-b"] {
        assert!(said.contains(word), "both places are named: {said}");
    }
}

fn carries_its_own(profile: Profile) {
    let programs = Programs::build(profile);
    assert_eq!(programs.planned("own"), ["own:create_notes"]);
    let output = programs.run("own", "own", &["up"]);
    assert!(output.status.success(), "{}", said(&output));
}

fn a_renamed_dependency_is_the_same_crate(profile: Profile) {
    let programs = Programs::build(profile);
    assert_eq!(programs.planned("renamed").len(), 3);
}

macro_rules! in_every_profile {
    ($($profile:ident $module:ident)*) => {
        $(mod $module {
            #[test]
            fn carries_what_it_names() {
                super::carries_what_it_names(super::$profile);
            }

            #[test]
            fn refuses_what_it_does_not_carry() {
                super::refuses_what_it_does_not_carry(super::$profile);
            }

            #[test]
            fn refuses_what_clashes() {
                super::refuses_what_clashes(super::$profile);
            }

            #[test]
            fn carries_its_own() {
                super::carries_its_own(super::$profile);
            }

            #[test]
            fn a_renamed_dependency_is_the_same_crate() {
                super::a_renamed_dependency_is_the_same_crate(super::$profile);
            }
        })*
    };
}

in_every_profile! { DEBUG debug RELEASE release }

/// The linker sees the whole program at once, and may drop whatever nothing refers to.
#[test]
fn lto_over_everything_keeps_the_migrations() {
    let programs = Programs::build(FAT);
    assert_eq!(programs.planned("both"), BOTH);
    assert_eq!(programs.planned("own"), ["own:create_notes"]);
    let output = programs.run("both", "both", &["up"]);
    assert!(output.status.success(), "{}", said(&output));
    let (code, said) = programs.refused("forgets", "both", &["up"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("second:create_invoices"), "{said}");
}
