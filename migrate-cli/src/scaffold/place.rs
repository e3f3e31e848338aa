//! Where a migration goes: beside those that are there.

use std::path::PathBuf;

use super::{
    package::Package,
    source::{Form, Module},
    template::Template,
    tree::{Found, Tree},
    write::Change,
};

/// The module that gets it.
#[derive(Debug)]
pub(super) enum Place {
    /// To the end of a file, or of a module that is written out in it.
    Append {
        file: usize,
        module: Vec<String>,
        inline: Option<Module>,
    },
    /// A file of its own, below the file of its parent.
    NewFile {
        parent: usize,
        module: Vec<String>,
        path: PathBuf,
    },
}

/// The name of the module that migrations are expected in.
const MIGRATIONS: &str = "migrations";

impl Place {
    pub(super) fn new(
        tree: &Tree,
        package: &Package,
        template: Template,
        latest: Option<&Found>,
        name: &str,
    ) -> Self {
        let append = |module: &[String]| {
            let (file, inline) = tree.place(module)?;
            let module = module.to_owned();
            Some(Self::Append {
                file,
                module,
                inline,
            })
        };
        if template == Template::View
            && let Some(place) = tree.views.last().and_then(|view| append(&view.module))
        {
            return place;
        }
        let home = tree
            .modules
            .iter()
            .map(|(module, _)| module)
            .filter(|module| module.last().is_some_and(|it| it == MIGRATIONS))
            .min_by_key(|module| module.len());
        if let Some(home) = home {
            match tree.place(home) {
                Some((file, None)) if has_files(tree, file) => {
                    return below(tree, file, home, name);
                }
                Some((file, inline)) => {
                    let module = home.clone();
                    return Self::Append {
                        file,
                        module,
                        inline,
                    };
                }
                // Declared, but with `#[path]`: as if it were not.
                None => {}
            }
        }
        let last = latest.or(tree.migrations.last());
        if let Some(place) = last.and_then(|it| append(&it.module)) {
            return place;
        }
        let is_program = package.root.parent().is_some_and(|it| it.ends_with("bin"));
        if is_program {
            // A file beside it would be a program, too.
            return Self::Append {
                file: 0,
                module: Vec::new(),
                inline: None,
            };
        }
        below(tree, 0, &[], MIGRATIONS)
    }

    pub(super) fn module(&self) -> &[String] {
        match self {
            Self::Append { module, .. } | Self::NewFile { module, .. } => module,
        }
    }

    /// The file that it is written into.
    pub(super) fn path(&self, tree: &Tree) -> PathBuf {
        match self {
            Self::NewFile { path, .. } => path.clone(),
            Self::Append { file, .. } => {
                let file = tree.files.get(*file);
                file.map(|it| it.path.clone()).unwrap_or_default()
            }
        }
    }

    /// What is written out in the module already, without comments and literals.
    pub(super) fn existing<'t>(&self, tree: &'t Tree) -> &'t str {
        let Self::Append { file, inline, .. } = self else {
            return "";
        };
        let Some(file) = tree.files.get(*file) else {
            return "";
        };
        let Some(module) = inline else {
            return &file.source.bare;
        };
        let end = file.source.closing(module.end).unwrap_or(module.end);
        file.source.bare.get(module.end..end).unwrap_or_default()
    }

    /// The changes that put `item` there. `uses` is what it needs in scope.
    pub(super) fn changes(&self, tree: &Tree, item: &str, uses: &str, about: &str) -> Vec<Change> {
        match self {
            Self::Append { file, inline, .. } => {
                let Some(file) = tree.files.get(*file) else {
                    return Vec::new();
                };
                let has_uses = self.existing(tree).contains("prelude::*");
                let after = match inline {
                    _ if has_uses => appended(file, inline.as_ref(), item),
                    Some(_) => appended(file, inline.as_ref(), &format!("{uses}\n\n{item}")),
                    None => using(file, &appended(file, None, item), uses),
                };
                vec![Change {
                    path: file.path.clone(),
                    before: Some(file.source.text.clone()),
                    after,
                }]
            }
            Self::NewFile {
                parent,
                module,
                path,
            } => {
                let about = match module.last() {
                    Some(name) if name == MIGRATIONS => "Migrations.",
                    _ => about,
                };
                let new = Change {
                    path: path.clone(),
                    before: None,
                    after: format!("//! {about}\n\n{uses}\n\n{item}"),
                };
                let declared = tree.files.get(*parent).map(|file| Change {
                    path: file.path.clone(),
                    before: Some(file.source.text.clone()),
                    after: declared(file, module.last().map_or("", String::as_str), *parent == 0),
                });
                // The file first: a declaration without it does not compile.
                std::iter::once(new).chain(declared).collect()
            }
        }
    }
}

