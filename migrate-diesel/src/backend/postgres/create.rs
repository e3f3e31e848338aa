//! The statements that create and drop views.

use migrate_core::{ViewDescriptor, ViewKind, view::Definition};

use super::{DIALECT, text};
use crate::backend::{Aspect, Object, ObjectKind, Snapshot};

/// What a plain view takes after `WITH`.
const OPTIONS: &[&str] = &["security_barrier", "security_invoker", "check_option"];

/// Nobody asks for the rows of one that had none: that may take hours.
pub(super) fn create(view: &ViewDescriptor, old: Option<&Snapshot>) -> Result<Vec<String>, String> {
    let Definition::Sql(sql) = view.definition else {
        return Err("it is created by code, not from a query".to_owned());
    };
    let query = query(sql)?;
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
        let is_word = value.chars().all(|char| char.is_ascii_alphanumeric());
        let value = if is_word {
            (*value).to_owned()
        } else {
            text(value)
        };
        options.push(format!("{name} = {value}"));
    }
    let word = word(view.kind);
    let name = DIALECT.identifier(view.name);
    let with = if options.is_empty() {
        String::new()
    } else {
        format!(" WITH ({})", options.join(", "))
    };
    let is_empty = old.is_some_and(|old| {
        old.object.kind == ObjectKind::MaterializedView
            && !old
                .properties
                .iter()
                .any(|it| it.aspect == Aspect::Populated)
    });
    let rows = if is_empty && view.kind == ViewKind::Materialized {
        "\nWITH NO DATA"
    } else {
        ""
    };
    let mut statements = vec![format!("CREATE {word} {name}{with} AS\n{query}{rows}")];
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
                text(words)
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

/// What a user wrote as the query of a view, without the semicolon and the comments at its end.
fn query(sql: &str) -> Result<&str, String> {
    let mut end = 0;
    let mut closed = false;
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(length) = skipped(rest) {
            at += length;
            continue;
        }
        if rest.starts_with(';') {
            closed = true;
            at += 1;
            continue;
        }
        if closed && end > 0 {
            return Err("its query is more than one statement".to_owned());
        }
        at += piece(rest);
        end = at;
    }
    match sql.get(..end).map(str::trim_start) {
        None | Some("") => Err("its query is empty".to_owned()),
        Some(query) => Ok(query),
    }
}

/// Length of the blanks or the comment that `rest` begins with; comments may be nested.
fn skipped(rest: &str) -> Option<usize> {
    let blanks = rest.len() - rest.trim_start().len();
    if blanks > 0 {
        return Some(blanks);
    }
    if rest.starts_with("--") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(pair) = rest.as_bytes().get(at..at + 2) {
        at += match pair {
            b"/*" => {
                depth += 1;
                2
            }
            b"*/" => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        if depth == 0 {
            return Some(at);
        }
    }
    Some(rest.len())
}

/// Length of the word, the quoted text or the sign that `rest` begins with.
fn piece(rest: &str) -> usize {
    let word = |text: &str| {
        let is_in = |char: char| char.is_alphanumeric() || char == '_' || char == '$';
        text.find(|char| !is_in(char)).unwrap_or(text.len())
    };
    if rest.starts_with(['e', 'E']) && rest.get(1..2) == Some("'") {
        return 1 + quoted(rest.get(1..).unwrap_or_default(), true);
    }
    match rest.chars().next() {
        Some('\'' | '"') => quoted(rest, false),
        Some('$') => {
            // `$tag$ .. $tag$`; else a parameter.
            let tag = rest.get(1..).and_then(|it| it.find('$'));
            let tag = tag.and_then(|end| rest.get(..end + 2));
            let is_tag = |tag: &&str| {
                let name = tag.trim_matches('$');
                name.chars()
                    .all(|char| char.is_alphanumeric() || char == '_')
                    && !name.starts_with(|char: char| char.is_ascii_digit())
            };
            tag.filter(is_tag).map_or(1, |tag| {
                let inside = rest.get(tag.len()..).unwrap_or_default();
                inside
                    .find(tag)
                    .map_or(rest.len(), |end| end + 2 * tag.len())
            })
        }
        Some(char) => word(rest).max(char.len_utf8()),
        None => 0,
    }
}

/// Length of what is between quotes, with them.
fn quoted(rest: &str, backslash: bool) -> usize {
    let mut chars = rest.char_indices();
    let quote = chars.next().map(|(_, char)| char);
    while let Some((at, char)) = chars.next() {
        if char == '\\' && backslash {
            chars.next();
        } else if Some(char) == quote {
            // A doubled quote ends one piece and begins another, which comes to the same.
            return at + 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn the_query_ends_where_it_ends() {
        for (sql, expected) in [
            (" SELECT 1 ; ", "SELECT 1"),
            ("SELECT 1 -- a; b\n, 2; -- done", "SELECT 1 -- a; b\n, 2"),
            ("SELECT ';' /* ; /* ; */ */ ;; /* x */", "SELECT ';'"),
            (
                "SELECT $a$;$$;$a$, $1, a$b, $$;$$",
                "SELECT $a$;$$;$a$, $1, a$b, $$;$$",
            ),
            (
                r"SELECT E'\';', E'\\', ' \'; -- '",
                r"SELECT E'\';', E'\\', ' \'",
            ),
            (
                "SELECT 'a'';', \"b\"\";\", 'ü;'",
                "SELECT 'a'';', \"b\"\";\", 'ü;'",
            ),
            ("-- first\nSELECT 1", "-- first\nSELECT 1"),
            ("SELECT name'x;'", "SELECT name'x;'"),
            ("SELECT '; open", "SELECT '; open"),
        ] {
            assert_eq!(query(sql).as_deref(), Ok(expected), "{sql}");
        }
        for sql in ["", " ; ", "-- SELECT 1", "/* SELECT 1"] {
            assert_eq!(query(sql), Err("its query is empty".to_owned()), "{sql}");
        }
        for sql in ["SELECT 1; SELECT 2", "SELECT $1; x"] {
            assert_eq!(
                query(sql),
                Err("its query is more than one statement".to_owned()),
                "{sql}"
            );
        }
    }
}
