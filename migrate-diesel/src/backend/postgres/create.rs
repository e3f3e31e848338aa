//! The statements that create and drop views.

use migrate_core::{ViewDescriptor, ViewKind, view::Definition};

use super::DIALECT;
use crate::backend::{Object, ObjectKind};

/// What a plain view takes after `WITH`.
const OPTIONS: &[&str] = &["security_barrier", "security_invoker", "check_option"];

pub(super) fn create(view: &ViewDescriptor) -> Result<Vec<String>, String> {
    let Definition::Sql(sql) = view.definition else {
        return Err("it is created by code, not from a query".to_owned());
    };
    let query = sql
        .trim()
        .trim_end_matches(|char: char| char == ';' || char.is_whitespace());
    if query.is_empty() {
        return Err("its query is empty".to_owned());
    }
    let mut options = Vec::new();
    for (name, value) in view.options {
        if !OPTIONS.contains(name) {
            return Err(format!("PostgreSQL has no option `{name}` for views"));
        }
        if view.kind == ViewKind::Materialized {
            return Err(format!(
                "PostgreSQL has the option `{name}` for plain views, not for materialized ones"
            ));
        }
        options.push(format!("{name} = {value}"));
    }
    let word = word(view.kind);
    let name = DIALECT.identifier(view.name);
    let with = if options.is_empty() {
        String::new()
    } else {
        format!(" WITH ({})", options.join(", "))
    };
    // What is sent behind it must not become part of a comment at its end.
    let end = if query.contains("--") { "\n" } else { "" };
    let mut statements = vec![format!("CREATE {word} {name}{with} AS\n{query}{end}")];
    statements.extend(view.indexes.iter().map(|&index| index.to_owned()));
    Ok(statements)
}

pub(super) fn drop(object: &Object) -> String {
    let identity = &object.identity;
    match &object.kind {
        ObjectKind::View => format!("DROP VIEW {}", DIALECT.identifier(identity)),
        ObjectKind::MaterializedView => {
            format!("DROP MATERIALIZED VIEW {}", DIALECT.identifier(identity))
        }
        ObjectKind::Function => format!("DROP ROUTINE {}", routine(identity)),
        // Nobody is to drop what cannot be brought back; the statement says why in its error.
        ObjectKind::Other(words) => {
            format!(
                "DO $migrate$BEGIN RAISE EXCEPTION 'not dropped: %', {}; END$migrate$",
                super::text(words)
            )
        }
    }
}

/// `"schema"."name"(types)` of a function's identity, whose types are quoted already.
pub(super) fn routine(identity: &str) -> String {
    let (name, types) = identity
        .find('(')
        .and_then(|at| identity.split_at_checked(at))
        .unwrap_or((identity, "()"));
    format!("{}{types}", DIALECT.identifier(name))
}

fn word(kind: ViewKind) -> &'static str {
    match kind {
        ViewKind::Plain => "VIEW",
        ViewKind::Materialized => "MATERIALIZED VIEW",
    }
}
