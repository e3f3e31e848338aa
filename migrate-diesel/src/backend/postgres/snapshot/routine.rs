//! Functions and procedures: those that take or return rows of a view, or read one in a body that the
//! database keeps parsed.

use std::collections::BTreeSet;

use diesel::QueryResult;

use super::{Building, MAY, SETTINGS, SETTINGS_BACK, may};
use crate::backend::{
    Aspect, Driver, Object, ObjectKind, Snapshot, TextRow,
    postgres::{create::routine, text, views::array},
};

const FACTS: &str = ", named AS MATERIALIZED (
  SELECT q.at, to_regprocedure(q.name)::oid AS oid FROM ready CROSS JOIN unnest({places}, {names}) q(at, name) WHERE ready
), object AS MATERIALIZED (
  SELECT q.at, f.oid, f.proowner AS relowner, f.proacl, f.pronamespace AS relnamespace, f.proleakproof, f.prolang
  FROM named q JOIN pg_proc f ON f.oid = q.oid AND f.prokind <> 'a'
)
SELECT o.at AS c0, 'object' AS c1, array_to_string(ARRAY[o.oid::text, pg_get_userbyid(o.relowner),
  array_to_string(acldefault('f', o.relowner), chr(31)), array_to_string(o.proacl, chr(31)), o.relnamespace::text], chr(30), '') AS c2,
  CASE WHEN current_setting('is_superuser') = 'on' THEN NULL
    WHEN o.proleakproof THEN 'it is leakproof, which only a superuser may say'
    WHEN NOT has_language_privilege(o.prolang, 'USAGE') THEN format('you may not use its language `%s`', l.lanname)
    WHEN NOT l.lanpltrusted THEN format('its language `%s` is for superusers', l.lanname) END AS c3,
  pg_get_functiondef(o.oid) AS c4, NULL AS c5
FROM object o JOIN pg_language l ON l.oid = o.prolang
UNION ALL
SELECT o.at, 'comment', NULL, NULL, d.description, NULL
FROM object o JOIN pg_description d ON d.objoid = o.oid AND d.classoid = 'pg_proc'::regclass
UNION ALL
SELECT o.at, CASE d.deptype WHEN 'e' THEN 'member' ELSE 'extension' END, e.extname, NULL, NULL, NULL
FROM object o JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = o.oid AND d.deptype IN ('e', 'x')
JOIN pg_extension e ON e.oid = d.refobjid
UNION ALL
SELECT o.at, 'label', s.provider, NULL, NULL, NULL
FROM object o JOIN pg_seclabel s ON s.objoid = o.oid AND s.classoid = 'pg_proc'::regclass
UNION ALL
SELECT NULL, 'may', pg_get_userbyid(m.relowner), m.relnamespace::text, m.relnamespace::regnamespace::text, {may}
FROM (SELECT DISTINCT relowner, relnamespace FROM object) m";

pub(super) fn add(
    db: &mut dyn Driver,
    objects: &[&Object],
    found: &mut [Option<Building>],
) -> QueryResult<()> {
    let (places, names): (Vec<String>, Vec<String>) = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| object.kind == ObjectKind::Function)
        .map(|(at, object)| (at.to_string(), routine(&object.identity)))
        .unzip();
    let facts = FACTS
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
            (Some("object"), slot) => *slot = function(object, row),
            (Some("comment"), Some(building)) => {
                let on = format!("ROUTINE {}", building.name);
                building.property(
                    Aspect::Comment,
                    "comment",
                    None,
                    format!("COMMENT ON {on} IS {}", text(&row.c4.unwrap_or_default())),
                    format!("COMMENT ON {on} IS NULL"),
                );
            }
            (Some(kind), Some(building)) => building.add(kind, row),
            _ => {}
        }
    }
    Ok(())
}

fn function(object: &Object, row: TextRow) -> Option<Building> {
    let facts = row.c2?;
    let facts: Vec<&str> = facts.split('\u{1e}').collect();
    let &[oid, owner, default, list, schema] = facts.as_slice() else {
        return None;
    };
    let name = routine(&object.identity);
    let mut building = Building {
        snapshot: Snapshot {
            object: object.clone(),
            columns: Vec::new(),
            create: String::new(),
            properties: Vec::new(),
            lost: row.c3.into_iter().collect(),
        },
        properties: Vec::new(),
        oid: oid.to_owned(),
        owner: owner.to_owned(),
        schema: schema.to_owned(),
        name,
        word: "ROUTINE",
        create: (row.c4?.trim_end().to_owned(), String::new()),
        parts: BTreeSet::new(),
        has_column_grants: false,
        grantors: BTreeSet::new(),
    };
    building.owned();
    let on = format!("ROUTINE {}", building.name);
    building.grant_list(list, default, &on, "", None);
    Some(building)
}
