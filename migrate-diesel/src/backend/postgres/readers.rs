//! Which views read a table or a column.

use super::{DIALECT, dependents::object, text, views::quoted};
use crate::backend::{Driver, Object, ReadersError};

/// The first meaning of the target that there is; what inherits from it, with it; the views whose
/// rules depend on these, or on their row types. Without a single column of a table in it, a rule
/// depends on the table as a whole (`count(*)`, but `count(users)` too).
const READERS: &str = "\
WITH RECURSIVE q AS MATERIALIZED (
  SELECT rank, to_regclass(name)::oid AS oid, col FROM (VALUES {meanings}) q(rank, name, col)
), meaning AS (
  SELECT q.rank, c.oid, q.col, a.attname FROM q JOIN pg_class c ON c.oid = q.oid AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = q.col AND a.attnum > 0 AND NOT a.attisdropped
), family AS (
  SELECT oid, attname FROM (SELECT oid, attname FROM meaning WHERE col IS NULL OR attname IS NOT NULL ORDER BY rank LIMIT 1) m
  UNION SELECT i.inhrelid, family.attname FROM family JOIN pg_inherits i ON i.inhparent = family.oid
), part AS (
  SELECT p.class, p.id, p.sub FROM family JOIN pg_class c ON c.oid = family.oid JOIN pg_type t ON t.oid = c.reltype
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = family.attname
  CROSS JOIN LATERAL (VALUES ('pg_class'::regclass::oid, c.oid, a.attnum), ('pg_type'::regclass, t.oid, NULL),
    ('pg_type'::regclass, t.typarray, NULL)) p(class, id, sub)
), reader AS (
  SELECT DISTINCT coalesce(w.ev_class, d.objid) AS oid FROM part
  JOIN pg_depend d ON d.refclassid = part.class AND d.refobjid = part.id AND d.deptype = 'n'
    AND (part.sub IS NULL OR d.refobjsubid IN (0, part.sub)) AND d.classid IN ('pg_rewrite'::regclass, 'pg_class'::regclass)
  LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
)
SELECT 'meaning' AS c0, CASE WHEN col IS NULL OR attname IS NOT NULL THEN 'yes' END AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5
FROM meaning
UNION ALL
SELECT 'reader', CASE WHEN strpos(n.nspname || c.relname, '.') = 0 AND (c.relpersistence <> 't' OR n.oid = pg_my_temp_schema())
  THEN n.nspname || '.' || c.relname END, c.relkind::text, pg_describe_object('pg_class'::regclass, c.oid, 0), NULL, NULL
FROM reader JOIN pg_class c ON c.oid = reader.oid AND c.relkind IN ('v', 'm') JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid NOT IN (SELECT oid FROM family)
ORDER BY 1, 2";

/// What `app.users` and the like can mean, the likelier first: a table, and a column of it.
fn meanings(target: &str) -> Vec<(String, Option<&str>)> {
    let mut meanings = Vec::new();
    if let Some(table) = quoted(target) {
        meanings.push((table, None));
    }
    if let Some((table, column)) = target.rsplit_once('.')
        && let Some(table) = quoted(table)
    {
        meanings.push((table, Some(column)));
    }
    meanings
}

pub(super) fn readers(db: &mut dyn Driver, target: &str) -> Result<Vec<Object>, ReadersError> {
    let meanings: Vec<String> = meanings(target)
        .iter()
        .enumerate()
        .map(|(rank, (table, column))| {
            format!(
                "({rank}, {}, {}::text)",
                text(table),
                DIALECT.optional_text(*column)
            )
        })
        .collect();
    if meanings.is_empty() {
        return Err(ReadersError::NotThere(format!(
            "`{target}` is no name of a table or a column"
        )));
    }
    let rows = db.rows(&READERS.replace("{meanings}", &meanings.join(", ")))?;
    let meant = |it: &&crate::backend::TextRow| it.c0.as_deref() == Some("meaning");
    if !rows.iter().filter(meant).any(|row| row.c1.is_some()) {
        let has_table = rows.iter().any(|row| meant(&row));
        return Err(ReadersError::NotThere(not_there(db, target, has_table)?));
    }
    Ok(rows
        .into_iter()
        .filter(|row| !meant(&row))
        .filter_map(|row| object(row.c1, row.c2.as_deref()?, row.c3))
        .collect())
}

/// Why there is none, and what was meant if only the case differs or the schema is not in the
/// search path.
fn not_there(db: &mut dyn Driver, target: &str, has_table: bool) -> Result<String, ReadersError> {
    let (before, last) = target.rsplit_once('.').unwrap_or(("", target));
    let (what, near) = if has_table {
        (
            format!("table `{before}` has no column `{last}`"),
            format!(
                "SELECT attname::text AS c0 FROM pg_attribute WHERE attrelid = to_regclass({}) \
                 AND lower(attname) = lower({}) AND attnum > 0 AND NOT attisdropped",
                text(&DIALECT.identifier(before)),
                text(last)
            ),
        )
    } else {
        let beside = if before.is_empty() {
            ""
        } else {
            ", nor a table that has it as a column"
        };
        (
            format!("there is no table `{target}`{beside}"),
            format!(
                "SELECT n.nspname || '.' || c.relname AS c0 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE lower(c.relname) IN (lower({}), lower({})) AND c.relkind IN ('r', 'p', 'f', 'v', 'm')",
                text(last),
                text(before.rsplit('.').next().unwrap_or(before))
            ),
        )
    };
    let rows = db.rows(&format!(
        "SELECT c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM ({near}) near ORDER BY c0 LIMIT 3"
    ))?;
    let near: Vec<String> = rows
        .into_iter()
        .filter_map(|row| row.c0)
        .map(|name| format!("`{name}`"))
        .collect();
    Ok(if near.is_empty() {
        what
    } else {
        format!("{what}; there is {}", near.join(", "))
    })
}
