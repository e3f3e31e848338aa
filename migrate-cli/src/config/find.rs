//! Where `migrate.toml` and `.env` are looked for.

use std::path::{Path, PathBuf};

/// Directories to look in, nearest first.
#[derive(Debug)]
pub(super) struct Places {
    here: PathBuf,
    directories: Vec<PathBuf>,
}

impl Places {
    /// The working directory and its parents up to the workspace, then the program's own directory.
    ///
    /// The workspace is the boundary because what lies above it is another project's. Without one
    /// (a deployed program), all parents count.
    pub(super) fn new(here: &Path, manifest_dir: &str) -> Self {
        let mut directories = Vec::new();
        for directory in here.ancestors() {
            directories.push(directory.to_owned());
            if is_workspace(directory) {
                break;
            }
        }
        let manifest_dir = PathBuf::from(manifest_dir);
        // On another machine than the one that built the program, it does not exist. It is absolute,
        // or somebody made it up.
        if manifest_dir.is_absolute()
            && !directories.contains(&manifest_dir)
            && manifest_dir.is_dir()
        {
            directories.push(manifest_dir);
        }
        Self {
            here: here.to_owned(),
            directories,
        }
    }

    /// The nearest file called `name`.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        self.directories
            .iter()
            .map(|directory| directory.join(name))
            .find(|path| path.is_file())
    }

    /// `path` as a person at the working directory would write it.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.here)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    /// What to say about where a file was found, or not.
    pub(super) fn looked_for(&self, found: Option<&Path>) -> String {
        match found {
            Some(path) => format!("{} does not say it", self.shown(path)),
            None => format!(
                "there is no migrate.toml in {}",
                match self.directories.as_slice() {
                    [] | [_] => self.here.display().to_string(),
                    [first, .., last] => format!("{} up to {}", first.display(), last.display()),
                }
            ),
        }
    }
}

fn is_workspace(directory: &Path) -> bool {
    directory.join(".git").exists()
        || std::fs::read_to_string(directory.join("Cargo.toml")).is_ok_and(|manifest| {
            manifest
                .lines()
                .any(|line| line.trim_start().starts_with("[workspace]"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn the_nearest_counts_and_the_workspace_is_the_boundary() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        write(&at("migrate.toml"), "");
        write(&at("ws/Cargo.toml"), "[workspace]\nmembers = []");
        write(&at("ws/app/Cargo.toml"), "[package]");
        write(&at("ws/app/src/lib.rs"), "");

        // Above the workspace: not ours.
        assert_eq!(
            Places::new(&at("ws/app/src"), "").find("migrate.toml"),
            None
        );
        write(&at("ws/migrate.toml"), "");
        assert_eq!(
            Places::new(&at("ws/app/src"), "").find("migrate.toml"),
            Some(at("ws/migrate.toml"))
        );
        write(&at("ws/app/migrate.toml"), "");
        assert_eq!(
            Places::new(&at("ws/app/src"), "").find("migrate.toml"),
            Some(at("ws/app/migrate.toml"))
        );
    }

    #[test]
    fn the_programs_own_directory_is_last() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        write(&at("ws/.git/HEAD"), "");
        write(&at("ws/app/migrate.toml"), "");
        let app = at("ws/app");
        let app = app.to_str().unwrap();
        assert_eq!(
            Places::new(&at("ws"), app).find("migrate.toml"),
            Some(at("ws/app/migrate.toml"))
        );
        write(&at("ws/migrate.toml"), "");
        assert_eq!(
            Places::new(&at("ws"), app).find("migrate.toml"),
            Some(at("ws/migrate.toml"))
        );
        assert_eq!(Places::new(&at("ws/app"), "relative").find("x"), None);
    }
}
