//! Everything that hangs on views: one question for what most have, another for what few have.

mod building;
mod materialized;
mod parts;
mod routine;

use std::{collections::BTreeSet, fmt::Display};

use diesel::{QueryResult, result::Error as DieselError};

use self::building::Building;
use super::views::{array, quoted};
use crate::backend::{Driver, Object, ObjectKind, Snapshot, TextRow};

/// While a question runs, texts are written so that they mean the same wherever they are read:
/// every name of ours with its schema, dates and the like in the one form that all settings accept.
/// Everything else in the question waits for `ready`.
const SETTINGS: &str = "\
WITH setting AS MATERIALIZED (
  SELECT name, current_setting(name) AS old, set_config(name, value, true) AS new
  FROM (VALUES ('search_path', 'pg_catalog'), ('DateStyle', 'ISO'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'),
    ('extra_float_digits', '3'), ('quote_all_identifiers', 'off')) s(name, value)
), ready AS MATERIALIZED (SELECT count(new) > 0 AS ready FROM setting)";

/// Runs last, as parts of a union run in order.
const SETTINGS_BACK: &str = "
UNION ALL
SELECT NULL, 'settings', count(set_config(name, old, true))::text, NULL, NULL, NULL FROM setting";

/// Names are looked up before they are joined, or it may happen once for every relation that there is.
/// What hangs on a view by itself depends on it automatically: rules, triggers, defaults, indexes,
/// statistics. `may` is about what has to be allowed for it to come back.
const FACTS: &str = ", named AS MATERIALIZED (
  SELECT q.at, to_regclass(q.name)::oid AS oid FROM ready CROSS JOIN unnest({places}, {names}) q(at, name) WHERE ready
), object AS MATERIALIZED (
  SELECT q.at, c.oid, c.relkind, c.relnamespace, c.relowner, c.relacl, c.reloptions, c.reltype
  FROM named q JOIN pg_class c ON c.oid = q.oid
)
SELECT o.at AS c0, 'object' AS c1,
  array_to_string(ARRAY[o.relkind::text, o.oid::text, pg_get_userbyid(o.relowner), array_to_string(o.reloptions, chr(31)),
    array_to_string(acldefault('r', o.relowner), chr(31)), array_to_string(o.relacl, chr(31)), o.relnamespace::text], chr(30), '') AS c2,
  a.names AS c3, {definition} AS c4, a.granted AS c5
FROM object o CROSS JOIN LATERAL (
  SELECT string_agg(a.attname, chr(31) ORDER BY a.attnum) AS names, bool_or(a.attacl IS NOT NULL)::text AS granted
  FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum > 0) a
UNION ALL
SELECT o.at, 'comment', d.objsubid::text, NULL, d.description, NULL
FROM object o JOIN pg_description d ON d.objoid = o.oid AND d.classoid = 'pg_class'::regclass
UNION ALL
SELECT o.at, 'part', d.classid::text, d.objid::text, NULL, NULL
FROM object o JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid AND d.deptype = 'a'
UNION ALL
SELECT o.at, CASE d.deptype WHEN 'e' THEN 'member' ELSE 'extension' END,
  (SELECT extname FROM pg_extension e WHERE e.oid = d.refobjid), NULL, NULL, NULL
FROM object o JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = o.oid AND d.deptype IN ('e', 'x')
UNION ALL
SELECT o.at, 'label', s.provider, NULL, NULL, NULL
FROM object o JOIN pg_seclabel s ON s.objoid = o.oid AND s.classoid = 'pg_class'::regclass
UNION ALL
SELECT o.at, 'type', array_to_string(t.typacl, chr(31)), array_to_string(acldefault('T', o.relowner), chr(31)), NULL, NULL
FROM object o JOIN pg_type t ON t.oid = o.reltype AND t.typacl IS NOT NULL
UNION ALL
SELECT NULL, 'may', pg_get_userbyid(m.relowner), m.relnamespace::text, m.relnamespace::regnamespace::text, {may}
FROM (SELECT DISTINCT relowner, relnamespace FROM object) m";

/// Of an owner `m.relowner` and a schema `m.relnamespace`: letters for what is not allowed.
const MAY: &str = "CASE WHEN current_setting('is_superuser') <> 'on' THEN concat(
  CASE WHEN NOT pg_has_role(m.relowner, 'USAGE') OR NOT pg_has_role(m.relowner,
    CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) THEN 'm' END,
  CASE WHEN NOT has_schema_privilege(m.relnamespace, 'CREATE') THEN 'c' END,
  CASE WHEN NOT has_schema_privilege(m.relowner, m.relnamespace, 'CREATE') THEN 'o' END) END";

