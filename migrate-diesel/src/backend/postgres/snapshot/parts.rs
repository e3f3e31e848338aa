//! What few views have: triggers, rules, defaults, indexes, statistics, grants on columns; and what
//! only materialized views have.

use std::collections::{BTreeMap, HashMap};

use diesel::QueryResult;

use super::{Building, SETTINGS, SETTINGS_BACK};
use crate::backend::{
    Aspect, Driver, ObjectKind, TextRow,
    postgres::{
        acl::{UNIT, quote},
        text,
        views::array,
    },
};

/// `relation(at, oid)` and `part(at, relid, class, oid)`.
const GIVEN: &str = ", relation AS MATERIALIZED (
  SELECT r.at, r.oid FROM ready CROSS JOIN unnest({ats}, {oids}::oid[]) r(at, oid) WHERE ready
), part AS MATERIALIZED (
  SELECT p.at, r.oid AS relid, p.class, p.oid FROM unnest({part_ats}, {classes}::oid[], {part_oids}::oid[]) p(at, class, oid)
  JOIN relation r ON r.at = p.at
)";

/// Some catalogs have columns that older servers have not: those are asked for by way of JSON.
const RELATIONS: &str = "
SELECT r.at AS c0, 'grants' AS c1, a.attnum::text AS c2, array_to_string(a.attacl, chr(31)) AS c3, NULL AS c4, NULL AS c5
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND a.attacl IS NOT NULL
UNION ALL
SELECT r.at, 'matview', am.amname, concat(t.spcname, chr(31), (SELECT spcname FROM pg_tablespace d WHERE d.oid =
    (SELECT dattablespace FROM pg_database WHERE datname = current_database()))),
  array_to_string(x.reloptions, chr(31)), concat(c.relispopulated::text, c.relreplident)
FROM relation r JOIN pg_class c ON c.oid = r.oid AND c.relkind = 'm' JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace LEFT JOIN pg_class x ON x.oid = c.reltoastrelid
UNION ALL
SELECT r.at, 'column', a.attnum::text, nullif(a.attstattarget, -1)::text,
  concat(CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END, chr(31), t.typstorage, chr(31), to_jsonb(a) ->> 'attcompression'),
  array_to_string(a.attoptions, chr(31))
FROM relation r JOIN pg_class c ON c.oid = r.oid AND c.relkind = 'm'
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 JOIN pg_type t ON t.oid = a.atttypid";

/// The parts themselves come before what hangs on them.
const PARTS: &str = "
UNION ALL
SELECT p.at, 'trigger', t.oid::text, t.tgname, pg_get_triggerdef(p.oid), t.tgenabled::text
FROM part p JOIN pg_trigger t ON p.class = 'pg_trigger'::regclass AND t.oid = p.oid AND NOT t.tgisinternal
UNION ALL
SELECT p.at, 'rule', w.oid::text, w.rulename, rtrim(pg_get_ruledef(p.oid), ';'), w.ev_enabled::text
FROM part p JOIN pg_rewrite w ON p.class = 'pg_rewrite'::regclass AND w.oid = p.oid
UNION ALL
SELECT p.at, 'default', d.oid::text, d.adnum::text, pg_get_expr(d.adbin, p.relid), NULL
FROM part p JOIN pg_attrdef d ON p.class = 'pg_attrdef'::regclass AND d.oid = p.oid
UNION ALL
SELECT p.at, 'index', c.oid::text, n.nspname || chr(31) || c.relname, pg_get_indexdef(p.oid),
  concat(CASE WHEN i.indisclustered THEN 'c' END, chr(31), t.spcname, chr(31),
    (SELECT spcname FROM pg_tablespace d WHERE d.oid = (SELECT dattablespace FROM pg_database WHERE datname = current_database())))
FROM part p JOIN pg_index i ON p.class = 'pg_class'::regclass AND i.indexrelid = p.oid
JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
UNION ALL
SELECT p.at, 'statistics', s.oid::text, n.nspname || chr(31) || s.stxname, pg_get_statisticsobjdef(p.oid),
  concat(pg_get_userbyid(s.stxowner), chr(31), nullif(to_jsonb(s) ->> 'stxstattarget', '-1'))
