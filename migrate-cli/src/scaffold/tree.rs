//! The modules of a crate, and the migrations and views in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Error,
    package::Package,
    source::{Form, Module, Source, Visibility, is_word},
};

/// A crate's files, as its `mod` lines lead to them.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    pub(super) migrations: Vec<Found>,
    pub(super) views: Vec<Found>,
    /// By path, with the visibility of each.
    pub(super) modules: Vec<(Vec<String>, Visibility)>,
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) module: Vec<String>,
    /// Where the files of its modules are.
    pub(super) children: PathBuf,
    pub(super) source: Source,
}

/// A migration or a view.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Position in [`Tree::files`].
    pub(super) file: usize,
    /// Where its attribute is in that file, in bytes.
    start: usize,
    pub(super) module: Vec<String>,
    /// Of the function or the type.
    pub(super) item: String,
    /// As it is stored: the function's name, or what the attribute says.
    pub(super) name: String,
    pub(super) visibility: Visibility,
    /// Of a migration, what its body takes.
    pub(super) connection: Option<String>,
    /// Last segments of what it requires.
    pub(super) requires: Vec<String>,
    /// Whether it runs once, on the default database.
    pub(super) is_plain: bool,
}

impl Tree {
    pub(super) fn read(package: &Package) -> Result<Self, Error> {
        let mut tree = Self {
            files: Vec::new(),
            migrations: Vec::new(),
            views: Vec::new(),
            modules: Vec::new(),
        };
        let source = package.root.parent().unwrap_or(&package.directory);
        tree.add(&package.root, &[], source)?;
        for (at, file) in tree.files.iter().enumerate() {
            // In the order of their lines: the latest is what a new one requires.
            let mut migrations = found(file, at, "migration");
            migrations.extend(found(file, at, "mass_migration"));
            migrations.sort_by_key(|it| it.start);
            tree.migrations.extend(migrations);
            tree.views.extend(found(file, at, "view_manager"));
        }
        Ok(tree)
    }

    fn add(&mut self, path: &Path, module: &[String], children: &Path) -> Result<(), Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let source = Source::new(text);
        let modules = source.modules();
        self.files.push(File {
            path: path.to_owned(),
            module: module.to_owned(),
            children: children.to_owned(),
            source,
        });
        let at = self.files.len() - 1;
        for declared in modules.into_iter().filter(|it| !it.is_test) {
            let around = self
                .files
                .get(at)
                .and_then(|file| file.source.modules_around(declared.end));
            let Some(around) = around else { continue };
            let directory = around
                .iter()
                .fold(children.to_owned(), |it, part| it.join(part));
            let mut path = module.to_owned();
            path.extend(around);
            path.push(declared.name.clone());
            self.modules.push((path.clone(), declared.visibility));
            if declared.form == Form::Inline {
                continue;
            }
            let below = directory.join(&declared.name);
            let candidates = [
                directory.join(format!("{}.rs", declared.name)),
                below.join("mod.rs"),
            ];
            // Another file by `#[path]`, or none yet.
            if let Some(file) = candidates.iter().find(|it| it.is_file()) {
                self.add(file, &path, &below)?;
            }
        }
        Ok(())
    }

    /// Whether `module` can name what is called `visibility` in `of`, and every module on the way there.
    pub(super) fn reaches(&self, module: &[String], of: &[String], visibility: Visibility) -> bool {
        let sees = |parent: &[String], visibility| match visibility {
            Visibility::Crate => true,
            Visibility::Private => module.starts_with(parent),
            Visibility::Super => {
                let above = parent.len().saturating_sub(1);
                parent.get(..above).is_none_or(|it| module.starts_with(it))
            }
        };
        let modules = (1..=of.len()).all(|depth| {
            let path = of.get(..depth).unwrap_or_default();
            let declared = self.modules.iter().find(|(it, _)| it == path);
            let parent = of.get(..depth - 1).unwrap_or_default();
            declared.is_none_or(|(_, visibility)| sees(parent, *visibility))
        });
        modules && sees(of, visibility)
    }

    /// The file of a module, and how it is declared where it is written out in another's.
    pub(super) fn place(&self, module: &[String]) -> Option<(usize, Option<Module>)> {
        if let Some(at) = self.files.iter().position(|file| file.module == module) {
            return Some((at, None));
        }
        self.files.iter().enumerate().find_map(|(at, file)| {
            let declared = file.source.modules().into_iter().find(|it| {
                let mut path = file.module.clone();
                path.extend(file.source.modules_around(it.end).unwrap_or_default());
                path.push(it.name.clone());
                it.form == Form::Inline && path == module
            })?;
            Some((at, Some(declared)))
        })
    }
}

