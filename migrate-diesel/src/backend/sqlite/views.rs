//! SQLite's views. It keeps the text that created each and nothing of what that reads.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{QueryResult, SqliteConnection, result::Error};
use migrate_core::{ViewDescriptor, ViewKind, view::Definition};

use super::DIALECT;
use crate::backend::{
    Aspect, Dependence, Driver as _, Object, Property, ReadersError, Snapshot, ViewCatalog,
    dialect::standard_text,
    view_text::{Meaning, SQLITE, ViewText, meanings, not_there, query, same},
};

impl ViewCatalog for SqliteConnection {
    fn find(&mut self, names: &[&str]) -> QueryResult<Vec<Option<String>>> {
        let wanted = names
            .iter()
            .flat_map(|name| [*name, in_main(name).unwrap_or(name)]);
        let rows = self.rows(&format!(
            "SELECT name AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
             FROM main.sqlite_master WHERE type = 'view' AND name COLLATE NOCASE IN ({})",
            list(wanted)
        ))?;
        let there: BTreeMap<String, String> = rows
            .into_iter()
            .filter_map(|row| row.c0)
            .map(|name| (name.to_ascii_lowercase(), name))
            .collect();
        let find = |name: &str| there.get(&name.to_ascii_lowercase()).cloned();
        Ok(names
            .iter()
            .map(|name| find(name).or_else(|| in_main(name).and_then(find)))
            .collect())
    }

    fn dependents(&mut self, identities: &[&str]) -> QueryResult<Vec<Dependence>> {
        let views = definitions(self)?;
        // Of each view, those that name it.
        let mut by: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (name, sql) in &views {
            for reference in ViewText::new(sql, SQLITE).references() {
                // It cannot read itself.
                if !same(&reference.name, name) {
                    let on = reference.name.to_ascii_lowercase();
                    by.entry(on).or_default().insert(name);
                }
            }
        }
        let mut todo: Vec<&str> = identities.to_vec();
        let mut seen: BTreeSet<String> = todo.iter().map(|on| on.to_ascii_lowercase()).collect();
        let mut edges = BTreeSet::new();
        while let Some(on) = todo.pop() {
            for name in by.get(&on.to_ascii_lowercase()).into_iter().flatten() {
                edges.insert(Dependence {
                    on: on.to_owned(),
                    by: Object::view(*name, ViewKind::Plain),
                });
                if seen.insert(name.to_ascii_lowercase()) {
                    todo.push(name);
                }
            }
        }
        Ok(edges.into_iter().collect())
    }

    fn readers(&mut self, target: &str) -> Result<Vec<Object>, ReadersError> {
        let meaning = resolve(self, target)?;
        let is_table = |name: &str| same(name, meaning.table);
        let views = definitions(self)?;
        Ok(views
            .iter()
            .filter(|(name, sql)| {
                let text = ViewText::new(sql, SQLITE);
                !is_table(name)
                    && match meaning.column {
                        Some(column) => text.reads_column(column, |it| is_table(&it.name)),
                        None => text.references().iter().any(|it| is_table(&it.name)),
                    }
            })
            .map(|(name, _)| Object::view(name, ViewKind::Plain))
            .collect())
    }

    fn snapshots(&mut self, objects: &[&Object]) -> QueryResult<Vec<Snapshot>> {
        let names: Vec<&str> = objects.iter().map(|it| it.identity.as_str()).collect();
        let mut columns = columns(self, &names)?;
        let mut snapshots = self.properties(objects)?;
        for snapshot in &mut snapshots {
            let name = snapshot.object.identity.to_ascii_lowercase();
            snapshot.columns = columns.remove(&name).unwrap_or_default();
        }
        Ok(snapshots)
    }

    /// Without columns: to know them SQLite resolves every view down to its tables, and nothing that
    /// hangs on its views needs one.
    fn properties(&mut self, objects: &[&Object]) -> QueryResult<Vec<Snapshot>> {
        let names: Vec<&str> = objects.iter().map(|it| it.identity.as_str()).collect();
        let mut creates = creates(self, &names)?;
        let mut triggers = triggers(self, &names)?;
        objects
            .iter()
            .map(|object| {
                let name = object.identity.to_ascii_lowercase();
                Ok(Snapshot {
                    object: (*object).clone(),
                    columns: Vec::new(),
                    create: creates.remove(&name).ok_or_else(|| missing(object))?,
                    properties: triggers.remove(&name).unwrap_or_default(),
                    lost: Vec::new(),
                })
            })
            .collect()
    }

    fn create(
        &self,
        view: &ViewDescriptor,
        _old: Option<&Snapshot>,
    ) -> Result<Vec<String>, String> {
        let Definition::Sql(sql) = view.definition else {
            return Err(format!("view {} is created by its own code", view.name));
        };
        if view.kind == ViewKind::Materialized {
            return Err("materialized views: SQLite has none".to_owned());
        }
        if let Some((option, _)) = view.options.first() {
            return Err(format!("option {option}: SQLite's views have none"));
        }
        let name = in_main(view.name).unwrap_or(view.name);
        if name.contains('.') {
            return Err(format!(
                "the schema of {name}: in SQLite a view is in `main`"
            ));
        }
        let query =
            query(sql, SQLITE).map_err(|problem| format!("view {}: {problem}", view.name))?;
        Ok(vec![format!("CREATE VIEW {} AS {query}", quoted(name))])
    }