FROM part p JOIN pg_statistic_ext s ON p.class = 'pg_statistic_ext'::regclass AND s.oid = p.oid
JOIN pg_namespace n ON n.oid = s.stxnamespace
UNION ALL
SELECT p.at, 'other', NULL, NULL, pg_describe_object(p.class, p.oid, 0), NULL
FROM part p LEFT JOIN pg_class c ON p.class = 'pg_class'::regclass AND c.oid = p.oid
WHERE p.class NOT IN ('pg_trigger'::regclass, 'pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_statistic_ext'::regclass)
AND c.relkind IS DISTINCT FROM 'i'
UNION ALL
SELECT p.at, 'uses', p.oid::text, d.refobjsubid::text, NULL, NULL
FROM part p JOIN pg_depend d ON d.classid = p.class AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass
AND d.refobjid = p.relid AND d.refobjsubid > 0
UNION ALL
SELECT p.at, 'note', p.oid::text, NULL, d.description, NULL
FROM part p JOIN pg_description d ON d.classoid = p.class AND d.objoid = p.oid AND d.objsubid = 0
UNION ALL
SELECT p.at, 'extension', p.oid::text, e.extname, NULL, NULL
FROM part p JOIN pg_depend d ON d.classid = p.class AND d.objid = p.oid AND d.deptype = 'x' JOIN pg_extension e ON e.oid = d.refobjid
UNION ALL
SELECT p.at, 'target', p.oid::text, a.attnum::text, a.attstattarget::text, NULL
FROM part p JOIN pg_attribute a ON p.class = 'pg_class'::regclass AND a.attrelid = p.oid AND a.attstattarget >= 0";

/// Asks only about views that have some of it.
pub(super) fn add(db: &mut dyn Driver, found: &mut [Option<Building>]) -> QueryResult<()> {
    let with_more: Vec<(String, &Building)> = found
        .iter()
        .enumerate()
        .filter_map(|(at, building)| Some((at.to_string(), building.as_ref()?)))
        .filter(|(_, it)| {
            let materialized = it.snapshot.object.kind == ObjectKind::MaterializedView;
            materialized || it.has_column_grants || !it.parts.is_empty()
        })
        .collect();
    if with_more.is_empty() {
        return Ok(());
    }
    let parts: Vec<(&str, &str, &str)> = with_more
        .iter()
        .flat_map(|(at, it)| {
            let parts = it.parts.iter();
            parts.map(|(class, oid)| (at.as_str(), class.as_str(), oid.as_str()))
        })
        .collect();
    let given = GIVEN
        .replace("{ats}", &array(with_more.iter().map(|(at, _)| at.as_str())))
        .replace(
            "{oids}",
            &array(with_more.iter().map(|(_, it)| it.oid.as_str())),
        )
        .replace("{part_ats}", &array(parts.iter().map(|it| it.0)))
        .replace("{classes}", &array(parts.iter().map(|it| it.1)))
        .replace("{part_oids}", &array(parts.iter().map(|it| it.2)));
    let of_parts = if parts.is_empty() { "" } else { PARTS };
    let sql = format!("{SETTINGS}{given}{RELATIONS}{of_parts}{SETTINGS_BACK}");
    let mut rows: BTreeMap<usize, Vec<TextRow>> = BTreeMap::new();
    for row in db.rows(&sql)? {
        if let Some(at) = row.c0.as_deref().and_then(|at| at.parse().ok()) {
            rows.entry(at).or_default().push(row);
        }
    }
    for (at, rows) in rows {
        if let Some(Some(building)) = found.get_mut(at) {
            let mut parts = Parts::new(building, &rows);
            for row in rows {
                parts.add(row);
            }
        }
    }
    Ok(())
}

/// What hangs on one view.
struct Parts<'b> {
    building: &'b mut Building,
    /// Columns that each part needs, by its number.
    columns: HashMap<String, Vec<String>>,
    /// Parts that came by, by number.
    named: HashMap<String, Named>,
}

/// A part of a view that may have things of its own.
#[derive(Clone)]
struct Named {
    aspect: Aspect,
    /// `index i`
    what: String,
    /// `INDEX "app"."i"`, as it stands in statements.
    name: String,
}

impl<'b> Parts<'b> {
    fn new(building: &'b mut Building, rows: &[TextRow]) -> Self {
        let mut columns: HashMap<String, Vec<String>> = HashMap::new();
        for row in rows.iter().filter(|row| row.c1.as_deref() == Some("uses")) {
            let column = row.c3.as_deref().and_then(|it| building.column(it));
            if let (Some(oid), Some(column)) = (&row.c2, column) {
                columns.entry(oid.clone()).or_default().push(column);
            }
        }
        for list in columns.values_mut() {
            list.sort();
            list.dedup();
        }
        Self {
            building,
            columns,
            named: HashMap::new(),
        }
    }

