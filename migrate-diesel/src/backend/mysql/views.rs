//! The views of MySQL and MariaDB. They keep a canonical text of each, and nothing of what that reads.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{MysqlConnection, QueryResult};
use migrate_core::{ViewDescriptor, ViewKind, view::Definition};

use super::{
    attributes::{Attributes, alone, shown, with_plain_mode},
    blockers,
    name::{Name, Place, quoted},
    snapshot, text,
};
use crate::backend::{
    Dependence, Driver as _, Object, ObjectKind, ReadersError, Snapshot, ViewCatalog,
    view_text::{MYSQL, Meaning, Reference, ViewText, meanings, not_there, query},
};

impl ViewCatalog for MysqlConnection {
    fn find(&mut self, names: &[&str]) -> QueryResult<Vec<Option<String>>> {
        let place = Place::of(self)?;
        let wanted: Vec<Name> = names.iter().map(|name| place.name(name)).collect();
        let mut there: BTreeMap<Name, String> = BTreeMap::new();
        for (database, names) in by_database(&wanted) {
            let rows = self.rows(&format!(
                "SELECT table_schema AS c0, table_name AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
                 FROM information_schema.tables \
                 WHERE table_schema = {} AND table_name IN ({}) AND table_type = 'VIEW'",
                text(database),
                list(&names)
            ))?;
            for (database, name) in rows.into_iter().filter_map(|row| row.c0.zip(row.c1)) {
                let identity = place.identity(&database, &name);
                there.insert(place.fold(&database, &name), identity);
            }
        }
        Ok(wanted.iter().map(|name| there.get(name).cloned()).collect())
    }

    fn dependents(&mut self, identities: &[&str]) -> QueryResult<Vec<Dependence>> {
        if identities.is_empty() {
            return Ok(Vec::new());
        }
        let place = Place::of(self)?;
        let views = definitions(self, &place)?;
        // Of each view, those that name it.
        let mut by: BTreeMap<Name, BTreeSet<&Object>> = BTreeMap::new();
        for view in &views {
            for reference in ViewText::new(&view.definition, MYSQL).references() {
                if let Some(on) = named(&place, reference).filter(|on| *on != view.name) {
                    by.entry(on).or_default().insert(&view.object);
                }
            }
        }
        let hidden: Vec<&Object> = hidden(&views).collect();
        let mut todo: Vec<&str> = identities.to_vec();
        let mut seen: BTreeSet<Name> = todo.iter().map(|on| place.name(on)).collect();
        let mut edges = BTreeSet::new();
        while let Some(on) = todo.pop() {
            let readers = by.get(&place.name(on)).into_iter().flatten().copied();
            for object in readers.chain(hidden.iter().copied()) {
                edges.insert(Dependence {
                    on: on.to_owned(),
                    by: object.clone(),
                });
                if object.kind == ObjectKind::View && seen.insert(place.name(&object.identity)) {
                    todo.push(&object.identity);
                }
            }
        }
        Ok(edges.into_iter().collect())
    }

    fn readers(&mut self, target: &str) -> Result<Vec<Object>, ReadersError> {
        let place = Place::of(self)?;
        let meaning = resolve(self, &place, target)?;
        let table = place.fold(meaning.schema.unwrap_or(&place.database), meaning.table);
        let is_table = |reference: &Reference| named(&place, reference).as_ref() == Some(&table);
        let views = definitions(self, &place)?;
        let readers = views.iter().filter(|view| {
            let text = ViewText::new(&view.definition, MYSQL);
            view.name != table
                && match meaning.column {
                    Some(column) => text.reads_column(column, is_table),
                    None => text.references().iter().any(is_table),
                }
        });
        Ok(readers
            .map(|view| &view.object)
            .chain(hidden(&views))
            .cloned()
            .collect())
    }

    fn snapshots(&mut self, objects: &[&Object]) -> QueryResult<Vec<Snapshot>> {
        snapshot::snapshots(self, objects)
    }

    fn create(&self, view: &ViewDescriptor, old: Option<&Snapshot>) -> Result<Vec<String>, String> {
        let Definition::Sql(sql) = view.definition else {
            return Err(format!("view {} is created by its own code", view.name));
        };
        if view.kind == ViewKind::Materialized {
            return Err("materialized views: MySQL has none".to_owned());
        }
        let mut attributes = old.map(Attributes::of).unwrap_or_default();
        attributes.declare(view)?;
        let query =
            query(sql, MYSQL).map_err(|problem| format!("view {}: {problem}", view.name))?;
        let query = format!("AS {query}");
        Ok(vec![attributes.statement(
            "CREATE",
            &quoted(view.name),
            &query,
        )])
    }

