//! `new`: a migration in the app's source, that compiles.
//!
//! Sources are read as far as it takes to follow what is there: where migrations are, what their
//! bodies take, which one is the latest. Nothing is written before everything is known.

mod name;
mod package;
mod place;
mod source;
mod template;
mod tree;
mod write;

use std::path::{Path, PathBuf};

use migrate_core::{Failure, FailureKind};

pub(crate) use template::Template;

use package::{Package, Search};
use place::Place;
use source::Visibility;
use template::Filling;
use tree::{Found, Tree};

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Order<'o> {
    pub(crate) name: &'o str,
    pub(crate) package: Option<&'o str>,
    pub(crate) template: Template,
    pub(crate) requires: Requires,
    /// The working directory.
    pub(crate) directory: &'o Path,
    /// Directories of the program's own package.
    pub(crate) own: &'o [PathBuf],
    /// Ids of what the program carries, in the order of the plan.
    pub(crate) carried: &'o [String],
    /// `2026-11-20T09:30:00Z`.
    pub(crate) now: &'o str,
}

/// Whether the new one comes after the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requires {
    Latest,
    Nothing,
}

/// What was written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// `package:name`.
    pub(crate) id: String,
    pub(crate) crate_name: String,
    /// Where it begins.
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    /// Files that were not there.
    pub(crate) created: Vec<PathBuf>,
    /// Files that were.
    pub(crate) changed: Vec<PathBuf>,
    /// What it requires.
    pub(crate) requires: Option<String>,
    /// Something that a person should know.
    pub(crate) note: Option<String>,
}

/// Writes what is asked for, or nothing.
///
/// # Errors
/// There is no package for it; the name cannot be, or is taken; a file cannot be written.
pub(crate) fn new(order: &Order<'_>) -> Result<Written, Failure> {
    Ok(try_new(order)?)
}

fn try_new(order: &Order<'_>) -> Result<Written, Error> {
    name::check(order.name)?;
    let package = package::find(Search {
        package: order.package,
        directory: order.directory,
        own: order.own,
    })?;
    let runtime = match &package.runtime {
        Some(runtime) => runtime,
        None => return Err(Error::NoDependency(package.name)),
    };
    let tree = Tree::read(&package)?;
    let ordered = in_order(&tree, &package, order.carried);
    let name = match order.template {
        Template::View => order.name.to_owned(),
        _ => name::stamped(order.name, ordered.last().copied(), &tree, order.now),
    };
    let place = Place::new(
        &tree,
        &package,
        order.template,
        ordered.last().copied(),
        &name,
    );
    refuse_taken(&tree, &place, order.template, &name)?;
    let reachable = ordered
        .iter()
        .rev()
        .find(|it| tree.reaches(place.module(), &it.module, it.visibility));
    let latest = match order.requires {
        Requires::Latest => reachable.copied(),
        Requires::Nothing => None,
    };
    if latest.is_none() && order.template == Template::View {
        return Err(Error::ViewWithoutMigration);
    }
    let filling = Filling {
        visibility: visibility(&tree, &place),
        connection: connection(&tree, &place, latest, ordered.last().copied()),
        latest: latest.map(|it| path(place.module(), it)),
        name: name.clone(),
    };
    let item = order.template.text(&filling);
    let uses = format!("use {runtime}::prelude::*;");
    let changes = place.changes(&tree, &item, &uses, &template::sentence(&name));
    write::write(&changes)?;

    let file = place.path(&tree);
    let line = line_of(&changes, &file, &item);
    let items = order.template.items(&name).into_iter();
    let item = items.take(1).collect::<String>();
    let (changed, created): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|it| it.before.is_some());
    let paths = |changes: Vec<write::Change>| changes.into_iter().map(|it| it.path).collect();
    Ok(Written {
        id: format!("{}:{item}", package.crate_name),
        crate_name: package.crate_name,
        file,
        line,
        created: paths(created),
        changed: paths(changed),
        requires: latest.map(|it| it.name.clone()),
        note: note(order.requires, latest, ordered.last().copied()),
    })
}

/// Where `item` begins in its file, counted from 1.
fn line_of(changes: &[write::Change], file: &Path, item: &str) -> usize {
    let text = changes.iter().find(|it| it.path == file);
    let text = text.map_or("", |it| it.after.as_str());
    let begins = item.lines().next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    // The last: a comment of before may say the same.
    let at = lines.iter().rposition(|line| line.trim_start() == begins);
    at.map_or(1, |at| at + 1)
}

/// Why it does not come after the latest, though it should.
fn note(requires: Requires, latest: Option<&Found>, last: Option<&Found>) -> Option<String> {
    let last = last.filter(|last| latest.is_none_or(|it| it.item != last.item))?;
    (requires == Requires::Latest).then(|| {
        format!(
            "`{}` is the latest, and is private to its module: make it `pub(crate)` to require it",
            last.item
        )
    })
}

/// The crate's plain migrations, the latest last: as the program orders them, then those that it does
/// not carry yet, what is required before what requires it.
fn in_order<'t>(tree: &'t Tree, package: &Package, carried: &[String]) -> Vec<&'t Found> {
    let position = |found: &Found| {
        let id = format!("{}:{}", package.crate_name, found.name);
        carried.iter().position(|it| *it == id)
    };
    let mut plain: Vec<&Found> = tree.migrations.iter().filter(|it| it.is_plain).collect();
    let is_required = |found: &Found| {
        let mut all = tree.migrations.iter();
        all.any(|it| it.requires.contains(&found.item))
    };
    plain.sort_by_key(|found| match position(found) {
        Some(at) => (0, at),
        None if is_required(found) => (1, 0),
        None => (2, 0),
    });
    plain
}

