//! Whom a server runs as: database servers refuse to run as root, and CI is root.

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use crate::error::{Error, IoContext as _};
use crate::process;

/// An existing unprivileged account; `None` inside means ourselves.
#[derive(Debug, Clone)]
pub(super) struct Account(Option<Other>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Other {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// Ourselves, or, where we are root, the first of `names` that exists.
    pub(super) fn choose(names: &[&'static str]) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        for name in names {
            let found = process::output(Command::new("getent").args(["passwd", name]))?;
            if let Some(other) = parse(&String::from_utf8_lossy(&found.stdout)) {
                return Ok(Self(Some(other)));
            }
        }
        Err(Error::NoAccount {
            names: names.to_vec(),
        })
    }

    /// A command that runs as this account, gets `signal` when we die, and inherits nothing from our environment.
    pub(super) fn command(&self, signal: &str, program: impl AsRef<OsStr>, home: &Path) -> Command {
        let mut command = Command::new("setpriv");
        if let Some(other) = &self.0 {
            command.arg(format!("--reuid={}", other.uid));
            command.arg(format!("--regid={}", other.gid));
            // Not --init-groups: it needs nothing, and a server needs no supplementary group.
            command.arg("--clear-groups");
        }
        command.args(["--pdeathsig", signal, "--"]).arg(program);
        command.current_dir(home);
        hermetic(&mut command, home);
        command
    }

    /// Gives a file or directory to this account, and to nobody else.
    pub(super) fn own(&self, path: &Path) -> Result<(), Error> {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .context("set the permissions of", path)?;
        if let Some(other) = &self.0 {
            chown(path, Some(other.uid), Some(other.gid)).context("change the owner of", path)?;
        }
        Ok(())
    }
}

/// A server must behave alike everywhere: no locale, no `PGDATA`, no `~/.my.cnf` of the developer.
pub(super) fn hermetic(command: &mut Command, home: &Path) {
    command.env_clear();
    command.env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    command
        .env("HOME", home)
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
}

/// `name:password:uid:gid:..`, as `getent passwd` prints it.
fn parse(line: &str) -> Option<Other> {
    let mut fields = line.trim().split(':');
    let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Other { name, uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passwd_line_gives_name_and_numbers() {
        let other = parse("postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n");
        let expected = Other {
            name: "postgres".into(),
            uid: 101,
            gid: 104,
        };
        assert_eq!(other, Some(expected));
    }

    #[test]
    fn an_unknown_account_is_none() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("broken:x:notanumber:1:"), None);
    }
}
