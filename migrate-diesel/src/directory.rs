//! [`Directory`]: what `migrations_dir!` found when the program was built, to notice a file that came later.
//!
//! rustc tells Cargo of every file that was read, but on stable of no directory: a program is built anew when
//! one of the files changes or goes, not when one is added.

use std::{collections::BTreeSet, fs, path::Path};

use migrate_core::{
    Location,
    report::{Problem, ProblemKind},
};

/// How deep a directory is looked into.
const DEPTH: usize = 8;

/// A directory of SQL files as it was when the program was built.
#[derive(Clone, Copy, Debug)]
pub struct Directory {
    /// `module_path!()` of the invocation.
    pub module_path: &'static str,
    /// Where it was then.
    pub absolute: &'static str,
    /// As it was written.
    pub written: &'static str,
    /// Its files, sorted, with `/` between the parts.
    pub files: &'static [&'static str],
    /// Where the invocation is.
    pub location: (&'static str, u32, u32),
}

impl Directory {
    /// What is there now and was not then. Nothing, where the directory is not there: the program runs
    /// elsewhere than where it was built.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let now = files(Path::new(self.absolute));
        let added: Vec<String> = now
            .iter()
            .filter(|file| !self.files.contains(&file.as_str()))
            .map(|file| format!("`{}/{file}`", self.written))
            .collect();
        if added.is_empty() {
            return None;
        }
        let (file, line, column) = self.location;
        let package = self.module_path.split(':').next().unwrap_or_default();
        let message = format!(
            "this program was built before {} {} added, and carries nothing of it",
            added.join(", "),
            if added.len() == 1 { "was" } else { "were" },
        );
        let problem = Problem::new(ProblemKind::NotBuilt, package, message);
        Some(problem.at(Location { file, line, column }))
    }
}

/// The files that may be migrations, or belong to one. Must be the rule of `migrations_dir!`.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(directory, "", DEPTH, &mut found);
    found
}

fn gather(directory: &Path, before: &str, depth: usize, found: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_dir() && depth > 0 {
            gather(&path, &format!("{before}{name}/"), depth - 1, found);
        } else if name.ends_with(".sql") || name == "metadata.toml" {
            found.insert(format!("{before}{name}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(absolute: &Path, files: &'static [&'static str]) -> Directory {
        Directory {
            module_path: "shop::sql",
            absolute: Box::leak(absolute.display().to_string().into_boxed_str()),
            written: "migrations",
            files,
            location: ("src/sql.rs", 3, 1),
        }
    }

    #[test]
    fn what_was_added_is_told() {
        let scratch = tempfile::tempdir().unwrap();
        let add = |file: &str| {
            let path = scratch.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "SELECT 1").unwrap();
        };
        add("1_a/up.sql");
        add("1_a/.up.sql.swp");
        add("README.md");
        assert!(of(scratch.path(), &["1_a/up.sql"]).problem().is_none());
        // What went makes Cargo build the program anew: an old one is run on purpose.
        assert!(
            of(scratch.path(), &["0/up.sql", "1_a/up.sql"])
                .problem()
                .is_none()
        );
        add("1_a/down.sql");
        add("2_b/up.sql");
        let problem = of(scratch.path(), &["1_a/up.sql"]).problem().unwrap();
        assert_eq!(
            problem.message,
            "this program was built before `migrations/1_a/down.sql`, `migrations/2_b/up.sql` were added, \
             and carries nothing of it"
        );
        assert_eq!(problem.id, "shop");
        assert_eq!(problem.location.unwrap().to_string(), "src/sql.rs:3");
    }

    #[test]
    fn elsewhere_there_is_nothing_to_compare() {
        assert!(of(Path::new("/nowhere/at/all"), &[]).problem().is_none());
    }
}
