//! What depends on views, directly or by way of others.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::QueryResult;

use super::views::{array, quoted};
use crate::backend::{Dependence, Driver, Object, ObjectKind, TextRow};

/// Edges from each given view on, in one text, and the names of relations among them.
///
/// A rule stands for the relation that it belongs to. Row types belong to their views, and arrays to
/// row types: what depends on those depends on the view. Joining names and edges here would cost
/// the square of their number, as the planner expects few.
const EDGES: &str = "\
WITH RECURSIVE edge(on_class, on_id, class, id, sub, kind, rule) AS (
  SELECT 0::oid, 0::oid, 'pg_class'::regclass::oid, to_regclass(name)::oid, 0, 'n'::\"char\", NULL::oid FROM unnest({names}) name
  UNION
  SELECT node.class, node.id, CASE WHEN w.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END, coalesce(w.ev_class, d.objid),
    d.objsubid, d.deptype, w.oid
  FROM (SELECT DISTINCT class, id FROM edge) node
  JOIN pg_depend d ON d.refclassid = node.class AND d.refobjid = node.id
    AND (d.deptype = 'n' OR d.deptype = 'i' AND d.classid = 'pg_type'::regclass)
  LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
  WHERE coalesce(w.ev_class, d.objid) <> node.id
)
SELECT string_agg(concat_ws(' ', on_class, on_id, class, id, sub, kind, rule), ',') AS c0,
  NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM edge
UNION ALL
SELECT NULL, c.oid::text, n.nspname, c.relname, c.relkind::text,
  CASE WHEN c.relpersistence = 't' AND c.relnamespace <> pg_my_temp_schema() THEN 'another session''s' END
FROM (SELECT DISTINCT id FROM edge WHERE class = 'pg_class'::regclass) e
JOIN pg_class c ON c.oid = e.id JOIN pg_namespace n ON n.oid = c.relnamespace";

/// Words for what is no view; of a function its identity, of a trigger its relation.
const OTHERS: &str = "\
SELECT o.key AS c0, pg_describe_object(o.class, o.id, o.sub) AS c1, f.proname AS c2,
  (SELECT object_names[1] || chr(31) || array_to_string(object_args, ', ') FROM pg_identify_object_as_address('pg_proc'::regclass, f.oid, 0)) AS c3,
  g.tgrelid::text AS c4, NULL AS c5
FROM (SELECT key, split_part(key, ' ', 1)::oid AS class, split_part(key, ' ', 2)::oid AS id, split_part(key, ' ', 3)::int AS sub
  FROM unnest({keys}) key) o
LEFT JOIN pg_proc f ON o.class = 'pg_proc'::regclass AND f.oid = o.id AND f.prokind <> 'a'
LEFT JOIN pg_trigger g ON o.class = 'pg_trigger'::regclass AND g.oid = o.id";

/// The numbers of catalogs never change.
const PG_CLASS: u32 = 1259;
const PG_TYPE: u32 = 1247;
const PG_REWRITE: u32 = 2618;

/// Class and number.
type Address = (u32, u32);

/// One row of the catalog.
#[derive(Clone, Copy)]
struct Edge {
    on: Address,
    by: Address,
    sub: u32,
    /// A row type of its view, or an array of its row type.
    is_part: bool,
    rule: Option<u32>,
}

/// See [`ViewCatalog::dependents`](crate::backend::ViewCatalog::dependents). Functions among them
/// have dependents of their own, under their identities.
pub(super) fn dependents(db: &mut dyn Driver, identities: &[&str]) -> QueryResult<Vec<Dependence>> {
    let names: Vec<String> = identities.iter().filter_map(|it| quoted(it)).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let rows = db.rows(&EDGES.replace("{names}", &array(names.iter().map(String::as_str))))?;
    let mut found = Found::read(rows);
    let others: Vec<String> = found.others().into_iter().collect();
    if !others.is_empty() {
        let keys = array(others.iter().map(String::as_str));
        for row in db.rows(&OTHERS.replace("{keys}", &keys))? {
            found.name(row);
        }
    }
    Ok(found.dependences())
}

#[derive(Default)]
struct Found {
    edges: Vec<Edge>,
    /// `None` for one that has no identity, or belongs to another session.
    views: HashMap<u32, Option<Object>>,
    /// By key; `None` for what a view owns.
    others: HashMap<String, Option<Object>>,
}