/// Whether the migrations of this module are in files of their own.
fn has_files(tree: &Tree, file: usize) -> bool {
    let Some(it) = tree.files.get(file) else {
        return false;
    };
    if !siblings(it).is_empty() {
        return true;
    }
    let is_empty = tree.migrations.iter().all(|found| found.file != file);
    is_empty && it.path.ends_with("mod.rs")
}

fn below(tree: &Tree, parent: usize, module: &[String], name: &str) -> Place {
    let mut module = module.to_owned();
    module.push(name.to_owned());
    let children = tree.files.get(parent).map(|file| &file.children);
    Place::NewFile {
        parent,
        path: children.map_or_else(PathBuf::new, |it| it.join(format!("{name}.rs"))),
        module,
    }
}

/// The modules of a file that are files.
fn siblings(file: &super::tree::File) -> Vec<Module> {
    let modules = file.source.modules().into_iter();
    modules
        .filter(|it| it.form == Form::File && !it.is_test)
        .filter(|it| {
            file.source
                .modules_around(it.end)
                .is_some_and(|it| it.is_empty())
        })
        .collect()
}

/// The file with `item` at the end: before its tests, or before the brace that closes the module.
fn appended(file: &super::tree::File, inline: Option<&Module>, item: &str) -> String {
    let source = &file.source;
    let (at, indent, ending) = match inline {
        Some(module) => {
            let end = source.closing(module.end).unwrap_or(source.text.len());
            let line = source.text.get(..end).and_then(|it| it.rfind('\n'));
            let margin = source
                .text
                .get(line.map_or(0, |it| it + 1)..end)
                .unwrap_or_default();
            let margin = if margin.trim().is_empty() { margin } else { "" };
            (end, format!("{margin}    "), margin.to_owned())
        }
        None => {
            let mut modules = source.modules().into_iter();
            let tests = modules.find(|it| it.is_test && it.form == Form::Inline);
            let at = tests.map_or(source.text.len(), |it| it.start);
            let ending = if at == source.text.len() { "" } else { "\n" };
            (at, String::new(), ending.to_owned())
        }
    };
    let before = source.text.get(..at).unwrap_or_default().trim_end();
    let after = source.text.get(at..).unwrap_or_default();
    let gap = match before {
        "" => "",
        _ if before.ends_with('{') => "\n",
        _ => "\n\n",
    };
    let indented: String = item
        .lines()
        .map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("{indent}{line}\n"),
        })
        .collect();
    format!("{before}{gap}{indented}{ending}{after}")
}

/// The file with `mod name;` among its modules.
fn declared(file: &super::tree::File, name: &str, is_root: bool) -> String {
    let text = &file.source.text;
    let siblings = siblings(file);
    let written = match siblings.last() {
        Some(sibling) => sibling.written.clone(),
        // Of a program, nobody else uses it.
        None if is_root && file.path.ends_with("main.rs") => String::new(),
        None => "pub".to_owned(),
    };
    let line = format!("{written} mod {name};").trim_start().to_owned();
    let is_sorted = siblings.is_sorted_by(|a, b| a.name <= b.name);
    let next = siblings
        .iter()
        .find(|it| is_sorted && it.name.as_str() > name);
    if let Some(next) = next {
        let (before, after) = text.split_at(next.start);
        return format!("{before}{line}\n{after}");
    }
    if let Some(last) = siblings.last() {
        let (before, after) = text.split_at(last.end + 1);
        return format!("{before}\n{line}{after}");
    }
    behind_the_front(text, &line)
}

/// `after`, which begins as the file does, with a line below its `use` lines.
fn using(file: &super::tree::File, after: &str, line: &str) -> String {
    let bare = &file.source.bare;
    let mut uses = bare.rmatch_indices("use ").map(|(at, _)| at);
    let last = uses.find(|at| {
        bare.get(..*at)
            .is_some_and(|it| it.is_empty() || it.ends_with('\n'))
    });
    let end = last.and_then(|at| Some(at + bare.get(at..)?.find(';')? + 1));
    match end {
        Some(end) => {
            let (before, after) = after.split_at(end);
            format!("{before}\n{line}{after}")
        }
        None => behind_the_front(after, line),
    }
}

/// Behind what is about the whole file.
fn behind_the_front(text: &str, line: &str) -> String {
    let inner = text.split_inclusive('\n').take_while(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with("//!") || line.starts_with("#![")
    });
    let (before, after) = text.split_at(inner.map(str::len).sum());
    let before = before.trim_end();
    let gap = if before.is_empty() { "" } else { "\n\n" };
    let end = if after.is_empty() { "\n" } else { "\n\n" };
    format!("{before}{gap}{line}{end}{after}")
}