fn refuse_taken(tree: &Tree, place: &Place, template: Template, name: &str) -> Result<(), Error> {
    let taken = |place: PathBuf| Error::Taken {
        name: name.to_owned(),
        place,
    };
    let of_kind = match template {
        Template::View => &tree.views,
        _ => &tree.migrations,
    };
    let items = template.items(name);
    let same = of_kind
        .iter()
        .find(|it| it.name == name || items.contains(&it.item));
    if let Some(file) = same.and_then(|it| tree.files.get(it.file)) {
        return Err(taken(file.path.clone()));
    }
    let path = place.path(tree);
    match place {
        Place::NewFile { module, .. } => {
            let is_declared = tree.modules.iter().any(|(it, _)| it == module);
            if is_declared || path.exists() {
                return Err(taken(path));
            }
        }
        Place::Append { .. } => {
            let words: Vec<&str> = place
                .existing(tree)
                .split(|c| !source::is_word(c))
                .filter(|word| !word.is_empty())
                .collect();
            let is_item = |pair: &[&str]| matches!(pair, ["fn" | "struct" | "enum" | "mod" | "type" | "trait" | "const", it] if items.iter().any(|item| item == it));
            if words.windows(2).any(is_item) {
                return Err(taken(path));
            }
        }
    }
    Ok(())
}

/// As those around it; public, where there are none.
fn visibility(tree: &Tree, place: &Place) -> String {
    let module = place.module();
    let mut neighbours = tree.migrations.iter().filter(|it| {
        it.module == module
            || it.module.get(..it.module.len().saturating_sub(1))
                == module.get(..module.len().saturating_sub(1))
    });
    let last = neighbours.next_back().map(|it| it.visibility);
    match last {
        Some(Visibility::Private) if matches!(place, Place::Append { .. }) => String::new(),
        Some(Visibility::Crate) | None => "pub".to_owned(),
        // In a file of its own it would be out of reach for the next.
        _ => "pub(crate)".to_owned(),
    }
}

/// As those around it; else as the latest, as any; else for every database.
fn connection(tree: &Tree, place: &Place, latest: Option<&Found>, last: Option<&Found>) -> String {
    const KNOWN: [&str; 4] = [
        "SqliteConnection",
        "PgConnection",
        "MysqlConnection",
        "AnyConnection",
    ];
    let mut here = tree
        .migrations
        .iter()
        .filter(|it| it.module == place.module());
    let mut all = [here.next_back(), latest, last].into_iter().flatten();
    all.find_map(|it| it.connection.clone())
        .filter(|it| KNOWN.contains(&it.as_str()))
        .unwrap_or_else(|| "AnyConnection".to_owned())
}

/// How `found` is called from a module.
fn path(from: &[String], found: &Found) -> String {
    let item = &found.item;
    match (from, found.module.as_slice()) {
        (from, module) if from == module => item.clone(),
        ([above @ .., _], module) if above == module && !above.is_empty() => {
            format!("super::{item}")
        }
        ([above @ .., _], [beside @ .., last]) if above == beside && !above.is_empty() => {
            format!("super::{last}::{item}")
        }
        (_, []) => format!("crate::{item}"),
        (_, module) => format!("crate::{}::{item}", module.join("::")),
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("`{name}` cannot be a migration's name: {why}")]
    Name {
        name: String,
        why: &'static str,
        better: Option<String>,
    },
    #[error("`{name}` is taken: see {}", .place.display())]
    Taken { name: String, place: PathBuf },
    #[error("there is no package at or above {}", .0.display())]
    NoPackage(PathBuf),
    #[error("the package `{0}` does not depend on migrate-diesel")]
    NoDependency(String),
    #[error("no package of this workspace is called `{name}`")]
    UnknownPackage { name: String, known: Vec<String> },
    #[error("the package in {} has no src/lib.rs, src/main.rs or src/bin/migrate.rs", .0.display())]
    NoRoot(PathBuf),
    #[error("a view needs a migration that it comes up with")]
    ViewWithoutMigration,
    #[error("cannot read {}", .path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is no manifest", .path.display())]
    Manifest {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("cannot write {}; nothing was changed", .path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl Error {
    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::Name { better, .. } => format!("try `{}`", better.as_deref()?),
            Self::Taken { .. } => "choose another name; a stored name is for ever".to_owned(),
            Self::NoPackage(_) => {
                "go to the app's directory, or name its package: `--package NAME`".to_owned()
            }
            Self::NoDependency(name) => format!(
                "`cargo add migrate-diesel diesel --package {name}`, or name another: `--package NAME`"
            ),
            Self::UnknownPackage { name, known } => {
                match crate::suggest::nearest(name, known.iter().map(String::as_str)) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None if known.is_empty() => "go to the app's workspace".to_owned(),
                    None => format!("there are: {}", known.join(", ")),
                }
            }
            Self::ViewWithoutMigration => {
                "write the migration first, and leave `--no-requires` away".to_owned()
            }
            Self::NoRoot(_) | Self::Read { .. } | Self::Manifest { .. } | Self::Write { .. } => {
                return None;
            }
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::from_error(FailureKind::Usage, &error);
        match error.next_step() {
            Some(next) => failure.next(next),
            None => failure,
        }
    }
}