/// The items of a file under this attribute.
fn found(file: &File, at: usize, attribute: &str) -> Vec<Found> {
    let source = &file.source;
    let found = source.attributes(attribute).into_iter().filter_map(|it| {
        let arguments = source.bare.get(it.start..it.end).unwrap_or_default();
        let (visibility, item) = source.visibility(source.after_attributes(it.start));
        let mut words = source.rest(item).split(|c| !is_word(c));
        let keyword = words.next()?;
        if !matches!(keyword, "fn" | "struct") {
            return None;
        }
        let name = words.find(|word| !word.is_empty())?.to_owned();
        let mut module = file.module.clone();
        module.extend(source.modules_around(it.start)?);
        let given = match attribute {
            "migration" | "mass_migration" => "id",
            _ => "name",
        };
        let key = |key| find_key(arguments, key).map(|at| it.start + at);
        Some(Found {
            file: at,
            start: it.start,
            module,
            name: key(given)
                .and_then(|at| literal(&source.text, at))
                .unwrap_or_else(|| name.clone()),
            item: name,
            visibility,
            connection: connection(source, item),
            requires: key("requires").map_or_else(Vec::new, |at| list(source, at)),
            is_plain: ["repeat", "database", "databases"]
                .iter()
                .all(|it| key(it).is_none()),
        })
    });
    found.collect()
}

/// Behind the key of `key = ..` among an attribute's arguments.
fn find_key(arguments: &str, key: &str) -> Option<usize> {
    arguments.match_indices(key).find_map(|(at, _)| {
        let before = arguments.get(..at)?.trim_end();
        let rest = arguments.get(at + key.len()..)?;
        let is_key = before.ends_with(['(', ',']) && rest.trim_start().starts_with('=');
        is_key.then_some(at + key.len())
    })
}

/// The next `".."`.
fn literal(text: &str, at: usize) -> Option<String> {
    let (_, rest) = text.get(at..)?.split_once('"')?;
    let (literal, _) = rest.split_once('"')?;
    Some(literal.to_owned())
}

/// The last segments of `[a::b, c]`.
fn list(source: &Source, at: usize) -> Vec<String> {
    let Some(open) = source.rest(at).find('[').map(|it| at + it) else {
        return Vec::new();
    };
    let end = source.closing(open).unwrap_or(open);
    let inner = source.bare.get(open + 1..end).unwrap_or_default();
    let paths = inner.split(',').filter_map(|path| path.rsplit("::").next());
    paths
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// `SqliteConnection` in `fn x(db: &mut Session<'_, SqliteConnection>)`.
fn connection(source: &Source, function: usize) -> Option<String> {
    let open = function + source.rest(function).find('(')?;
    let end = source.closing(open)?;
    let parameters = source.bare.get(open..end)?;
    let words = parameters.split(|c| !is_word(c));
    let mut types = words.filter(|word| word.ends_with("Connection"));
    types.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(text: &str) -> Vec<Found> {
        let file = File {
            path: PathBuf::new(),
            module: vec!["migrations".to_owned()],
            children: PathBuf::new(),
            source: Source::new(text.to_owned()),
        };
        found(&file, 0, "migration")
    }

    #[test]
    fn a_migration_with_everything() {
        let found = in_file(
            "/// Words: id = \"no\".\n#[cfg(all())]\n#[migration(id = \"named\", requires = [a::b, c,], down = undo)]\n#[doc(hidden)]\npub(super) fn first(\n    db: &mut Session<'_, diesel::PgConnection>,\n) -> QueryResult<()> { Ok(()) }\n\
             mod inner { #[migration] fn second(db: &mut SqliteConnection) {} }\n\
             #[migration(repeat = always)] pub fn third(db: &mut C) {}",
        );
        let [first, second, third] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (first.item.as_str(), first.name.as_str()),
            ("first", "named")
        );
        assert_eq!(first.visibility, Visibility::Super);
        assert_eq!(first.connection.as_deref(), Some("PgConnection"));
        assert_eq!(first.requires, ["b", "c"]);
        assert!(first.is_plain);
        assert_eq!(second.module, ["migrations", "inner"]);
        assert_eq!(second.visibility, Visibility::Private);
        assert_eq!((third.connection.as_deref(), third.is_plain), (None, false));
    }
}
