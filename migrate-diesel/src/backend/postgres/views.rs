//! PostgreSQL's views: [`ViewCatalog`] for its connection, in few questions of few joins each.

use diesel::QueryResult;
use migrate_core::ViewDescriptor;

use super::{
    DIALECT, PostgresConnection, create, dependents, readers,
    snapshot::{self, Definitions},
    text,
};
use crate::backend::{Dependence, Driver, Object, ObjectKind, ReadersError, Snapshot, ViewCatalog};

impl<C: PostgresConnection> ViewCatalog for C {
    fn find(&mut self, names: &[&str]) -> QueryResult<Vec<Option<String>>> {
        let mut found = vec![None; names.len()];
        let known: Vec<(usize, String)> = names
            .iter()
            .enumerate()
            .filter_map(|(at, name)| Some((at, quoted(name)?)))
            .collect();
        if known.is_empty() {
            return Ok(found);
        }
        // The names are looked up before they are joined, or it may happen once for every relation
        // that there is; and no condition makes the planner expect few of those.
        let rows = self.rows(&format!(
            "WITH q AS MATERIALIZED (SELECT at, to_regclass(name)::oid AS oid FROM unnest({}) WITH ORDINALITY q(name, at)) \
             SELECT q.at::text AS c0, n.nspname AS c1, c.relname AS c2, c.relkind::text AS c3, NULL AS c4, NULL AS c5 \
             FROM q JOIN pg_class c ON c.oid = q.oid JOIN pg_namespace n ON n.oid = c.relnamespace",
            array(known.iter().map(|(_, name)| name.as_str())),
        ))?;
        for row in rows {
            let at = row.c0.and_then(|at| at.parse::<usize>().ok());
            let slot = at
                .and_then(|at| known.get(at.checked_sub(1)?))
                .and_then(|(at, _)| found.get_mut(*at));
            let is_view = matches!(row.c3.as_deref(), Some("v" | "m"));
            let parts = row
                .c1
                .zip(row.c2)
                .filter(|(schema, name)| is_view && !schema.contains('.') && !name.contains('.'));
            if let (Some(slot), Some((schema, name))) = (slot, parts) {
                *slot = Some(format!("{schema}.{name}"));
            }
        }
        Ok(found)
    }

    fn dependents(&mut self, identities: &[&str]) -> QueryResult<Vec<Dependence>> {
        dependents::dependents(self, identities)
    }

    fn readers(&mut self, target: &str) -> Result<Vec<Object>, ReadersError> {
        readers::readers(self, target)
    }

    fn snapshots(&mut self, objects: &[&Object]) -> QueryResult<Vec<Snapshot>> {
        snapshot::snapshots(self, objects, Definitions::Read)
    }

    fn properties(&mut self, objects: &[&Object]) -> QueryResult<Vec<Snapshot>> {
        snapshot::snapshots(self, objects, Definitions::LeftOut)
    }

    fn create(&self, view: &ViewDescriptor, old: Option<&Snapshot>) -> Result<Vec<String>, String> {
        create::create(view, old)
    }

    fn drop(&self, object: &Object) -> String {
        create::drop(object)
    }

    /// The limit that was there before is kept in a setting of ours: `SET LOCAL .. TO DEFAULT` would
    /// bring the server's back, not the session's.
    fn lock_timeout(&self, milliseconds: u64) -> Option<(String, String)> {
        Some((
            format!(
                "SELECT set_config('migrate.lock_timeout', current_setting('lock_timeout'), true), \
                 set_config('lock_timeout', '{milliseconds}ms', true)"
            ),
            "SELECT set_config('lock_timeout', current_setting('migrate.lock_timeout'), true)"
                .to_owned(),
        ))
    }

    fn blockers(&mut self, objects: &[&Object]) -> QueryResult<Vec<String>> {
        let names: Vec<String> = objects
            .iter()
            .filter(|object| matches!(object.kind, ObjectKind::View | ObjectKind::MaterializedView))
            .filter_map(|object| quoted(&object.identity))
            .collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.rows(&format!(
            "{}{}",
            array_of_objects(names.iter().map(String::as_str)),
            BLOCKERS.replace("{which}", "l.relation IN (SELECT oid FROM object)")
        ))?;
        Ok(rows.into_iter().filter_map(|row| row.c0).collect())
    }
}

/// A session that prepared its transaction and went has no pid.
const BLOCKERS: &str = r#"
SELECT coalesce('pid ' || l.pid || concat(' (',
  concat_ws(', ',
    'application `' || nullif(a.application_name, '') || '`',
    'user `' || a.usename || '`',
    CASE WHEN a.backend_type <> 'client backend' THEN a.backend_type END,
    a.state || coalesce(' for ' || greatest(0, extract(epoch FROM clock_timestamp() - a.state_change))::bigint || ' s', '')),
  ')'), 'prepared transaction `' || p.gid || '`') AS c0,
  NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5
FROM (SELECT DISTINCT l.pid, l.virtualtransaction FROM pg_locks l
  WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND {which}) l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_prepared_xacts p ON l.pid IS NULL AND l.virtualtransaction = '-1/' || p.transaction
ORDER BY l.pid"#;

/// Other sessions that hold locks on anything but the catalog.
pub(super) fn lock_holders(db: &mut dyn Driver) -> QueryResult<Vec<String>> {
    // <https://www.postgresql.org/docs/current/system-catalog-initial-data.html#SYSTEM-CATALOG-OID-ASSIGNMENT>
    let rows = db.rows(&BLOCKERS.replace("{which}", "l.relation >= 16384"))?;
    Ok(rows.into_iter().filter_map(|row| row.c0).collect())
}

/// A name as people write it, in quotes; `None` for one that cannot be.
pub(super) fn quoted(name: &str) -> Option<String> {
    let parts = name.split('.').count();
    (parts <= 2 && name.split('.').all(|part| !part.is_empty())).then(|| DIALECT.identifier(name))
}

/// `WITH object AS (SELECT oid ..)` of quoted names.
fn array_of_objects<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!(
        "WITH object AS MATERIALIZED (SELECT to_regclass(name)::oid AS oid FROM unnest({}) name)",
        array(names)
    )
}

/// An array of texts.
pub(super) fn array<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let literals: Vec<String> = texts.map(text).collect();
    format!("ARRAY[{}]::text[]", literals.join(", "))
}
