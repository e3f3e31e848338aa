//! Everything that hangs on views, in one question; a second one where something rare does.

use std::fmt::Display;

use diesel::{PgConnection, QueryResult, result::Error as DieselError};

use super::{
    DIALECT,
    acl::{self, Securable, UNIT, quote},
    text,
    views::{array, quoted},
};
use crate::backend::{Aspect, Driver as _, Object, ObjectKind, Property, Snapshot, TextRow};

/// While the question runs, texts are written so that they mean the same wherever they are read:
/// every name of ours with its schema, dates and the like in the one form that all settings accept.
/// The objects wait for the settings, everything else for the objects.
const OBJECTS: &str = "\
WITH setting AS MATERIALIZED (
  SELECT name, current_setting(name) AS old, set_config(name, value, true) AS new
  FROM (VALUES ('search_path', 'pg_catalog'), ('DateStyle', 'ISO'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'),
    ('extra_float_digits', '3'), ('quote_all_identifiers', 'off')) s(name, value)
), object AS MATERIALIZED (
  SELECT q.at::text AS at, c.oid, c.relkind, c.relnamespace, c.relowner, c.relacl, c.reloptions, c.reltype, c.relhastriggers
  FROM (SELECT count(new) AS ready FROM setting) s CROSS JOIN unnest({names}) WITH ORDINALITY q(name, at)
  JOIN pg_class c ON c.oid = CASE WHEN s.ready > 0 THEN to_regclass(q.name) END AND c.relkind IN ('v', 'm')
)";

const FACTS: &str = "
SELECT o.at AS c0, 'object' AS c1,
  array_to_string(ARRAY[o.relkind::text, pg_get_userbyid(o.relowner), array_to_string(o.reloptions, chr(31)),
    array_to_string(acldefault('r', o.relowner), chr(31)), array_to_string(o.relacl, chr(31))], chr(30), '') AS c2,
  a.names AS c3, pg_get_viewdef(o.oid) AS c4, NULL AS c5
FROM object o CROSS JOIN LATERAL (
  SELECT string_agg(a.attname, chr(31) ORDER BY a.attnum) AS names
  FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attnum > 0) a
UNION ALL
SELECT o.at, 'comment', d.objsubid::text, NULL, d.description, NULL
FROM object o JOIN pg_description d ON d.objoid = o.oid AND d.classoid = 'pg_class'::regclass";

/// Runs last, as parts of a union run in order.
const SETTINGS_BACK: &str = "
UNION ALL
SELECT NULL, 'settings', count(set_config(name, old, true))::text, NULL, NULL, NULL FROM setting";

pub(super) fn snapshots(db: &mut PgConnection, objects: &[&Object]) -> QueryResult<Vec<Snapshot>> {
    let names: Vec<String> = objects
        .iter()
        .map(|object| quoted(&object.identity).unwrap_or_default())
        .collect();
    let objects_sql = OBJECTS.replace("{names}", &array(names.iter().map(String::as_str)));
    let mut found: Vec<Option<Snapshot>> = vec![None; objects.len()];
    for row in db.rows(&format!("{objects_sql}{FACTS}{SETTINGS_BACK}"))? {
        let at = row.c0.as_deref().and_then(|at| at.parse::<usize>().ok());
        let slot =
            at.and_then(|at| Some((objects.get(at.checked_sub(1)?)?, found.get_mut(at - 1)?)));
        let Some((object, slot)) = slot else { continue };
        match (row.c1.as_deref(), slot) {
            (Some("object"), slot) => *slot = facts(object, row),
            (Some("comment"), Some(snapshot)) => comment(snapshot, row),
            _ => {}
        }
    }
    let snapshots = objects.iter().zip(found).map(|(object, snapshot)| {
        let mut snapshot = snapshot.ok_or_else(|| error(format_args!("there is no {object}")))?;
        snapshot.properties.sort_by_key(|property| property.aspect);
        Ok(snapshot)
    });
    snapshots.collect()
}

fn error(message: impl Display) -> DieselError {
    DieselError::QueryBuilderError(message.to_string().into())
}

fn facts(object: &Object, row: TextRow) -> Option<Snapshot> {
    let columns: Vec<String> = split(&row.c3.unwrap_or_default());
    let facts = row.c2?;
    let mut facts = facts.split('\u{1e}');
    let kind = match facts.next()? {
        "m" => ObjectKind::MaterializedView,
        _ => ObjectKind::View,
    };
    let (owner, options, default, list) =
        (facts.next()?, facts.next()?, facts.next()?, facts.next()?);
    let name = DIALECT.identifier(&object.identity);
    let word = word(&kind);
    let mut properties = vec![Property {
        aspect: Aspect::Owner,
        what: "owner".to_owned(),
        columns: Vec::new(),
        set: format!("ALTER {word} {name} OWNER TO {}", quote(owner)),
        unset: String::new(),
    }];
    for option in split(options) {
        let (key, value) = option.split_once('=').unwrap_or((&option, "true"));
        properties.push(Property {
            aspect: Aspect::Options,
            what: format!("option {key}"),
            columns: Vec::new(),
            set: format!("ALTER {word} {name} SET ({key} = {})", text(value)),
            unset: format!("ALTER {word} {name} RESET ({key})"),
        });
    }
    if !list.is_empty() {
        let securable = Securable {
            on: &name,
            words: "",
            column: None,
            owner,
        };
        properties.extend(acl::grants(list, default, securable));
    }
    let query = row.c4?;
    let query = query.trim_end().trim_end_matches(';');
    let (using, end) = match kind {
        ObjectKind::MaterializedView => ("", "\n WITH NO DATA"),
        _ => ("", ""),
    };
    Some(Snapshot {
        object: Object {
            identity: object.identity.clone(),
            kind,
        },
        columns,
        create: format!("CREATE {word} {name}{using} AS\n{query}{end}"),
        properties,
        lost: Vec::new(),
    })
}

fn comment(snapshot: &mut Snapshot, row: TextRow) {
    let number: usize = row.c2.and_then(|number| number.parse().ok()).unwrap_or(0);
    let column = number
        .checked_sub(1)
        .and_then(|at| snapshot.columns.get(at))
        .cloned();
    let name = DIALECT.identifier(&snapshot.object.identity);
    let (what, on) = match &column {
        Some(column) => (
            format!("comment on column {column}"),
            format!("COLUMN {name}.{}", quote(column)),
        ),
        None => (
            "comment".to_owned(),
            format!("{} {name}", word(&snapshot.object.kind)),
        ),
    };
    snapshot.properties.push(Property {
        aspect: Aspect::Comment,
        what,
        columns: column.into_iter().collect(),
        set: format!("COMMENT ON {on} IS {}", text(&row.c4.unwrap_or_default())),
        unset: format!("COMMENT ON {on} IS NULL"),
    });
}

const fn word(kind: &ObjectKind) -> &'static str {
    match kind {
        ObjectKind::MaterializedView => "MATERIALIZED VIEW",
        _ => "VIEW",
    }
}

fn split(list: &str) -> Vec<String> {
    list.split(UNIT)
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}