    fn amend(&self, old: &Snapshot, new: &Snapshot) -> Option<String> {
        let name = quoted(&new.object.identity);
        let shown = shown(alone(&new.create))?;
        let attributes = Attributes::of(old);
        Some(with_plain_mode(attributes.statement(
            "CREATE OR REPLACE",
            &name,
            shown.query,
        )))
    }

    fn drop(&self, object: &Object) -> String {
        format!("DROP VIEW {}", quoted(&object.identity))
    }

    fn lock_timeout(&self, milliseconds: u64) -> Option<(String, String)> {
        // The default is a day.
        let seconds = milliseconds.div_ceil(1_000).max(1);
        Some((
            format!(
                "SET @migrate_lock_wait_timeout = @@SESSION.lock_wait_timeout, SESSION lock_wait_timeout = {seconds}"
            ),
            "SET SESSION lock_wait_timeout = @migrate_lock_wait_timeout".to_owned(),
        ))
    }

    fn blockers(&mut self, objects: &[&Object]) -> QueryResult<Vec<String>> {
        let place = Place::of(self)?;
        let names: Vec<Name> = objects.iter().map(|it| place.name(&it.identity)).collect();
        Ok(blockers::blockers(self, &names))
    }
}

/// A view as the catalog has it.
struct View {
    name: Name,
    /// The view, or that nothing is known of it.
    object: Object,
    /// Empty where the user may not see it.
    definition: String,
}

/// All views but the server's own. One of another database may read ours as well.
fn definitions(db: &mut MysqlConnection, place: &Place) -> QueryResult<Vec<View>> {
    let rows = db.rows(
        "SELECT table_schema AS c0, table_name AS c1, view_definition AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
         FROM information_schema.views \
         WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')",
    )?;
    let mut views: Vec<View> = rows
        .into_iter()
        .filter_map(|row| {
            let (database, name) = row.c0.zip(row.c1)?;
            let identity = place.identity(&database, &name);
            let definition = row.c2.unwrap_or_default();
            // Somebody else's view elsewhere is none of our business; it would come back to life by itself.
            if definition.is_empty() && database != place.database {
                return None;
            }
            let object = if definition.is_empty() {
                let words =
                    format!("view {identity}, whose definition this user may not read (SHOW VIEW)");
                Object {
                    identity,
                    kind: ObjectKind::Other(words),
                }
            } else {
                Object::view(identity, ViewKind::Plain)
            };
            Some(View {
                name: place.fold(&database, &name),
                object,
                definition,
            })
        })
        .collect();
    views.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(views)
}

/// Views of which nobody can say what they read: rather one too many.
fn hidden(views: &[View]) -> impl Iterator<Item = &Object> {
    views
        .iter()
        .filter(|view| view.definition.is_empty())
        .map(|view| &view.object)
}

/// What is named; the server writes the database before every table and before nothing else.
fn named(place: &Place, reference: &Reference) -> Option<Name> {
    let database = reference.schema.as_ref()?;
    Some(place.fold(database, &reference.name))
}

/// What a target means here, the column as the catalog writes it.
fn resolve<'a>(
    db: &mut MysqlConnection,
    place: &Place,
    target: &'a str,
) -> Result<Meaning<'a>, ReadersError> {
    let mut found = None;
    for meaning in meanings(target) {
        let rows = db.rows(&format!(
            "SELECT t.table_name AS c0, c.column_name AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
             FROM information_schema.tables t LEFT JOIN information_schema.columns c \
             ON c.table_schema = t.table_schema AND c.table_name = t.table_name \
             WHERE t.table_schema = {0} AND t.table_name = {1}",
            text(meaning.schema.unwrap_or(&place.database)),
            text(meaning.table)
        ))?;
        // The catalog compares without regard to case, whatever the server does.
        let names = rows.iter().filter_map(|row| row.c0.as_deref());
        let is_there = names
            .map(|name| place.fold("", name))
            .any(|name| name == place.fold("", meaning.table));
        if !is_there {
            continue;
        }
        let has_column = |column: &str| {
            rows.iter()
                .filter_map(|row| row.c1.as_deref())
                .any(|name| name.to_lowercase() == column.to_lowercase())
        };
        if meaning.column.is_none_or(has_column) {
            return Ok(meaning);
        }
        found = found.or(Some(meaning.table));
    }
    Err(ReadersError::NotThere(not_there(target, found)))
}

/// Each database with its names.
pub(super) fn by_database(names: &[Name]) -> BTreeMap<&str, Vec<&str>> {
    let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        by.entry(&name.database).or_default().push(&name.name);
    }
    by
}

/// As literals.
pub(super) fn list(names: &[&str]) -> String {
    let literals: Vec<String> = names.iter().map(|name| text(name)).collect();
    literals.join(", ")
}
