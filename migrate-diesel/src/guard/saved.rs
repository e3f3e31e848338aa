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

const MARK: &str = "-- migrate: ";
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
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{MARK}{kind} {}", one_line(&snapshot.object.identity));
    let columns: Vec<String> = snapshot.columns.iter().map(|it| one_line(it)).collect();
    let _ = writeln!(text, "{MARK}columns {}", columns.join("\t"));
    let _ = writeln!(text, "{};", unmarked(&snapshot.create));
    for property in &snapshot.properties {
        let aspect = property.aspect.as_str();
        let _ = writeln!(text, "{MARK}{aspect} {}", one_line(&property.what));
        if !property.columns.is_empty() {
            let columns: Vec<String> = property.columns.iter().map(|it| one_line(it)).collect();
            let _ = writeln!(text, "{MARK}of {}", columns.join("\t"));
        }
        if !property.set.is_empty() {
            let _ = writeln!(text, "{};", unmarked(&property.set));
        }
    }
    text
}

/// `None` where the text is not of this form.
pub(super) fn from_text(text: &str) -> Option<Snapshot> {
    let mut snapshot: Option<Snapshot> = None;
    let mut body = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(head) = line.strip_prefix(MARK) {
            let (word, rest) = head.split_once(' ').unwrap_or((head, ""));
            match word {
                "columns" => snapshot.as_mut()?.columns = split(rest),
                "of" => snapshot.as_mut()?.properties.last_mut()?.columns = split(rest),
                _ => begin(&mut snapshot, word, rest)?,
            }
        } else {
            body.push_str(line);
            body.push('\n');
        }
        if lines.peek().is_none_or(|next| next.starts_with(MARK)) && !body.is_empty() {
            let statement = body.trim_end().trim_end_matches(';').to_owned();
            body.clear();
            let snapshot = snapshot.as_mut()?;
            match snapshot.properties.last_mut() {
                Some(property) => property.set = statement,
                None => snapshot.create = statement,
            }
        }
    }
    snapshot
}

fn begin(snapshot: &mut Option<Snapshot>, word: &str, rest: &str) -> Option<()> {
    if let Some(aspect) = ASPECTS.into_iter().find(|it| it.as_str() == word) {
        snapshot.as_mut()?.properties.push(Property {
            aspect,
            what: rest.to_owned(),
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
            identity: rest.to_owned(),
            kind,
        },
        columns: Vec::new(),
        create: String::new(),
        properties: Vec::new(),
        lost: Vec::new(),
    });
    Some(())
}

fn split(text: &str) -> Vec<String> {
    text.split('\t')
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}

/// No line of a statement looks like one of our marks.
fn unmarked(sql: &str) -> String {
    let mut text = sql.trim_end().trim_end_matches(';').to_owned();
    if text.starts_with(MARK) {
        text.insert(0, ' ');
    }
    text.replace(&format!("\n{MARK}"), &format!("\n {MARK}"))
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
            columns: vec!["id".to_owned(), "E mail".to_owned()],
            create: "CREATE VIEW x AS\nSELECT 1;\n-- end".to_owned(),
            properties: vec![
                property(Aspect::Owner, "owner", &[], "ALTER VIEW x OWNER TO y"),
                property(Aspect::Options, "algorithm", &[], ""),
                property(Aspect::Comment, "comment on id", &["id"], "COMMENT ON ..\nIS 'a\n;b'"),
            ],
            lost: Vec::new(),
        };
        assert_eq!(from_text(&to_text(&snapshot)), Some(snapshot));
        assert_eq!(from_text("SELECT 1"), None);
    }
}
