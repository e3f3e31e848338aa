//! Everything that hangs on views: one question for what most have, another for what few have.

mod parts;
mod routine;

use std::{collections::BTreeSet, fmt::Display};

use diesel::{PgConnection, QueryResult, result::Error as DieselError};

use super::{
    DIALECT,
    acl::{self, Securable, UNIT, quote},
    text,
    views::{array, quoted},
};
use crate::backend::{Aspect, Driver as _, Object, ObjectKind, Property, Snapshot, TextRow};

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

/// What hangs on a view by itself depends on it automatically: rules, triggers, defaults, indexes,
/// statistics. `may` is about what has to be allowed for it to come back.
const FACTS: &str = ", object AS MATERIALIZED (
  SELECT q.at, c.oid, c.relkind, c.relnamespace, c.relowner, c.relacl, c.reloptions, c.reltype
  FROM ready CROSS JOIN unnest({places}, {names}) q(at, name)
  JOIN pg_class c ON c.oid = CASE WHEN ready THEN to_regclass(q.name) END AND c.relkind IN ('v', 'm')
)
SELECT o.at AS c0, 'object' AS c1,
  array_to_string(ARRAY[o.relkind::text, o.oid::text, pg_get_userbyid(o.relowner), array_to_string(o.reloptions, chr(31)),
    array_to_string(acldefault('r', o.relowner), chr(31)), array_to_string(o.relacl, chr(31)), o.relnamespace::text], chr(30), '') AS c2,
  a.names AS c3, pg_get_viewdef(o.oid) AS c4, a.granted AS c5
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

