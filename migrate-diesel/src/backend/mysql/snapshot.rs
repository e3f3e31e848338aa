//! What a view is, with what hangs on it.

use std::collections::BTreeMap;

use diesel::{
    MysqlConnection, QueryResult, QueryableByName, RunQueryDsl as _, result::Error, sql_query,
    sql_types,
};

use super::{
    attributes::{Shown, shown, with_plain_mode},
    name::{Name, Place, quoted_name, quoted_part},
    rights::{Rights, account, cannot_be_created},
    text,
    views::{by_database, list},
};
use crate::backend::{Aspect, Driver as _, Object, Property, Snapshot};

/// Of each, in their order.
pub(super) fn snapshots(
    db: &mut MysqlConnection,
    objects: &[&Object],
) -> QueryResult<Vec<Snapshot>> {
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let place = Place::of(db)?;
    let names: Vec<Name> = objects.iter().map(|it| place.name(&it.identity)).collect();
    let texts = created(db, &place, &names)?;
    let facts = Facts::read(db, &place, &names)?;
    let mut rights = None;
    let mut snapshots = Vec::with_capacity(objects.len());
    for ((object, name), row) in objects.iter().zip(&names).zip(&texts) {
        let Shown {
            mut attributes,
            query,
        } = shown(&row.create).ok_or_else(|| {
            Error::QueryBuilderError(format!("cannot read {}", row.create).into())
        })?;
        if row.collation != facts.collation {
            attributes.collation = Some(row.collation.clone());
        }
        let create = attributes.statement("CREATE", &quoted_name(name), query);
        let rights = match &mut rights {
            Some(rights) => rights,
            None => rights.insert(Rights::read(db)?),
        };
        let columns = facts.columns.get(name).cloned().unwrap_or_default();
        let mut lost = Vec::new();
        if let Some(definer) = attributes.definer.as_ref().filter(|it| !rights.are_of(it)) {
            if !rights.any_definer {
                lost.push(format!(
                    "definer {definer}, which this user may not set ({})",
                    rights.needed
                ));
            } else if !columns.is_empty() {
                // What its maker could read, this user perhaps cannot.
                lost.extend(cannot_be_created(db, &attributes, name, query));
            }
        }
        let mut properties = attributes.properties();
        properties.extend(facts.grants.get(name).cloned().unwrap_or_default());
        snapshots.push(Snapshot {
            object: (*object).clone(),
            columns,
            create: with_plain_mode(create),
            properties,
            lost,
        });
    }
    Ok(snapshots)
}

#[derive(QueryableByName)]
struct CreatedRow {
    #[diesel(sql_type = sql_types::Text, column_name = "Create View")]
    create: String,
    #[diesel(sql_type = sql_types::Text, column_name = "collation_connection")]
    collation: String,
}

/// What `SHOW CREATE VIEW` says of each, from another database: in its own one it leaves the database
/// away, and then a common table expression and a table of one name look the same.
fn created(
    db: &mut MysqlConnection,
    place: &Place,
    names: &[Name],
) -> QueryResult<Vec<CreatedRow>> {
    // ANSI_QUOTES would write the names in quotes that make them literals elsewhere.
    db.batch(
        "SET @migrate_sql_mode = @@SESSION.sql_mode, SESSION sql_mode = ''; USE information_schema",
    )?;
    let rows = names
        .iter()
        .map(|name| sql_query(format!("SHOW CREATE VIEW {}", quoted_name(name))).get_result(db))
        .collect();
    let back = if place.database.is_empty() {
        String::new()
    } else {
        format!("; USE {}", quoted_part(&place.database))
    };
    db.batch(&format!("SET SESSION sql_mode = @migrate_sql_mode{back}"))?;
    rows
}

/// What the catalog says of all of them.
struct Facts {
    /// The session's.
    collation: String,
    /// A view that reads something that is not there has none.
    columns: BTreeMap<Name, Vec<String>>,
    grants: BTreeMap<Name, Vec<Property>>,
}

