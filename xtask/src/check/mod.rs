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

/// The part of the product that is a workspace of its own: the same rules hold in it.
const APART: &str = "migrate-apalis";

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
    let mut packages = Metadata::load()?.packages;
    let apart = Metadata::load_in(Path::new(APART))?.packages;
    let of_root = packages.len();
    packages.extend(apart);
    let mut violations = direction::check(root, &packages);

    let root_manifest = parse(Path::new("Cargo.toml"))?;
    let table = version_table(&root_manifest);
    let table_apart = version_table(&parse(&Path::new(APART).join("Cargo.toml"))?);
    for (index, package) in packages.iter().enumerate() {
        let table = if index < of_root {
            &table
        } else {
            &table_apart
        };
        let path = relative(root, &package.manifest_path);
        violations.extend(manifest::check(
            &path.display().to_string(),
            &parse(path)?,
            table,
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
