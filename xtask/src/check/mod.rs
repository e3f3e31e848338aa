//! `cargo xtask check`: the house rules that no compiler knows.

mod direction;
mod manifest;
mod source;
mod workspace;

use std::fmt::{self, Display};
use std::path::Path;

use toml::{Table, Value};

pub(crate) use self::workspace::{Metadata, tracked_files};
use crate::error::Error;
use crate::process;

/// One place that breaks a rule, and what to do there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    place: String,
    message: String,
}

impl Violation {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
        }
    }
}

impl Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// Checks all rules and prints every place that breaks one.
pub(crate) fn run() -> Result<(), Error> {
    let violations = violations()?;
    for violation in &violations {
        eprintln!("{violation}");
    }
    match violations.len() {
        0 => {
            println!("house rules: all kept");
            Ok(())
        }
        count => Err(Error::HouseRules { count }),
    }
}

fn violations() -> Result<Vec<Violation>, Error> {
    let root = process::root();
    let metadata = Metadata::load()?;
    let mut violations = direction::check(root, &metadata.packages);

    let root_manifest = parse(Path::new("Cargo.toml"))?;
    let table = version_table(&root_manifest);
    for package in &metadata.packages {
        let path = relative(root, &package.manifest_path);
        violations.extend(manifest::check(
            &path.display().to_string(),
            &parse(path)?,
            &table,
        ));
        for target in &package.targets {
            let path = relative(root, &target.src_path);
            if let Some(text) = workspace::text(path)? {
                violations.extend(source::unsafe_not_forbidden(&package.name, path, &text));
            }
        }
    }

    for path in workspace::tracked_files()? {
        if let Some(text) = workspace::text(&path)? {
            violations.extend(source::unfinished(&path, &text));
            violations.extend(source::machine_paths(&path, &text));
        }
    }
    Ok(violations)
}

fn version_table(root_manifest: &Table) -> Table {
    root_manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Value::as_table)
        .cloned()
        .unwrap_or_default()
}

fn parse(path: &Path) -> Result<Table, Error> {
    let text = workspace::text(path)?.unwrap_or_default();
    text.parse().map_err(|source| Error::Toml {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

fn relative<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}
