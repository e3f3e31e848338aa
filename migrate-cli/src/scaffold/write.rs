//! All of the files, or none.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use super::Error;

/// A file as it is to be.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    /// What is there now; `None` for a new file.
    pub(super) before: Option<String>,
    pub(super) after: String,
}

/// Makes the changes; when one cannot be made, takes back the others.
pub(super) fn write(changes: &[Change]) -> Result<(), Error> {
    for (at, change) in changes.iter().enumerate() {
        if let Err(source) = make(change) {
            for done in changes.iter().take(at).rev() {
                // The first error is the one to tell; what cannot be taken back is told with the file's name there.
                let _ = take_back(done);
            }
            return Err(Error::Write {
                path: change.path.clone(),
                source,
            });
        }
    }
    Ok(())
}

fn make(change: &Change) -> io::Result<()> {
    let Some(before) = &change.before else {
        if let Some(directory) = change.path.parent() {
            fs::create_dir_all(directory)?;
        }
        // Never over what somebody made meanwhile.
        let mut file = fs::File::create_new(&change.path)?;
        let written = file.write_all(change.after.as_bytes());
        if written.is_err() {
            let _ = fs::remove_file(&change.path);
        }
        return written;
    };
    if fs::read_to_string(&change.path)? != *before {
        return Err(io::Error::other("somebody changed it meanwhile"));
    }
    replace(&change.path, &change.after)
}

fn take_back(change: &Change) -> io::Result<()> {
    match &change.before {
        Some(before) => replace(&change.path, before),
        None => fs::remove_file(&change.path),
    }
}

/// By way of a file beside it, so that nobody ever sees a half.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut file = fs::File::create_new(&beside)?;
    let result = file
        .write_all(text.as_bytes())
        .and_then(|()| file.set_permissions(fs::metadata(path)?.permissions()))
        .and_then(|()| fs::rename(&beside, path));
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_takes_back_the_rest() {
        let home = tempfile::tempdir().unwrap();
        let (old, taken) = (home.path().join("old.rs"), home.path().join("taken.rs"));
        fs::write(&old, "old").unwrap();
        fs::write(&taken, "taken").unwrap();
        let change = |path: &Path, before: Option<&str>| Change {
            path: path.to_owned(),
            before: before.map(str::to_owned),
            after: "after".to_owned(),
        };
        let new = home.path().join("new/new.rs");
        let changes = [
            change(&new, None),
            change(&old, Some("old")),
            change(&taken, None),
        ];
        let error = write(&changes).unwrap_err();
        assert!(matches!(error, Error::Write { path, .. } if path == taken));
        assert_eq!(fs::read_to_string(&old).unwrap(), "old");
        assert_eq!(fs::read_to_string(&taken).unwrap(), "taken");
        assert!(!new.exists());

        write(&changes[..2]).unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "after");
        assert_eq!(fs::read_to_string(&new).unwrap(), "after");
        assert!(
            write(&[change(&old, Some("old"))]).is_err(),
            "changed meanwhile"
        );
    }
}
