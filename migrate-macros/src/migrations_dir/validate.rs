//! The rules that concern more than one migration.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span};

use super::{
    model::{Arguments, Directory, Found, Migration, Node},
    name,
};
use crate::{
    attrs::nearest,
    diagnostics::Diagnostics,
    values::{self, Text},
};

/// The directory. With errors, nothing of it is registered.
pub(super) fn directory(
    arguments: Arguments,
    found: Option<Found>,
    diagnostics: &mut Diagnostics,
) -> Option<Directory> {
    let databases = values::databases(arguments.database, arguments.databases, diagnostics);
    let Text { literal, value } = arguments.directory?;
    let Found { files, migrations } = found?;
    unknown_renames(&arguments.rename, &migrations, diagnostics);
    same_number(&migrations, literal.span(), diagnostics);
    let nodes = nodes(migrations, &arguments.rename, literal.span(), diagnostics);
    Some(Directory {
        runtime: arguments.runtime.unwrap_or_default(),
        span: Span::call_site().located_at(literal.span()),
        written: value.trim_end_matches('/').to_owned(),
        files,
        first_requires: arguments
            .requires
            .into_iter()
            .map(|path| path.into_iter().collect())
            .collect(),
        backend: arguments.backend,
        databases,
        prefix: arguments
            .prefix
            .map(|it| it.value.value)
            .unwrap_or_default(),
        nodes,
        registers: diagnostics.is_empty(),
    })
}

fn unknown_renames(
    rename: &[(Text, Text)],
    migrations: &[Migration],
    diagnostics: &mut Diagnostics,
) {
    for (theirs, _) in rename {
        if migrations.iter().any(|it| it.theirs == theirs.value) {
            continue;
        }
        let near = nearest(
            &theirs.value,
            migrations.iter().map(|it| it.theirs.as_str()),
        );
        let hint = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
        diagnostics.error(
            theirs.literal.span(),
            format!(
                "there is no migration `{}` in the directory{hint}",
                theirs.value
            ),
        );
    }
}

/// A tool that counts would take two for one.
fn same_number(migrations: &[Migration], span: Span, diagnostics: &mut Diagnostics) {
    for pair in migrations.windows(2) {
        if let [a, b] = pair
            && a.order == b.order
        {
            diagnostics.error(
                span,
                format!(
                    "`{}` and `{}` have one number, which is their order; give one of them another",
                    a.theirs, b.theirs
                ),
            );
        }
    }
}

/// Each with its name; those that have none of their own are errors, all of them in one.
fn nodes(
    migrations: Vec<Migration>,
    rename: &[(Text, Text)],
    directory: Span,
    diagnostics: &mut Diagnostics,
) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let (mut wrong, mut proposed) = (Vec::new(), Vec::new());
    for migration in migrations {
        let renamed = rename.iter().find(|it| it.0.value == migration.theirs);
        let text = renamed.map_or_else(|| name::of(&migration), |it| it.1.value.clone());
        let span = renamed.map_or(directory, |it| it.1.literal.span());
        let span = Span::call_site().located_at(span);
        let Some(ident) = name::identifier(&text, span) else {
            match renamed {
                Some((_, ours)) => {
                    let span = ours.literal.span();
                    diagnostics.error(span, format!("{} is no name of Rust", ours.literal));
                }
                None => {
                    wrong.push(format!("`{}` gives no name of Rust", migration.theirs));
                    proposed.push(proposal(&migration, "m"));
                }
            }
            continue;
        };
        if let Some(first) = taken.get(&text) {
            wrong.push(format!(
                "`{first}` and `{}` are both `{text}`",
                migration.theirs
            ));
            proposed.push(proposal(&migration, &text));
            continue;
        }
        taken.insert(text, migration.theirs.clone());
        nodes.push(node(ident, migration));
    }
    if !wrong.is_empty() {
        diagnostics.error(
            directory,
            format!(
                "a migration of a directory is called as its file without the number, and {}\n\
                 give them names that will never change: rename = {{ {} }}",
                wrong.join("; "),
                proposed.join(", ")
            ),
        );
    }
    nodes
}

fn node(name: Ident, migration: Migration) -> Node {
    Node { name, migration }
}

/// One that no other file can have.
fn proposal(migration: &Migration, name: &str) -> String {
    let theirs = &migration.theirs;
    format!("\"{theirs}\" = \"{name}_{}\"", migration.number)
}
