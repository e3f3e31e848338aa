//! The temporary directory that holds every server's data, and the removal of those that a SIGKILL left behind.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Error, IoContext as _};

const PREFIX: &str = "migrate-servers-";
const OWNER: &str = "owner";

/// A directory that disappears with this value; `owner` in it is locked for as long as we live.
#[derive(Debug)]
pub(super) struct Scratch {
    directory: TempDir,
    _owner: File,
}

impl Scratch {
    pub(super) fn create() -> Result<Self, Error> {
        let parent = parent();
        remove_abandoned(&parent);
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&parent)
            .context("create a directory in", &parent)?;
        let path = directory.path();
        // Servers run as other accounts and must pass through; what is in here each owns for itself.
        fs::set_permissions(path, fs::Permissions::from_mode(0o711))
            .context("set the permissions of", path)?;
        // Locked before it gets its name, so that no other start sees it unlocked.
        let unnamed = path.join("owner.new");
        let owner = File::create(&unnamed).context("create", &unnamed)?;
        owner.lock().context("lock", &unnamed)?;
        fs::rename(&unnamed, path.join(OWNER)).context("rename", &unnamed)?;
        Ok(Self {
            directory,
            _owner: owner,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Where temporary files go; as root only if the servers' accounts can get there (Debian's pam_tmpdir
/// gives root a directory that nobody else may enter).
fn parent() -> PathBuf {
    let wished = std::env::temp_dir();
    if !rustix::process::geteuid().is_root() || is_open_to_all(&wished) {
        wished
    } else {
        PathBuf::from("/tmp")
    }
}

/// May everybody pass through this directory and all above it?
fn is_open_to_all(path: &Path) -> bool {
    path.ancestors().all(|directory| {
        fs::metadata(directory).is_ok_and(|data| data.permissions().mode() & 0o001 != 0)
    })
}

/// Best effort: somebody else's directory, or one that vanishes meanwhile, is no reason to stop.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if is_abandoned(&path) {
            let _best_effort = fs::remove_dir_all(&path);
        }
    }
}

fn is_abandoned(path: &Path) -> bool {
    let ours = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(PREFIX));
    // Being able to lock the file means that its owner is dead, and its servers with it.
    ours && File::open(path.join(OWNER)).is_ok_and(|owner| {
        !matches!(
            owner.try_lock(),
            Err(TryLockError::WouldBlock | TryLockError::Error(_))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_in_use_is_kept_and_an_abandoned_one_removed() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join(format!("{PREFIX}x"));
        fs::create_dir(&path).expect("created");
        remove_abandoned(parent.path());
        assert!(path.exists(), "one that is just being created is kept");

        let owner = File::create(path.join(OWNER)).expect("created");
        owner.lock().expect("locked");
        remove_abandoned(parent.path());
        assert!(path.exists(), "its owner lives");

        drop(owner);
        remove_abandoned(parent.path());
        assert!(!path.exists(), "its owner is dead");
    }

    #[test]
    fn a_directory_behind_a_closed_one_is_not_open() {
        // Not `tempdir()` itself: its place may be closed already, for root on some machines.
        let outer = tempfile::tempdir_in("/tmp").expect("a directory");
        let inner = outer.path().join("inner");
        fs::create_dir(&inner).expect("created");
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).expect("opened");
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).expect("closed");
        assert!(!is_open_to_all(&inner), "the outer one is private");
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o711)).expect("opened");
        assert!(is_open_to_all(&inner));
    }

    #[test]
    fn a_strangers_directory_is_kept() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("other");
        fs::create_dir(&path).expect("created");
        File::create(path.join(OWNER)).expect("created");
        remove_abandoned(parent.path());
        assert!(path.exists());
    }
}