impl Found {
    fn read(rows: Vec<TextRow>) -> Self {
        let mut found = Self::default();
        for row in rows {
            if let Some(edges) = &row.c0 {
                found.edges.extend(edges.split(',').filter_map(edge));
            } else if let Some((oid, view)) = view(row) {
                found.views.insert(oid, view);
            }
        }
        found
    }

    /// Keys of everything that is no view.
    fn others(&self) -> BTreeSet<String> {
        let edges = self.edges.iter().filter(|edge| !edge.is_part);
        edges.filter_map(|edge| self.other(edge)).collect()
    }

    /// What to ask about: a relation that is no view is of interest for its rule or its column.
    fn other(&self, edge: &Edge) -> Option<String> {
        let (class, id) = edge.by;
        let view = self.views.get(&id).filter(|_| class == PG_CLASS);
        match (view, edge.rule) {
            (Some(Some(_)), _) => None,
            (Some(None), _) => Some(format!("{class} {id} 0")),
            (None, Some(rule)) => Some(format!("{PG_REWRITE} {rule} 0")),
            (None, None) => Some(format!("{class} {id} {}", edge.sub)),
        }
    }

    fn name(&mut self, row: TextRow) {
        let (Some(key), Some(words)) = (row.c0, row.c1) else {
            return;
        };
        let owner = row.c4.and_then(|oid| oid.parse::<u32>().ok());
        let is_owned = owner.is_some_and(|oid| self.views.contains_key(&oid));
        let identity = row.c2.zip(row.c3).and_then(|(name, rest)| {
            let (schema, types) = rest.split_once('\u{1f}')?;
            let is_plain = !schema.contains('.') && !name.contains(['.', '(']);
            is_plain.then(|| format!("{schema}.{name}({types})"))
        });
        let object = object(identity, "f", Some(words));
        self.others.insert(key, object.filter(|_| !is_owned));
    }

    /// Goes on from the given views to everything that can be gone on from.
    fn dependences(&self) -> Vec<Dependence> {
        let whole: HashMap<Address, Address> = self
            .edges
            .iter()
            .filter(|edge| edge.is_part)
            .map(|edge| (edge.by, edge.on))
            .collect();
        let mut users: HashMap<Address, Vec<&Edge>> = HashMap::new();
        for edge in self.edges.iter().filter(|edge| !edge.is_part) {
            let mut on = edge.on;
            while let Some(&of) = whole.get(&on) {
                on = of;
            }
            users.entry(on).or_default().push(edge);
        }
        let mut dependences = Vec::new();
        let mut known: HashSet<(Address, &Object)> = HashSet::new();
        let mut visited: HashSet<Address> = HashSet::new();
        let mut waiting: Vec<(Address, Option<&Object>)> = vec![((0, 0), None)];
        while let Some((on, as_object)) = waiting.pop() {
            for edge in users.get(&on).map_or(&[][..], Vec::as_slice) {
                let Some(by) = self.object(edge) else {
                    continue;
                };
                // By way of its row type.
                if edge.by == on {
                    continue;
                }
                if let Some(view) = as_object
                    && known.insert((on, by))
                {
                    dependences.push(Dependence {
                        on: view.identity.clone(),
                        by: by.clone(),
                    });
                }
                if !matches!(by.kind, ObjectKind::Other(_)) && visited.insert(edge.by) {
                    waiting.push((edge.by, Some(by)));
                }
            }
        }
        dependences
    }

    fn object(&self, edge: &Edge) -> Option<&Object> {
        match self.other(edge) {
            Some(key) => self.others.get(&key)?.as_ref(),
            None => self.views.get(&edge.by.1)?.as_ref(),
        }
    }
}

fn edge(text: &str) -> Option<Edge> {
    let mut fields = text.split(' ');
    let mut next = || fields.next();
    let mut number = || next()?.parse::<u32>().ok();
    let on = (number()?, number()?);
    let by = (number()?, number()?);
    let sub = number()?;
    Some(Edge {
        on,
        by,
        sub,
        is_part: fields.next()? == "i" && by.0 == PG_TYPE,
        rule: fields.next().and_then(|oid| oid.parse().ok()),
    })
}

/// A view, if its identity can be taken apart again, and no other session has it.
fn view(row: TextRow) -> Option<(u32, Option<Object>)> {
    let (schema, name, kind) = (row.c2?, row.c3?, row.c4?);
    let is_plain = !schema.contains('.') && !name.contains('.') && row.c5.is_none();
    let view = object(Some(format!("{schema}.{name}")), &kind, None);
    matches!(kind.as_str(), "v" | "m").then_some((row.c1?.parse().ok()?, view.filter(|_| is_plain)))
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