    fn add(&mut self, row: TextRow) {
        let [kind, c2, c3, c4, c5] =
            [row.c1, row.c2, row.c3, row.c4, row.c5].map(Option::unwrap_or_default);
        match kind.as_str() {
            "grants" => {
                if let Some(column) = self.building.column(&c2) {
                    self.building.grants(&c3, "", Some(&column));
                }
            }
            "matview" => self.building.materialized(&c2, &c3, &c4, &c5),
            "column" => self.building.stored_column(&c2, &c3, &c4, &c5),
            "trigger" => self.on_view(c2, Aspect::Trigger, &c3, c4, &c5),
            "rule" => self.on_view(c2, Aspect::Rule, &c3, c4, &c5),
            "default" => self.default(&c3, &c4),
            "index" => self.index(&c2, &c3, c4, &c5),
            "statistics" => self.statistics(&c2, &c3, c4, &c5),
            "note" => self.on_part(&c2, |part| {
                (
                    format!("comment on {}", part.what),
                    format!("COMMENT ON {} IS {}", part.name, text(&c4)),
                )
            }),
            "extension" => self.on_part(&c2, |part| {
                (
                    format!("dependence of {} on extension {c3}", part.what),
                    format!("ALTER {} DEPENDS ON EXTENSION {}", part.name, quote(&c3)),
                )
            }),
            "target" => self.on_part(&c2, |part| {
                (
                    format!("statistics target of column {c3} of {}", part.what),
                    format!("ALTER {} ALTER COLUMN {c3} SET STATISTICS {c4}", part.name),
                )
            }),
            "other" => self
                .building
                .lost(format!("it owns {c4}, which would go with it")),
            _ => {}
        }
    }

    /// A part that came by before: its statement creates it.
    fn part(&mut self, oid: String, part: Named, set: String) {
        let columns = self.columns.get(&oid).cloned().unwrap_or_default();
        self.building
            .later(0, part.aspect, &part.what, columns, set, String::new());
        self.named.insert(oid, part);
    }

    /// Something of a part: what, and the statement that sets it.
    fn on_part(&mut self, oid: &str, of: impl Fn(&Named) -> (String, String)) {
        let Some(part) = self.named.get(oid) else {
            return;
        };
        let (what, set) = of(part);
        let columns = self.columns.get(oid).cloned().unwrap_or_default();
        self.building
            .later(2, part.aspect, &what, columns, set, String::new());
    }

    /// A trigger or a rule, whose names belong to the view. No statement disables one of a view.
    fn on_view(&mut self, oid: String, aspect: Aspect, name: &str, set: String, state: &str) {
        let word = aspect.as_str();
        let part = Named {
            aspect,
            what: format!("{word} {name}"),
            name: format!(
                "{} {} ON {}",
                word.to_uppercase(),
                quote(name),
                self.building.name
            ),
        };
        if state != "O" {
            self.building
                .lost(format!("{} is not simply enabled", part.what));
        }
        self.part(oid, part, set);
    }

    fn default(&mut self, number: &str, expression: &str) {
        let Some(column) = self.building.column(number) else {
            return;
        };
        let what = format!("default of column {column}");
        let alter = self.building.alter_column(&column);
        self.building.property(
            Aspect::Column,
            &what,
            Some(column),
            format!("{alter} SET DEFAULT {expression}"),
            format!("{alter} DROP DEFAULT"),
        );
    }

    fn index(&mut self, oid: &str, name: &str, set: String, facts: &str) {
        let name = qualified(name);
        let short = name.short;
        let part = Named {
            aspect: Aspect::Index,
            what: format!("index {short}"),
            name: format!("INDEX {}", name.full),
        };
        let what = part.what.clone();
        self.part(oid.to_owned(), part, set);
        let mut facts = facts.split(UNIT);
        let mark = facts.next().unwrap_or_default();
        let (space, usual) = (
            facts.next().unwrap_or_default(),
            facts.next().unwrap_or_default(),
        );
        if !space.is_empty() {
            let alter =
                |space| format!("ALTER INDEX {} SET TABLESPACE {}", name.full, quote(space));
            self.building.later(
                1,
                Aspect::Index,
                &format!("tablespace of {what}"),
                None,
                alter(space),
                alter(usual),
            );
        }
        let alter = format!("ALTER MATERIALIZED VIEW {}", self.building.name);
        if mark == "c" {
            self.on_part(oid, |part| {
                (
                    format!("clustered on {}", part.what),
                    format!("{alter} CLUSTER ON {}", quote(short)),
                )
            });
        }
    }

    fn statistics(&mut self, oid: &str, name: &str, set: String, facts: &str) {
        let (owner, target) = facts.split_once(UNIT).unwrap_or((facts, ""));
        let name = qualified(name);
        let part = Named {
            aspect: Aspect::Statistics,
            what: format!("statistics {}", name.short),
            name: format!("STATISTICS {}", name.full),
        };
        self.part(oid.to_owned(), part, set);
        self.on_part(oid, |part| {
            (
                format!("owner of {}", part.what),
                format!("ALTER {} OWNER TO {}", part.name, quote(owner)),
            )
        });
        if !target.is_empty() {
            self.on_part(oid, |part| {
                (
                    format!("target of {}", part.what),
                    format!("ALTER {} SET STATISTICS {target}", part.name),
                )
            });
        }
    }
}

/// Of something that has a schema.
struct Qualified<'a> {
    short: &'a str,
    full: String,
}

fn qualified(name: &str) -> Qualified<'_> {
    let (schema, short) = name.split_once(UNIT).unwrap_or(("", name));
    Qualified {
        short,
        full: format!("{}.{}", quote(schema), quote(short)),
    }
}