pub(super) fn snapshots(db: &mut PgConnection, objects: &[&Object]) -> QueryResult<Vec<Snapshot>> {
    let mut found = Vec::with_capacity(objects.len());
    found.resize_with(objects.len(), || None);
    let is_function = |object: &Object| object.kind == ObjectKind::Function;
    if objects.iter().any(|object| !is_function(object)) {
        relations(db, objects, &mut found)?;
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
    db: &mut PgConnection,
    objects: &[&Object],
    found: &mut [Option<Building>],
) -> QueryResult<()> {
    let (places, names): (Vec<String>, Vec<String>) = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| object.kind != ObjectKind::Function)
        .filter_map(|(at, object)| Some((at.to_string(), quoted(&object.identity)?)))
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

/// A snapshot, and what is needed to complete it.
#[derive(Debug)]
struct Building {
    snapshot: Snapshot,
    /// With their turns within an aspect.
    properties: Vec<(usize, Property)>,
    oid: String,
    owner: String,
    schema: String,
    /// As it stands in statements.
    name: String,
    word: &'static str,
    /// What came before `AS`, and what after it.
    create: (String, String),
    /// Class and number of what hangs on it.
    parts: BTreeSet<(String, String)>,
    has_column_grants: bool,
    /// Others than the owner, who granted something.
    grantors: BTreeSet<String>,
}

impl Building {
    fn relation(object: &Object, row: TextRow) -> Option<Self> {
        let facts = row.c2?;
        let facts: Vec<&str> = facts.split('\u{1e}').collect();
        let &[kind, oid, owner, options, default, list, schema] = facts.as_slice() else {
            return None;
        };
        let (kind, word) = match kind {
            "m" => (ObjectKind::MaterializedView, "MATERIALIZED VIEW"),
            _ => (ObjectKind::View, "VIEW"),
        };
        let name = DIALECT.identifier(&object.identity);
        let query = row.c4?;
        let mut building = Self {
            snapshot: Snapshot {
                object: Object {
                    identity: object.identity.clone(),
                    kind,
                },
                columns: split(row.c3.as_deref().unwrap_or_default()),
                create: String::new(),
                properties: Vec::new(),
                lost: Vec::new(),
            },
            properties: Vec::new(),
            oid: oid.to_owned(),
            owner: owner.to_owned(),
            schema: schema.to_owned(),
            create: (
                format!("CREATE {word} {name}"),
                query.trim_end().trim_end_matches(';').to_owned(),
            ),
            name,
            word,
            parts: BTreeSet::new(),
            has_column_grants: row.c5.as_deref() == Some("true"),
            grantors: BTreeSet::new(),
        };
        building.owned();
        for option in split(options) {
            let (key, value) = option.split_once('=').unwrap_or((&option, "true"));
            building.option(key, value);
        }
        building.grants(list, default, None);
        Some(building)
    }

    fn add(&mut self, kind: &str, row: TextRow) {
        match kind {
            "comment" => self.comment(row),
            "part" => {
                let part = row.c2.zip(row.c3);
                self.parts.extend(part);
            }
            "member" => {
                let extension = row.c2.unwrap_or_default();
                self.lost(format!("it belongs to the extension `{extension}`"));
            }
            "extension" => {
                let extension = row.c2.unwrap_or_default();
                let what = format!("dependence on extension {extension}");
                let (word, name) = (self.word, &self.name);
                let set = format!(
                    "ALTER {word} {name} DEPENDS ON EXTENSION {}",
                    quote(&extension)
                );
                self.property(Aspect::Comment, &what, None, set, String::new());
            }
            "label" => {
                let provider = row.c2.unwrap_or_default();
                self.lost(format!("it has a security label of `{provider}`"));
            }
            "type" => {
                let (list, default) = (row.c2.unwrap_or_default(), row.c3.unwrap_or_default());
                self.grant_list(
                    &list,
                    &default,
                    &format!("TYPE {}", self.name),
                    " on its row type",
                    None,
                );
            }
            _ => {}
        }
    }

    /// Without a list nothing differs from the default.
    fn grants(&mut self, list: &str, default: &str, column: Option<&str>) {
        let words = column.map_or_else(String::new, |column| format!(" on column {column}"));
        self.grant_list(list, default, &self.name.clone(), &words, column);
    }

    fn grant_list(
        &mut self,
        list: &str,
        default: &str,
        on: &str,
        words: &str,
        column: Option<&str>,
    ) {
        if list.is_empty() {
            return;
        }
        if !acl::is_known(list) {
            self.lost("it has a privilege of a kind that is not known here".to_owned());
        }
        let securable = Securable {
            on,
            words,
            column,
            owner: &self.owner,
        };
        self.properties
            .extend(acl::grants(list, default, securable));
        self.grantors.extend(acl::grantors(list, &self.owner));
    }

    fn owned(&mut self) {
        let set = format!(
            "ALTER {} {} OWNER TO {}",
            self.word,
            self.name,
            quote(&self.owner)
        );
        self.property(Aspect::Owner, "owner", None, set, String::new());
    }

    fn option(&mut self, key: &str, value: &str) {
        let (word, name) = (self.word, &self.name);
        let set = format!("ALTER {word} {name} SET ({key} = {})", text(value));
        let unset = format!("ALTER {word} {name} RESET ({key})");
        self.property(Aspect::Options, &format!("option {key}"), None, set, unset);
    }

    fn comment(&mut self, row: TextRow) {
        let column = row.c2.and_then(|number| self.column(&number));
        let (what, on) = match &column {
            Some(column) => (
                format!("comment on column {column}"),
                format!("COLUMN {}.{}", self.name, quote(column)),
            ),
            None => ("comment".to_owned(), format!("{} {}", self.word, self.name)),
        };
        let set = format!("COMMENT ON {on} IS {}", text(&row.c4.unwrap_or_default()));
        let unset = format!("COMMENT ON {on} IS NULL");
        self.property(Aspect::Comment, &what, column, set, unset);
    }

    /// By its number; views never lose one, so that there are no gaps.
    fn column(&self, number: &str) -> Option<String> {
        let at = number.parse::<usize>().ok()?.checked_sub(1)?;
        self.snapshot.columns.get(at).cloned()
    }

    fn property(
        &mut self,
        aspect: Aspect,
        what: &str,
        column: Option<String>,
        set: String,
        unset: String,
    ) {
        self.later(0, aspect, what, column, set, unset);
    }

    /// One whose turn comes after others of its aspect.
    fn later(
        &mut self,
        turn: usize,
        aspect: Aspect,
        what: &str,
        columns: impl IntoIterator<Item = String>,
        set: String,
        unset: String,
    ) {
        let property = Property {
            aspect,
            what: what.to_owned(),
            columns: columns.into_iter().collect(),
            set,
            unset,
        };
        self.properties.push((turn, property));
    }

    fn lost(&mut self, clause: String) {
        if !self.snapshot.lost.contains(&clause) {
            self.snapshot.lost.push(clause);
        }
    }

    fn done(self) -> Snapshot {
        let Self {
            mut snapshot,
            mut properties,
            create: (head, body),
            ..
        } = self;
        let (head, body, end) = match snapshot.object.kind {
            ObjectKind::Function => (head.as_str(), "", ""),
            ObjectKind::MaterializedView => (head.as_str(), body.as_str(), "\n WITH NO DATA"),
            _ => (head.as_str(), body.as_str(), ""),
        };
        snapshot.create = if body.is_empty() {
            head.to_owned()
        } else {
            format!("{head} AS\n{body}{end}")
        };
        properties.sort_by(|(turn, a), (other, b)| {
            (a.aspect, turn, &a.what).cmp(&(b.aspect, other, &b.what))
        });
        snapshot.properties = properties
            .into_iter()
            .map(|(_, property)| property)
            .collect();
        snapshot
    }
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
fn grantors(db: &mut PgConnection, found: &mut [Option<Building>]) -> QueryResult<()> {
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

fn split(list: &str) -> Vec<String> {
    let items = list.split(UNIT).filter(|it| !it.is_empty());
    items.map(str::to_owned).collect()
}
