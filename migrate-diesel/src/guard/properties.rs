//! What hung on a view before, and what the new one lacks of it or has too much.

use super::creation::How;
use crate::backend::{Aspect, ObjectKind, Property, Snapshot};

/// What a new one will lack of what `old` has. Its owner is left out, because that costs a new look
/// at the grants if it is not the one already; what the declaration decides about is, as well.
pub(super) fn foreseen(old: &Snapshot, how: How) -> impl Iterator<Item = &str> {
    let is_foreseen = move |property: &&Property| match property.aspect {
        Aspect::Grant | Aspect::Comment | Aspect::Column | Aspect::Trigger | Aspect::Rule => true,
        Aspect::Options | Aspect::Index | Aspect::Statistics => how == How::AsItWas,
        Aspect::Owner | Aspect::Populated => false,
    };
    old.properties
        .iter()
        .filter(is_foreseen)
        .filter(|property| !property.set.is_empty())
        .map(|property| property.set.as_str())
}

/// Something to set or to take away; without `sql`, that cannot be done by a statement.
pub(super) struct Difference {
    pub(super) what: String,
    pub(super) sql: String,
}

/// What has to be done so that `now` has what `old` had, as far as `how` says.
pub(super) fn difference(old: &Snapshot, now: &Snapshot, how: How) -> Vec<Difference> {
    let is_declared =
        |aspect: Aspect| how == How::Anew && matches!(aspect, Aspect::Options | Aspect::Index);
    let mut differences = Vec::new();
    for surplus in &now.properties {
        let is_set_anew = old.properties.iter().any(|it| same_thing(it, surplus));
        // What was a plain view had its rows.
        let had_rows =
            surplus.aspect == Aspect::Populated && old.object.kind != ObjectKind::MaterializedView;
        if is_set_anew || is_declared(surplus.aspect) || had_rows {
            continue;
        }
        differences.push(Difference {
            what: surplus.what.clone(),
            sql: surplus.unset.clone(),
        });
    }
    for missing in &old.properties {
        if now.properties.iter().any(|it| equal(it, missing)) {
            continue;
        }
        let its_columns_are_gone = missing
            .columns
            .iter()
            .any(|column| !now.columns.contains(column));
        let is_redeclared = is_declared(missing.aspect)
            && (missing.aspect == Aspect::Options
                || now.properties.iter().any(|it| same_thing(it, missing)));
        if its_columns_are_gone || is_redeclared {
            continue;
        }
        differences.push(Difference {
            what: missing.what.clone(),
            sql: missing.set.clone(),
        });
    }
    differences
}

fn same_thing(one: &Property, other: &Property) -> bool {
    one.aspect == other.aspect && blanks(&one.what) == blanks(&other.what)
}

fn equal(one: &Property, other: &Property) -> bool {
    let trimmed = |text: &str| text.trim_end().trim_end_matches(';').to_owned();
    same_thing(one, other) && trimmed(&one.set) == trimmed(&other.set)
}

/// Saved text has blanks for line ends and tabs.
fn blanks(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}
