//! Which crate a migration is written into: manifests are read, cargo is not asked.

use std::{
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::Error;

/// A package on this machine.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) name: String,
    /// As in `module_path!`.
    pub(super) crate_name: String,
    pub(super) directory: PathBuf,
    /// The file that the crate begins with.
    pub(super) root: PathBuf,
    /// What the crate calls migrate-diesel; `None` where it does not depend on it.
    pub(super) runtime: Option<String>,
}

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'s> {
    /// `--package`.
    pub(super) package: Option<&'s str>,
    /// The working directory.
    pub(super) directory: &'s Path,
    /// Of the program's own package.
    pub(super) own: &'s [PathBuf],
}

/// The package asked for; else the nearest above the working directory that depends on migrate-diesel;
/// else the program's own.
pub(super) fn find(search: Search<'_>) -> Result<Package, Error> {
    if let Some(name) = search.package {
        return named(search, name);
    }
    let mut without = None;
    for directory in above(search.directory).chain(search.own.iter().map(PathBuf::as_path)) {
        let Some(package) = read(directory)? else {
            continue;
        };
        if package.runtime.is_some() {
            return Ok(package);
        }
        without.get_or_insert(package.name);
    }
    Err(match without {
        Some(name) => Error::NoDependency(name),
        None => Error::NoPackage(search.directory.to_owned()),
    })
}

/// A directory and its parents up to the repository: what lies above is another project's.
fn above(directory: &Path) -> impl Iterator<Item = &Path> {
    let mut is_out = false;
    directory.ancestors().take_while(move |it| {
        let is_in = !is_out;
        is_out = it.join(".git").exists();
        is_in
    })
}

/// Among the members of the workspace.
fn named(search: Search<'_>, name: &str) -> Result<Package, Error> {
    let own = search.own.iter().map(PathBuf::as_path);
    let mut known: Vec<String> = Vec::new();
    for start in std::iter::once(search.directory).chain(own) {
        for directory in above(start) {
            let Some(manifest) = manifest(directory)? else {
                continue;
            };
            let mut places = vec![directory.to_owned()];
            places.extend(members(directory, &manifest));
            for place in places {
                match read(&place)? {
                    Some(package) if package.name == name && package.runtime.is_none() => {
                        return Err(Error::NoDependency(package.name));
                    }
                    Some(package) if package.name == name => return Ok(package),
                    Some(package) => known.push(package.name),
                    None => {}
                }
            }
        }
    }
    known.sort_unstable();
    known.dedup();
    Err(Error::UnknownPackage {
        name: name.to_owned(),
        known,
    })
}

/// The directories of a workspace's members.
fn members(root: &Path, manifest: &Table) -> Vec<PathBuf> {
    let workspace = manifest.get("workspace").and_then(Value::as_table);
    let patterns = workspace
        .and_then(|it| it.get("members"))
        .and_then(Value::as_array);
    let patterns = patterns.into_iter().flatten().filter_map(Value::as_str);
    patterns
        .flat_map(|pattern| {
            pattern
                .split('/')
                .fold(vec![root.to_owned()], |directories, part| {
                    let directories = directories.iter();
                    directories.flat_map(|it| below(it, part)).collect()
                })
        })
        .collect()
}

/// The directories below one that a part of a pattern means.
fn below(directory: &Path, part: &str) -> Vec<PathBuf> {
    let Some((before, after)) = part.split_once('*') else {
        return vec![directory.join(part)];
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let rest = name.strip_prefix(before);
            rest.is_some_and(|rest| rest.ends_with(after)) && entry.path().is_dir()
        })
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

fn manifest(directory: &Path) -> Result<Option<Table>, Error> {
    let path = directory.join("Cargo.toml");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Read { path, source }),
    };
    match text.parse() {
        Ok(table) => Ok(Some(table)),
        Err(source) => Err(Error::Manifest {
            path,
            source: Box::new(source),
        }),
    }
}

/// The package of a directory, if it has one.
fn read(directory: &Path) -> Result<Option<Package>, Error> {
    let Some(manifest) = manifest(directory)? else {
        return Ok(None);
    };
    let package = manifest.get("package").and_then(Value::as_table);
    let name = package
        .and_then(|it| it.get("name"))
        .and_then(Value::as_str);
    let Some(name) = name else {
        return Ok(None);
    };
    let library = manifest.get("lib").and_then(Value::as_table);
    let of_library = |key| library.and_then(|it| it.get(key)).and_then(Value::as_str);
    let Some((root, is_library)) = root(directory, of_library("path")) else {
        return Err(Error::NoRoot(directory.to_owned()));
    };
    let crate_name = match of_library("name") {
        Some(name) if is_library => name.to_owned(),
        // A program is called as its file.
        _ if root.parent().is_some_and(|it| it.ends_with("bin")) => stem(&root),
        _ => name.to_owned(),
    };
    Ok(Some(Package {
        name: name.to_owned(),
        crate_name: crate_name.replace('-', "_"),
        directory: directory.to_owned(),
        root,
        runtime: runtime(&manifest),
    }))
}

/// The library's root, else the program's.
fn root(directory: &Path, library: Option<&str>) -> Option<(PathBuf, bool)> {
    let source = directory.join("src");
    let given = library.map(|path| directory.join(path));
    let library = given.unwrap_or_else(|| source.join("lib.rs"));
    if library.is_file() {
        return Some((library, true));
    }
    let program = source.join("main.rs");
    if program.is_file() {
        return Some((program, false));
    }
    let entries = fs::read_dir(source.join("bin")).ok()?.flatten();
    let mut programs: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .collect();
    programs.sort();
    let named = programs.iter().position(|path| stem(path) == "migrate");
    let at = named.or((programs.len() == 1).then_some(0))?;
    Some((programs.swap_remove(at), false))
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// What `[dependencies]` calls migrate-diesel.
fn runtime(manifest: &Table) -> Option<String> {
    const RUNTIME: &str = "migrate-diesel";
    let dependencies = manifest.get("dependencies").and_then(Value::as_table)?;
    let name = dependencies.iter().find_map(|(key, value)| {
        let renamed = value.get("package").and_then(Value::as_str);
        (renamed.unwrap_or(key) == RUNTIME).then_some(key)
    })?;
    Some(name.replace('-', "_"))
}