/// Whether the texts of views are asked for, which takes a third of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Definitions {
    Read,
    LeftOut,
}

pub(super) fn snapshots(
    db: &mut dyn Driver,
    objects: &[&Object],
    definitions: Definitions,
) -> QueryResult<Vec<Snapshot>> {
    let mut found = Vec::with_capacity(objects.len());
    found.resize_with(objects.len(), || None);
    let is_function = |object: &Object| object.kind == ObjectKind::Function;
    if objects.iter().any(|object| !is_function(object)) {
        relations(db, objects, definitions, &mut found)?;
        parts::add(db, &mut found)?;
    }
    if objects.iter().any(|object| is_function(object)) {
        routine::add(db, objects, &mut found)?;
    }
    grantors(db, &mut found)?;
    let found = objects.iter().zip(found);
    let snapshots = found.map(|(object, building)| {
        let building = building.ok_or_else(|| error(format_args!("there is no {object}")))?;
        Ok(building.done())
    });
    snapshots.collect()
}

fn relations(
    db: &mut dyn Driver,
    objects: &[&Object],
    definitions: Definitions,
    found: &mut [Option<Building>],
) -> QueryResult<()> {
    let definition = match definitions {
        Definitions::Read => "pg_get_viewdef(o.oid)",
        Definitions::LeftOut => "''",
    };
    let (places, names): (Vec<String>, Vec<String>) = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| object.kind != ObjectKind::Function)
        .filter_map(|(at, object)| Some((at.to_string(), quoted(&object.identity)?)))
        .unzip();
    let facts = FACTS
        .replace("{definition}", definition)
        .replace("{places}", &array(places.iter().map(String::as_str)))
        .replace("{names}", &array(names.iter().map(String::as_str)))
        .replace("{may}", MAY);
    for mut row in db.rows(&format!("{SETTINGS}{facts}{SETTINGS_BACK}"))? {
        let kind = row.c1.take();
        if kind.as_deref() == Some("may") {
            may(found, &row);
            continue;
        }
        let at = row.c0.as_deref().and_then(|at| at.parse::<usize>().ok());
        let Some((object, slot)) = at.and_then(|at| objects.get(at).zip(found.get_mut(at))) else {
            continue;
        };
        match (kind.as_deref(), slot) {
            (Some("object"), slot) => *slot = Building::relation(object, row),
            (Some(kind), Some(building)) => building.add(kind, row),
            _ => {}
        }
    }
    Ok(())
}

fn error(message: impl Display) -> DieselError {
    DieselError::QueryBuilderError(message.to_string().into())
}

/// What the current user may not do for those of this owner in this schema.
fn may(found: &mut [Option<Building>], row: &TextRow) {
    let field = |field: &Option<String>| field.clone().unwrap_or_default();
    let (owner, number, schema) = (field(&row.c2), field(&row.c3), field(&row.c4));
    let letters = field(&row.c5);
    let theirs = found.iter_mut().flatten();
    for building in theirs.filter(|it| it.owner == owner && it.schema == number) {
        for letter in letters.chars() {
            building.lost(match letter {
                'm' => format!("it belongs to `{owner}`, a role that you are no member of"),
                'c' => format!("you may not create anything in the schema {schema}"),
                _ => format!("its owner `{owner}` may not create anything in the schema {schema}"),
            });
        }
    }
}

/// Who granted something has to do so again: rarely is that somebody else than the owner.
fn grantors(db: &mut dyn Driver, found: &mut [Option<Building>]) -> QueryResult<()> {
    let names: BTreeSet<&str> = found
        .iter()
        .flatten()
        .flat_map(|it| it.grantors.iter().map(String::as_str))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    // Whether a role can be taken on is the session user's matter.
    let rows = db.rows(&format!(
        "SELECT name AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM unnest({}) name \
         WHERE NOT pg_has_role(session_user, name, CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)",
        array(names.into_iter())
    ))?;
    for name in rows.into_iter().filter_map(|row| row.c0) {
        for building in found.iter_mut().flatten() {
            if building.grantors.contains(&name) {
                building.lost(format!(
                    "`{name}`, a role that you are no member of, granted privileges on it"
                ));
            }
        }
    }
    Ok(())
}
