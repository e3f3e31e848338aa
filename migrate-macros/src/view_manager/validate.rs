//! The rules that concern more than one part.

use proc_macro2::{Ident, Span, TokenTree};

use super::model::{Arguments, Declared, Definition, Name, Registered, View};
use crate::{
    diagnostics::Diagnostics,
    values::{self, At, Text, unraw},
};

/// The declaration; with errors, it registers nothing.
pub(super) fn view(
    mut arguments: Arguments,
    declared: Declared,
    diagnostics: &mut Diagnostics,
) -> View {
    if !arguments.names_since {
        diagnostics.error(
            Span::call_site(),
            "a view needs the migration that it comes up with: write `#[view_manager(since = path, ..)]`",
        );
    }
    definition_belongs(&arguments, diagnostics);
    uses_itself(&arguments, &declared.name, diagnostics);
    let databases = values::databases(
        arguments.database.take(),
        arguments.databases.take(),
        diagnostics,
    );
    let registered = arguments
        .since
        .filter(|_| diagnostics.is_empty())
        .map(|since| Registered {
            description: declared.description,
            view: name(arguments.name, &declared.name),
            since: since.value,
            until: arguments.until,
            uses: arguments.uses,
            definition: match (arguments.sql, arguments.file) {
                (Some(sql), _) => Definition::Sql(sql.value.literal),
                (None, Some(file)) => Definition::File(file.value.literal),
                (None, None) => Definition::Code,
            },
            materialized: arguments.materialized,
            indexes: arguments.indexes.map_or_else(Vec::new, |it| it.value),
            options: arguments.options.map_or_else(Vec::new, |it| it.value),
            restore_unmanaged: arguments.restore_unmanaged,
            databases,
        });
    View {
        runtime: arguments.runtime.unwrap_or_default(),
        cfg: declared.cfg,
        name: declared.name,
        registered,
    }
}

/// What says how to make the view, together with what only matters to that.
fn definition_belongs(arguments: &Arguments, diagnostics: &mut Diagnostics) {
    if let (Some(_), Some(file)) = (&arguments.sql, &arguments.file) {
        diagnostics.error(file.key, "`file` contradicts `sql`; keep one of them");
    }
    let by_hand = arguments.sql.is_none() && arguments.file.is_none() && diagnostics.is_empty();
    if let Some(indexes) = &arguments.indexes {
        if by_hand {
            diagnostics.error(
                indexes.key,
                "`indexes` go with `sql` or `file`; a hand-written view makes its own in `up`",
            );
        } else if !arguments.materialized {
            diagnostics.error(
                indexes.key,
                "only a materialized view has indexes: add `materialized`, or remove `indexes`",
            );
        }
    }
    if let Some(options) = &arguments.options {
        if by_hand {
            diagnostics.error(
                options.key,
                "`options` go with `sql` or `file`; a hand-written view sets its own in `up`",
            );
        } else if arguments.materialized {
            diagnostics.error(
                options.key,
                "a materialized view has no such options: remove `options` or `materialized`",
            );
        }
    }
}

fn uses_itself(arguments: &Arguments, name: &Ident, diagnostics: &mut Diagnostics) {
    for path in arguments.uses.iter().flat_map(|uses| &uses.value) {
        if let [TokenTree::Ident(only)] = path.as_slice()
            && only == name
        {
            diagnostics.error(only.span(), "a view cannot use itself");
        }
    }
}

/// What `name` says, or the type's name as SQL would write it.
fn name(written: Option<At<Text>>, name: &Ident) -> Name {
    match written {
        Some(At { value: text, .. }) => Name {
            span: text.literal.span(),
            value: text.value,
            literal: Some(text.literal),
        },
        None => Name {
            value: snake_case(&unraw(name)),
            span: name.span(),
            literal: None,
        },
    }
}

/// `ActiveUsers` is `active_users`, and `HTTPStats2` is `http_stats2`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at)).copied();
        let after = letters.get(at + 1).copied();
        let begins = letter.is_uppercase()
            && before.is_some_and(|it| {
                it.is_lowercase()
                    || it.is_numeric()
                    || (it.is_uppercase() && after.is_some_and(char::is_lowercase))
            });
        if begins {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_become_names_of_views() {
        for (name, view) in [
            ("ActiveUsers", "active_users"),
            ("Totals", "totals"),
            ("HTTPStats2", "http_stats2"),
            ("Q4Totals", "q4_totals"),
            ("UsersV2", "users_v2"),
            ("X", "x"),
            ("ABC", "abc"),
            ("Already_Snake", "already_snake"),
            ("active_users", "active_users"),
            ("Ärger", "ärger"),
        ] {
            assert_eq!(snake_case(name), view);
        }
    }
}
