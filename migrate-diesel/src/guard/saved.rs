//! Snapshots as text: a script that a person can run by hand as well.
//!
//! ```sql
//! -- migrate: view public.active_users
//! -- migrate: columns id email
//! CREATE VIEW ...
//! -- migrate: grant GRANT of SELECT to reader
//! GRANT SELECT ON ...
//! ```
//!
//! Between columns there is a tab.

use std::fmt::Write as _;

use crate::backend::{Aspect, Object, ObjectKind, Property, Snapshot};

/// What begins a line of ours; where that stands in a statement as well, with a number behind it.
const MARK: &str = "-- migrate";
const ASPECTS: [Aspect; 10] = [
    Aspect::Options,
    Aspect::Owner,
    Aspect::Grant,
    Aspect::Comment,
    Aspect::Column,
    Aspect::Trigger,
    Aspect::Rule,
    Aspect::Index,
    Aspect::Statistics,
    Aspect::Populated,
];

pub(super) fn to_text(snapshot: &Snapshot) -> String {
    let kind = match &snapshot.object.kind {
        ObjectKind::View => "view",
        ObjectKind::MaterializedView => "materialized-view",
        ObjectKind::Function => "function",
        ObjectKind::Other(_) => "other",
    };
    let mark = mark(snapshot);
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{mark}{kind} {}", one_line(&snapshot.object.identity));
    let _ = writeln!(text, "{mark}columns {}", list(&snapshot.columns));
    let _ = writeln!(text, "{};", statement(&snapshot.create));
    for property in &snapshot.properties {
        let aspect = property.aspect.as_str();
        let _ = writeln!(text, "{mark}{aspect} {}", one_line(&property.what));
        if !property.columns.is_empty() {
            let _ = writeln!(text, "{mark}of {}", list(&property.columns));
        }
        if !property.set.is_empty() {
            let _ = writeln!(text, "{};", statement(&property.set));
        }
    }
    text
}

/// One that no statement has: what is saved comes back to the letter.
fn mark(snapshot: &Snapshot) -> String {
    let is_free = |mark: &String| {
        let mut statements = snapshot.properties.iter().map(|it| &it.set);
        !snapshot.create.contains(mark) && !statements.any(|it| it.contains(mark))
    };
    let numbered = (1_u32..).map(|number| format!("{MARK} {number}: "));
    std::iter::once(format!("{MARK}: "))
        .chain(numbered)
        .find(is_free)
        .unwrap_or_default()
}

/// `None` where the text is not of this form.
pub(super) fn from_text(text: &str) -> Option<Snapshot> {
    let mut snapshot: Option<Snapshot> = None;
    let mut body = String::new();
    let after = text.strip_prefix(MARK)?;
    let length = MARK.len() + after.find(": ")? + 2;
    let mark = text.get(..length)?;
    // Not `lines`, which would take the `\r` off the lines of a comment.
    let mut lines = text
        .strip_suffix('\n')
        .unwrap_or(text)
        .split('\n')
        .peekable();
    while let Some(line) = lines.next() {
        if let Some(head) = line.strip_prefix(mark) {
            let (word, rest) = head.split_once(' ').unwrap_or((head, ""));
            match word {
                "columns" => snapshot.as_mut()?.columns = split(rest),
                "of" => snapshot.as_mut()?.properties.last_mut()?.columns = split(rest),
                _ => begin(&mut snapshot, word, unescaped(rest))?,
            }
        } else {
            body.push_str(line);
            body.push('\n');
        }
        if lines.peek().is_none_or(|next| next.starts_with(mark)) && !body.is_empty() {
            let sql = statement(&body).to_owned();
            body.clear();
            let snapshot = snapshot.as_mut()?;
            match snapshot.properties.last_mut() {
                Some(property) => property.set = sql,
                None => snapshot.create = sql,
            }
        }
    }
    snapshot
}

fn begin(snapshot: &mut Option<Snapshot>, word: &str, rest: String) -> Option<()> {
    if let Some(aspect) = ASPECTS.into_iter().find(|it| it.as_str() == word) {
        snapshot.as_mut()?.properties.push(Property {
            aspect,
            what: rest,
            columns: Vec::new(),
            set: String::new(),
            unset: String::new(),
        });
        return Some(());
    }
    let kind = match word {
        "view" => ObjectKind::View,
        "materialized-view" => ObjectKind::MaterializedView,
        "function" => ObjectKind::Function,
        _ => return None,
    };
    *snapshot = Some(Snapshot {
        object: Object {
            identity: rest,
            kind,
        },
        columns: Vec::new(),
        create: String::new(),
        properties: Vec::new(),
        lost: Vec::new(),
    });
    Some(())
}

/// Without what ends it.
fn statement(sql: &str) -> &str {
    sql.trim_end().trim_end_matches(';')
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|it| one_line(it)).collect();
    names.join("\t")
}

fn split(text: &str) -> Vec<String> {
    text.split('\t')
        .filter(|it| !it.is_empty())
        .map(unescaped)
        .collect()
}

/// Names may have line ends and tabs.
fn one_line(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t")
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                other => other.unwrap_or('\\'),
            },
            char => char,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_comes_back() {
        let property = |aspect, what: &str, columns: &[&str], set: &str| Property {
            aspect,
            what: what.to_owned(),
            columns: columns.iter().map(|&it| it.to_owned()).collect(),
            set: set.to_owned(),
            unset: String::new(),
        };
        let snapshot = Snapshot {
            object: Object {
                identity: "public.Odd name".to_owned(),
                kind: ObjectKind::MaterializedView,
            },
            columns: vec!["id".to_owned(), "E \t\\n\nmail".to_owned()],
            create: "CREATE VIEW x AS\nSELECT 1;\n-- end".to_owned(),
            properties: vec![
                property(Aspect::Owner, "owner", &[], "ALTER VIEW x OWNER TO y"),
                property(Aspect::Options, "algorithm", &[], ""),
                property(
                    Aspect::Comment,
                    "comment on id",
                    &["id"],
                    "COMMENT ON ..\nIS 'a\r\n-- migrate: view x\n;b'",
                ),
            ],
            lost: Vec::new(),
        };
        let text = to_text(&snapshot);
        assert!(
            text.starts_with("-- migrate 1: materialized-view"),
            "{text}"
        );
        assert_eq!(from_text(&text), Some(snapshot));
        assert_eq!(from_text("SELECT 1"), None);
    }
}
