//! `cargo xtask setup`: the system packages and toolchain components that everything else needs.

use std::process::Command;

use crate::error::{Error, Remedy};
use crate::{process, servers};

/// Something the machine must offer, and the Debian package that brings it.
///
/// The question is what works, not which package is installed, so that servers from elsewhere count too.
#[derive(Debug, Clone, Copy)]
struct Need {
    package: &'static str,
    met: fn() -> bool,
}

const SERVERS: &[Need] = &[
    // Not `postgresql-15`: the metapackage is the release's own version.
    Need {
        package: "postgresql",
        met: servers::postgres_installed,
    },
    Need {
        package: "mariadb-server",
        met: servers::mariadb_installed,
    },
    Need {
        package: "redis-server",
        met: servers::redis_installed,
    },
];

const LIBRARIES: &[Need] = &[
    // The file list that `check` reads.
    Need {
        package: "git",
        met: || process::find(&["git"]).is_some(),
    },
    // How mysqlclient-sys finds the client library.
    Need {
        package: "pkg-config",
        met: || process::find(&["pkg-config"]).is_some(),
    },
    Need {
        package: "libpq-dev",
        met: || library(&["libpq"]),
    },
    Need {
        package: "libmariadb-dev",
        met: || library(&["libmariadb", "mysqlclient"]),
    },
];

/// Components of a default toolchain that a minimal one lacks.
const COMPONENTS: &[(&str, &str)] = &[("rustfmt", "fmt"), ("clippy", "clippy")];

/// What to do about the packages that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Nothing,
    Install,
    Refuse(Remedy),
}

/// Who we are, as far as installing is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum User {
    Root,
    Other,
}

/// Does this system have apt-get?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AptGet {
    Present,
    Absent,
}

/// Installs what is missing where that is possible, otherwise says what to install.
pub(crate) fn run() -> Result<(), Error> {
    let needs: Vec<Need> = LIBRARIES.iter().chain(SERVERS).copied().collect();
    provide(&needs)?;
    for (component, subcommand) in COMPONENTS {
        provide_component(component, subcommand)?;
    }
    Ok(())
}

/// [`run`], but only for the servers: a developer's `cargo xtask servers` needs no more.
pub(crate) fn require_servers() -> Result<(), Error> {
    provide(SERVERS)
}

fn provide(needs: &[Need]) -> Result<(), Error> {
    let packages = missing(needs);
    match decide(&packages, user(), apt_get()) {
        Decision::Nothing => Ok(()),
        Decision::Refuse(remedy) => Err(Error::MissingPackages { packages, remedy }),
        Decision::Install => {
            install(&packages)?;
            let packages = missing(needs);
            if packages.is_empty() {
                return Ok(());
            }
            Err(Error::NotInstalled { packages })
        }
    }
}

fn missing(needs: &[Need]) -> Vec<&'static str> {
    needs
        .iter()
        .filter(|need| !(need.met)())
        .map(|need| need.package)
        .collect()
}

fn decide(missing: &[&str], user: User, apt_get: AptGet) -> Decision {
    match (missing, apt_get, user) {
        ([], _, _) => Decision::Nothing,
        (_, AptGet::Absent, _) => Decision::Refuse(Remedy::OtherSystem),
        (_, AptGet::Present, User::Other) => Decision::Refuse(Remedy::AskRoot),
        (_, AptGet::Present, User::Root) => Decision::Install,
    }
}

fn user() -> User {
    if rustix::process::geteuid().is_root() {
        User::Root
    } else {
        User::Other
    }
}

fn apt_get() -> AptGet {
    if process::find(&["apt-get"]).is_some() {
        AptGet::Present
    } else {
        AptGet::Absent
    }
}

fn library(names: &[&str]) -> bool {
    names.iter().any(|name| {
        process::output(Command::new("pkg-config").args(["--exists", name]))
            .is_ok_and(|output| output.status.success())
    })
}

fn install(packages: &[&str]) -> Result<(), Error> {
    process::run(apt().arg("update"))?;
    process::run(
        apt()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages),
    )
}

fn apt() -> Command {
    let mut command = process::tied("TERM", "apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    // We start servers of our own; the machine's need not run. (Honoured by invoke-rc.d; harmless where it is not.)
    command.env("RUNLEVEL", "1");
    // A package manager of a fresh machine may be busy with its own updates.
    command.args(["--quiet", "--option", "DPkg::Lock::Timeout=120"]);
    command
}

fn provide_component(component: &str, subcommand: &str) -> Result<(), Error> {
    let present = process::output(process::cargo().args([subcommand, "--version"]))?;
    if present.status.success() {
        return Ok(());
    }
    process::run(process::tied("TERM", "rustup").args(["component", "add", component]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_missing_needs_nobody() {
        assert_eq!(decide(&[], User::Other, AptGet::Absent), Decision::Nothing);
    }

    #[test]
    fn root_on_debian_installs() {
        assert_eq!(
            decide(&["libpq-dev"], User::Root, AptGet::Present),
            Decision::Install
        );
    }

    #[test]
    fn others_are_told_what_to_install() {
        let decision = decide(&["libpq-dev"], User::Other, AptGet::Present);
        assert_eq!(decision, Decision::Refuse(Remedy::AskRoot));
        let error = Error::MissingPackages {
            packages: vec!["libpq-dev", "redis-server"],
            remedy: Remedy::AskRoot,
        };
        assert_eq!(
            error.to_string(),
            "system packages are missing: libpq-dev redis-server"
        );
        assert_eq!(
            error.next_step().as_deref(),
            Some("run `sudo apt-get install libpq-dev redis-server`, then this again")
        );
    }

    #[test]
    fn another_system_is_named_as_such_even_to_root() {
        let decision = decide(&["libpq-dev"], User::Root, AptGet::Absent);
        assert_eq!(decision, Decision::Refuse(Remedy::OtherSystem));
    }

    #[test]
    fn only_unmet_needs_are_missing() {
        let needs = [
            Need {
                package: "here",
                met: || true,
            },
            Need {
                package: "gone",
                met: || false,
            },
        ];
        assert_eq!(missing(&needs), ["gone"]);
    }

    #[test]
    fn an_absent_library_is_noticed() {
        assert!(!library(&["no-such-library-anywhere"]));
    }
}