    fn probe(&self, name: &str) -> Option<String> {
        // SQLite takes any definition, and complains of it whenever it is read.
        let name = in_main(name).unwrap_or(name);
        Some(format!("SELECT 1 FROM main.{} LIMIT 0", quoted(name)))
    }

    fn drop(&self, object: &Object) -> String {
        // With the schema: without, a temporary view of that name would go instead.
        format!("DROP VIEW main.{}", quoted(&object.identity))
    }
}

/// What follows `main.`, the only schema whose views are ours.
fn in_main(name: &str) -> Option<&str> {
    name.split_once('.')
        .filter(|(schema, _)| same(schema, "main"))
        .map(|(_, name)| name)
}

/// The whole name in quotes: a dot in it separates nothing.
fn quoted(name: &str) -> String {
    let quote = DIALECT.identifier_quote;
    format!("{quote}{}{quote}", name.replace(quote, "\"\""))
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(standard_text).collect::<Vec<_>>().join(", ")
}

fn missing(object: &Object) -> Error {
    Error::QueryBuilderError(format!("there is no {object}").into())
}

/// Names and texts of all views.
fn definitions(db: &mut SqliteConnection) -> QueryResult<Vec<(String, String)>> {
    let rows = db.rows(
        "SELECT name AS c0, sql AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
         FROM main.sqlite_master WHERE type = 'view' ORDER BY name",
    )?;
    Ok(rows
        .into_iter()
        .filter_map(|row| row.c0.zip(row.c1))
        .collect())
}

/// The texts of these views, by name in lower case.
fn creates(db: &mut SqliteConnection, names: &[&str]) -> QueryResult<BTreeMap<String, String>> {
    let rows = db.rows(&format!(
        "SELECT name AS c0, sql AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
         FROM main.sqlite_master WHERE type = 'view' AND name COLLATE NOCASE IN ({})",
        list(names.iter().copied())
    ))?;
    Ok(rows
        .into_iter()
        .filter_map(|row| row.c0.zip(row.c1))
        .map(|(name, sql)| (name.to_ascii_lowercase(), sql))
        .collect())
}

/// The columns of these views, by name in lower case. A view that reads something that is not there has
/// none.
fn columns(
    db: &mut SqliteConnection,
    names: &[&str],
) -> QueryResult<BTreeMap<String, Vec<String>>> {
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let rows = match db.rows(&columns_sql(names)) {
        Ok(rows) => rows,
        // One that is broken fails the whole query.
        Err(_) if names.len() > 1 => {
            for name in names {
                columns.extend(self::columns(db, &[*name])?);
            }
            return Ok(columns);
        }
        Err(Error::DatabaseError(..)) => return Ok(columns),
        Err(error) => return Err(error),
    };
    for (view, column) in rows.into_iter().filter_map(|row| row.c0.zip(row.c1)) {
        columns
            .entry(view.to_ascii_lowercase())
            .or_default()
            .push(column);
    }
    Ok(columns)
}

fn columns_sql(names: &[&str]) -> String {
    format!(
        "SELECT m.name AS c0, p.name AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
         FROM main.sqlite_master m JOIN pragma_table_info(m.name, 'main') p \
         WHERE m.type = 'view' AND m.name COLLATE NOCASE IN ({}) ORDER BY m.name, p.cid",
        list(names.iter().copied())
    )
}

/// The INSTEAD OF triggers of these views, by the view's name in lower case, in the order of their
/// creation: those for one event fire in the reverse of it.
fn triggers(
    db: &mut SqliteConnection,
    names: &[&str],
) -> QueryResult<BTreeMap<String, Vec<Property>>> {
    let rows = db.rows(&format!(
        "SELECT tbl_name AS c0, name AS c1, sql AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
         FROM main.sqlite_master WHERE type = 'trigger' AND tbl_name COLLATE NOCASE IN ({}) ORDER BY rowid",
        list(names.iter().copied())
    ))?;
    let mut triggers: BTreeMap<String, Vec<Property>> = BTreeMap::new();
    for row in rows {
        if let (Some(view), Some(name), Some(sql)) = (row.c0, row.c1, row.c2) {
            triggers
                .entry(view.to_ascii_lowercase())
                .or_default()
                .push(Property {
                    aspect: Aspect::Trigger,
                    what: format!("trigger {name}"),
                    columns: Vec::new(),
                    set: sql,
                    unset: format!("DROP TRIGGER main.{}", quoted(&name)),
                });
        }
    }
    Ok(triggers)
}

/// What a target means here.
fn resolve<'a>(db: &mut SqliteConnection, target: &'a str) -> Result<Meaning<'a>, ReadersError> {
    let mut table = None;
    for meaning in meanings(target) {
        if meaning.schema.is_some_and(|schema| !same(schema, "main")) {
            continue;
        }
        // The columns that are generated, too.
        let rows = db.rows(&format!(
            "SELECT p.name AS c0, m.name AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
             FROM main.sqlite_master m LEFT JOIN pragma_table_xinfo(m.name, 'main') p \
             WHERE m.type IN ('table', 'view') AND m.name = {} COLLATE NOCASE",
            standard_text(meaning.table)
        ))?;
        let Some(column) = meaning.column else {
            if rows.is_empty() {
                continue;
            }
            return Ok(meaning);
        };
        if rows
            .iter()
            .any(|row| row.c0.as_deref().is_some_and(|name| same(name, column)))
        {
            return Ok(meaning);
        }
        table = table.or(rows.into_iter().next().and_then(|row| row.c1));
    }
    Err(ReadersError::NotThere(not_there(target, table.as_deref())))
}
