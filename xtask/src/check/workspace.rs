//! The workspace as `cargo metadata` and git describe it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::error::{Error, IoContext as _};
use crate::process;

/// What we read of `cargo metadata`.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(super) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

/// A member of the workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest_path: PathBuf,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) targets: Vec<Target>,
}

/// An edge; `name` is the package's own, whatever it is renamed to.
#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) optional: bool,
}

/// A library, program, test ..
#[derive(Debug, Deserialize)]
pub(super) struct Target {
    pub(super) src_path: PathBuf,
}

impl Metadata {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self, Error> {
        Self::load_in(Path::new(""))
    }

    /// Asks cargo about the workspace in a directory below the root.
    pub(super) fn load_in(directory: &Path) -> Result<Self, Error> {
        let mut command = process::cargo();
        command.current_dir(process::root().join(directory));
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        let output = captured(&mut command)?;
        serde_json::from_slice(&output).map_err(|source| Error::Unreadable {
            command: process::display(&command),
            source: source.into(),
        })
    }
}

/// Every file under version control, relative to the root; of a tree without git every file but build output.
pub(crate) fn tracked_files() -> Result<Vec<PathBuf>, Error> {
    let root = process::root();
    if !root.join(".git").exists() {
        let mut files = Vec::new();
        walk(root, Path::new(""), &mut files)?;
        return Ok(files);
    }
    // A CI checkout often belongs to another account, which git distrusts by default; listing files is harmless.
    let mut command = Command::new("git");
    command
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(root);
    let output = captured(&mut command)?;
    let list = String::from_utf8_lossy(&output);
    let names = list.split('\0').filter(|name| !name.is_empty());
    // What is deleted but not yet committed is still listed.
    Ok(names
        .map(PathBuf::from)
        .filter(|path| root.join(path).is_file())
        .collect())
}

fn walk(root: &Path, below: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let directory = root.join(below);
    for entry in fs::read_dir(&directory).context("list", &directory)? {
        let entry = entry.context("list", &directory)?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type().context("look at", &path)?;
        if kind.is_dir() && entry.file_name() != "target" {
            walk(root, &path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// A file's text, relative to the root; `None` for what is not text.
pub(super) fn text(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(process::root().join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error).context("read", path),
    }
}

fn captured(command: &mut Command) -> Result<Vec<u8>, Error> {
    let output = process::output(command)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::FailedWithOutput {
        command: process::display(command),
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_without_git_is_walked_without_build_output() {
        let root = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(root.path().join("a/target")).expect("created");
        fs::write(root.path().join("a/lib.rs"), "").expect("written");
        fs::write(root.path().join("a/target/junk"), "").expect("written");
        let mut files = Vec::new();
        walk(root.path(), Path::new(""), &mut files).expect("walked");
        assert_eq!(files, [PathBuf::from("a/lib.rs")]);
    }

    #[test]
    fn this_file_is_text_of_a_member() {
        let text = text(Path::new("xtask/src/check/workspace.rs")).expect("read");
        assert!(text.is_some_and(|text| text.contains("fn this_file_is_text_of_a_member")));
    }
}