impl Facts {
    fn read(db: &mut MysqlConnection, place: &Place, names: &[Name]) -> QueryResult<Self> {
        let rows = db.rows(
            "SELECT @@SESSION.collation_connection AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5",
        )?;
        let mut facts = Self {
            collation: rows.into_iter().find_map(|row| row.c0).unwrap_or_default(),
            columns: BTreeMap::new(),
            grants: BTreeMap::new(),
        };
        for (database, names) in by_database(names) {
            let of_these = format!(
                "WHERE table_schema = {} AND table_name IN ({})",
                text(database),
                list(&names)
            );
            facts.read_columns(db, place, &of_these)?;
            facts.read_grants(db, place, &of_these)?;
        }
        Ok(facts)
    }

    fn read_columns(
        &mut self,
        db: &mut MysqlConnection,
        place: &Place,
        of_these: &str,
    ) -> QueryResult<()> {
        let rows = db.rows(&format!(
            "SELECT table_schema AS c0, table_name AS c1, column_name AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
             FROM information_schema.columns {of_these} ORDER BY table_name, ordinal_position"
        ))?;
        for row in rows {
            if let (Some(database), Some(name), Some(column)) = (row.c0, row.c1, row.c2) {
                let columns = self.columns.entry(place.fold(&database, &name));
                columns.or_default().push(column);
            }
        }
        Ok(())
    }

    /// They go by the name, and survive a drop; so that a loss would be noticed. An ordinary user sees
    /// their own. Those on columns first: taking one on the table away takes them along.
    fn read_grants(
        &mut self,
        db: &mut MysqlConnection,
        place: &Place,
        of_these: &str,
    ) -> QueryResult<()> {
        let rows = db.rows(&format!(
            "SELECT table_schema AS c0, table_name AS c1, grantee AS c2, privilege_type AS c3, is_grantable AS c4, \
             NULL AS c5 FROM information_schema.table_privileges {of_these} \
             UNION ALL SELECT table_schema, table_name, grantee, privilege_type, is_grantable, column_name \
             FROM information_schema.column_privileges {of_these} ORDER BY 1, 2, 3, 6 DESC, 4"
        ))?;
        for row in rows {
            let (Some(database), Some(name)) = (row.c0, row.c1) else {
                continue;
            };
            let (Some(grantee), Some(privilege)) = (row.c2, row.c3) else {
                continue;
            };
            let name = place.fold(&database, &name);
            let grants = self.grants.entry(name.clone()).or_default();
            // `USAGE` says no more than that there is something else.
            if privilege != "USAGE" {
                grants.push(grant(&name, &grantee, &privilege, row.c5));
            }
            // It belongs to the grantee, not to a privilege.
            if row.c4.as_deref() == Some("YES") {
                let option = grant_option(&name, &grantee);
                if !grants.contains(&option) {
                    grants.push(option);
                }
            }
        }
        Ok(())
    }
}

fn grant(name: &Name, grantee: &str, privilege: &str, column: Option<String>) -> Property {
    let grantee = account(grantee);
    let on = quoted_name(name);
    let columns = column
        .as_deref()
        .map_or_else(String::new, |column| format!(" ({})", quoted_part(column)));
    Property {
        aspect: Aspect::Grant,
        what: format!("grant of {privilege}{columns} to {grantee}"),
        columns: column.into_iter().collect(),
        set: format!("GRANT {privilege}{columns} ON {on} TO {grantee}"),
        unset: format!("REVOKE {privilege}{columns} ON {on} FROM {grantee}"),
    }
}

fn grant_option(name: &Name, grantee: &str) -> Property {
    let grantee = account(grantee);
    let on = quoted_name(name);
    Property {
        aspect: Aspect::Grant,
        what: format!("grant option of {grantee}"),
        columns: Vec::new(),
        set: format!("GRANT USAGE ON {on} TO {grantee} WITH GRANT OPTION"),
        unset: format!("REVOKE GRANT OPTION ON {on} FROM {grantee}"),
    }
}
