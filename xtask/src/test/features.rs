//! The runtime with one backend at a time: what people build, and what a workspace build never shows.

use super::cargo;
use crate::error::Error;
use crate::process;

const PACKAGE: &str = "migrate-diesel";

/// One backend, without the command line.
pub(super) fn only(feature: &str) -> Result<(), Error> {
    let mut command = cargo();
    command.args([
        "check",
        "-p",
        PACKAGE,
        "--no-default-features",
        "--features",
        feature,
    ]);
    process::run(&mut command)
}

/// As people get it who ask for nothing.
pub(super) fn default() -> Result<(), Error> {
    process::run(cargo().args(["check", "-p", PACKAGE]))
}

/// No backend: it may build, or refuse with one error that says which features there are.
pub(super) fn none() -> Result<(), Error> {
    let mut command = cargo();
    command.args([
        "check",
        "-p",
        PACKAGE,
        "--no-default-features",
        "--message-format",
        "short",
    ]);
    let output = process::output(&mut command)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    print!("{said}");
    if output.status.success() || is_clear_refusal(&said) {
        return Ok(());
    }
    Err(Error::FailedWithOutput {
        command: process::display(&command),
        status: output.status,
        output: "expected success, or one error that names the features sqlite, postgres and mysql"
            .to_owned(),
    })
}

/// One error, of our package, naming every backend's feature.
fn is_clear_refusal(stderr: &str) -> bool {
    let mut errors = stderr
        .lines()
        .filter(|line| line.contains("error") && !line.contains("could not compile"));
    let (Some(error), None) = (errors.next(), errors.next()) else {
        return false;
    };
    let ours = error.starts_with(PACKAGE);
    ours && ["sqlite", "postgres", "mysql"]
        .iter()
        .all(|feature| error.contains(feature))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSAL: &str = "    Checking migrate-diesel v0.1.0\n\
        migrate-diesel/src/lib.rs:9:1: error: no backend: enable a feature of `sqlite`, `postgres`, `mysql`\n\
        error: could not compile `migrate-diesel` (lib) due to 1 previous error\n";

    #[test]
    fn one_error_with_the_features_is_clear() {
        assert!(is_clear_refusal(REFUSAL));
    }

    #[test]
    fn a_second_error_is_not_clear() {
        let said = format!(
            "{REFUSAL}migrate-diesel/src/backend/mod.rs:3:5: error[E0432]: unresolved import\n"
        );
        assert!(!is_clear_refusal(&said));
    }

    #[test]
    fn an_error_about_something_else_is_not_clear() {
        assert!(!is_clear_refusal(
            "migrate-diesel/src/lib.rs:3:5: error[E0432]: unresolved import\n"
        ));
        assert!(!is_clear_refusal("error: failed to download\n"));
    }
}
