//! What depends on views, directly or by way of others.

use diesel::{PgConnection, QueryResult};

use super::views::{array, quoted};
use crate::backend::{Dependence, Driver as _, Object, ObjectKind};

/// Edges, beginning with one to each given view; then their names.
///
/// What depends on the row type of a view, or on arrays of it, depends on the view. A rule stands
/// for the view that it makes. What a view owns (rules, triggers, indexes, defaults) goes with it
/// and is none of this. Only views and functions are gone on from: what else there is stops a drop.
const EDGES: &str = "\
WITH RECURSIVE edge(on_class, on_id, class, id, sub) AS (
  SELECT NULL::oid, NULL::oid, 'pg_class'::regclass::oid, to_regclass(name)::oid, 0 FROM unnest({names}) name
  UNION
  SELECT node.class, node.id,
    CASE WHEN c.relkind IN ('v', 'm') THEN 'pg_class'::regclass ELSE d.classid END,
    CASE WHEN c.relkind IN ('v', 'm') THEN c.oid ELSE d.objid END,
    CASE WHEN c.relkind IN ('v', 'm') THEN 0 ELSE d.objsubid END
  FROM (SELECT DISTINCT class, id FROM edge) node
  CROSS JOIN LATERAL (
    SELECT node.class, node.id WHERE node.class = 'pg_proc'::regclass
    UNION ALL
    SELECT p.class, p.id FROM pg_class c JOIN pg_type t ON t.oid = c.reltype
    CROSS JOIN LATERAL (VALUES ('pg_class'::regclass::oid, c.oid), ('pg_type'::regclass, t.oid),
      ('pg_type'::regclass, t.typarray)) p(class, id)
    WHERE node.class = 'pg_class'::regclass AND c.oid = node.id AND c.relkind IN ('v', 'm')
  ) part
  JOIN pg_depend d ON d.refclassid = part.class AND d.refobjid = part.id AND d.deptype = 'n'
  LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
  LEFT JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
  LEFT JOIN pg_class c ON c.oid = coalesce(w.ev_class, CASE d.classid WHEN 'pg_class'::regclass THEN d.objid END)
  WHERE coalesce(w.ev_class, g.tgrelid, 0) <> node.id
), named AS (
  SELECT node.*, coalesce(c.relkind, 'f') AS kind,
    CASE WHEN c.relkind IN ('v', 'm') AND (c.relpersistence <> 't' OR n.oid = pg_my_temp_schema())
        AND strpos(n.nspname || c.relname, '.') = 0
      THEN n.nspname || '.' || c.relname
      WHEN f.prokind <> 'a' AND strpos(n.nspname || f.proname, '.') + strpos(n.nspname || f.proname, '(') = 0
      THEN (SELECT n.nspname || '.' || f.proname || '(' || array_to_string(object_args, ', ') || ')'
        FROM pg_identify_object_as_address('pg_proc'::regclass, f.oid, 0))
    END AS identity
  FROM (SELECT DISTINCT class, id, sub FROM edge) node
  LEFT JOIN pg_class c ON node.class = 'pg_class'::regclass AND c.oid = node.id
  LEFT JOIN pg_proc f ON node.class = 'pg_proc'::regclass AND f.oid = node.id
  LEFT JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, f.pronamespace)
)
SELECT o.identity AS c0, b.identity AS c1, b.kind::text AS c2,
  CASE WHEN b.identity IS NULL THEN pg_describe_object(b.class, b.id, b.sub) END AS c3, NULL AS c4, NULL AS c5
FROM edge
JOIN named o ON o.class = edge.on_class AND o.id = edge.on_id AND o.identity IS NOT NULL
JOIN named b ON b.class = edge.class AND b.id = edge.id AND b.sub = edge.sub";

/// See [`ViewCatalog::dependents`](crate::backend::ViewCatalog::dependents). Functions among them
/// have dependents of their own, under their identities.
pub(super) fn dependents(
    db: &mut PgConnection,
    identities: &[&str],
) -> QueryResult<Vec<Dependence>> {
    let names: Vec<String> = identities.iter().filter_map(|it| quoted(it)).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let rows = db.rows(&EDGES.replace("{names}", &array(names.iter().map(String::as_str))))?;
    let edges = rows.into_iter().filter_map(|row| {
        Some(Dependence {
            on: row.c0?,
            by: object(row.c1, row.c2.as_deref()?, row.c3)?,
        })
    });
    Ok(edges.collect())
}

/// From an identity and a kind, or from words where there is no identity.
pub(super) fn object(
    identity: Option<String>,
    kind: &str,
    words: Option<String>,
) -> Option<Object> {
    let Some(identity) = identity else {
        let words = words?;
        return Some(Object {
            identity: words.clone(),
            kind: ObjectKind::Other(words),
        });
    };
    let kind = match kind {
        "v" => ObjectKind::View,
        "m" => ObjectKind::MaterializedView,
        _ => ObjectKind::Function,
    };
    Some(Object { identity, kind })
}
