//! Words that must not be in the sources.

use std::path::Path;

use super::Violation;

/// Each is put together here, so that this file passes its own check.
const UNFINISHED: &[(&str, &str)] = &[
    (concat!("todo", "!("), "finish it, or leave it out"),
    (
        concat!("unimplemented", "!("),
        "finish it, or refuse with an error",
    ),
    (concat!("dbg", "!("), "take it out"),
    (concat!("#[", "ignore"), "a test runs or it does not exist"),
];

/// Directories of the machine on which something was written.
const MACHINE: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];

const FORBID: &str = "#![forbid(unsafe_code)]";

/// The one crate with `unsafe`: its `node` module explains why.
const MAY_BE_UNSAFE: &str = "migrate-core";

/// Unfinished work in Rust sources. UI tests show mistakes on purpose.
pub(super) fn unfinished(path: &Path, text: &str) -> Vec<Violation> {
    if path.extension().is_none_or(|extension| extension != "rs") || path.starts_with("tests/ui") {
        return Vec::new();
    }
    each_line(path, text, |line| {
        UNFINISHED
            .iter()
            .filter(|(word, _)| line.contains(word))
            .map(|(word, remedy)| format!("`{word}`: {remedy}"))
            .collect()
    })
}

/// Absolute paths that exist on somebody's machine only.
pub(super) fn machine_paths(path: &Path, text: &str) -> Vec<Violation> {
    each_line(path, text, |line| {
        MACHINE
            .iter()
            .filter(|directory| names_absolutely(line, directory))
            .map(|directory| {
                format!("`{directory}` is a directory of one machine; write a relative path")
            })
            .collect()
    })
}

/// A library or program that does not forbid `unsafe` in its root file.
pub(super) fn unsafe_not_forbidden(package: &str, path: &Path, text: &str) -> Vec<Violation> {
    let is_root = path
        .file_name()
        .is_some_and(|name| name == "lib.rs" || name == "main.rs");
    let forbids = text.lines().any(|line| line.trim() == FORBID);
    if !is_root || package == MAY_BE_UNSAFE || forbids {
        return Vec::new();
    }
    vec![Violation::new(
        path.display().to_string(),
        format!("`{FORBID}` is missing"),
    )]
}

/// Is it the start of a path, and not the middle of another (`https://host/..`, `./..`)?
fn names_absolutely(line: &str, directory: &str) -> bool {
    line.match_indices(directory).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|before| before.is_alphanumeric() || ".-_~}])>*".contains(before))
    })
}

fn each_line(path: &Path, text: &str, check: impl Fn(&str) -> Vec<String>) -> Vec<Violation> {
    text.lines()
        .enumerate()
        .flat_map(|(index, line)| {
            check(line).into_iter().map(move |message| {
                Violation::new(format!("{}:{}", path.display(), index + 1), message)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &str, text: &str) -> Vec<String> {
        unfinished(Path::new(path), text)
            .iter()
            .map(Violation::to_string)
            .collect()
    }

    #[test]
    fn each_unfinished_word_is_found_with_its_line() {
        for (word, remedy) in UNFINISHED {
            let found = words("a/src/lib.rs", &format!("fn f() {{\n    {word}\n}}"));
            assert_eq!(found, [format!("a/src/lib.rs:2: `{word}`: {remedy}")]);
        }
    }

    #[test]
    fn ui_tests_and_other_languages_may_say_anything() {
        for (word, _) in UNFINISHED {
            assert_eq!(words("tests/ui/fail/migration/x.rs", word), [""; 0]);
            assert_eq!(words("README.md", word), [""; 0]);
        }
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for directory in MACHINE {
            for line in [
                format!("{directory}x"),
                format!("see {directory}x"),
                format!("\"{directory}x\""),
            ] {
                let found = machine_paths(Path::new("README.md"), &line);
                assert_eq!(found.len(), 1, "{line}");
            }
        }
    }

    #[test]
    fn the_middle_of_another_path_is_not_a_machine() {
        for directory in MACHINE {
            for line in [
                format!("https://example.com{directory}x"),
                format!(".{directory}x"),
                format!("my-{directory}"),
            ] {
                let line = line.replace("-/", "-x/");
                assert!(
                    machine_paths(Path::new("README.md"), &line).is_empty(),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn every_root_file_but_the_cores_forbids_unsafe() {
        let lib = Path::new("migrate-cli/src/lib.rs");
        let found = unsafe_not_forbidden("migrate-cli", lib, "//! Docs.\n");
        assert_eq!(
            found.iter().map(Violation::to_string).collect::<Vec<_>>(),
            ["migrate-cli/src/lib.rs: `#![forbid(unsafe_code)]` is missing"]
        );
        assert!(
            unsafe_not_forbidden("migrate-cli", lib, "//! Docs.\n#![forbid(unsafe_code)]\n")
                .is_empty()
        );
        assert!(
            unsafe_not_forbidden("migrate-core", Path::new("migrate-core/src/lib.rs"), "")
                .is_empty()
        );
        assert!(
            unsafe_not_forbidden("shop", Path::new("examples/shop/src/bin/migrate.rs"), "")
                .is_empty()
        );
    }

    #[test]
    fn forbidding_in_a_comment_does_not_count() {
        let found = unsafe_not_forbidden(
            "xtask",
            Path::new("xtask/src/main.rs"),
            "// #![forbid(unsafe_code)]\n",
        );
        assert_eq!(found.len(), 1);
    }
}
