//! Everything that a database knows of its views, as text: what two databases have to have alike.
//!
//! Asked in other ways than the runner asks. Names instead of numbers, and no times.

use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types};
use migrate_diesel::AnyConnection;

use crate::database::{Backend, Scratch, texts};

/// A line for each fact, sorted. A line on the type of a column begins with `type `.
///
/// # Panics
/// When the catalog cannot be read.
#[must_use]
pub fn dump(scratch: &Scratch) -> Vec<String> {
    let mut db = scratch.connect();
    let mut lines = match scratch.backend {
        Backend::Sqlite => texts(&mut db, SQLITE),
        Backend::Postgres => texts(&mut db, POSTGRES),
        Backend::Mysql => mysql(&mut db),
    };
    // What a test cannot choose, and what two scratch databases differ in.
    for line in &mut lines {
        *line = line.replace(scratch.name(), "scratch");
    }
    lines.sort();
    lines
}

/// As [`dump`], without the types of columns: what a change of a type leaves alone.
#[must_use]
pub fn dump_but_types(scratch: &Scratch) -> Vec<String> {
    let mut lines = dump(scratch);
    lines.retain(|line| !line.starts_with("type "));
    lines
}

/// What is in one dump and not in the other: `- before`, `+ after`.
#[must_use]
pub fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let gone = before.iter().filter(|line| !after.contains(line));
    let new = after.iter().filter(|line| !before.contains(line));
    gone.map(|line| format!("- {line}"))
        .chain(new.map(|line| format!("+ {line}")))
        .collect()
}

/// Fails with what differs.
///
/// # Panics
/// When something does.
#[track_caller]
pub fn assert_same(before: &[String], after: &[String], when: &str) {
    let difference = difference(before, after);
    assert!(difference.is_empty(), "{when}:\n{}", difference.join("\n"));
    assert_eq!(
        before.len(),
        after.len(),
        "{when}: something is there twice"
    );
}

const SQLITE: &str = "\
SELECT CASE type WHEN 'table' THEN 'type of' ELSE type END || ' ' || name || ' on ' || tbl_name || ': ' || sql AS value
FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'migrate_history%'";

/// Of views, what belongs to them, and functions. The server's releases of November 2026 keep a mark of
/// their own among the options of columns, `pg_attver`, that changes with each creation.
const POSTGRES: &str = "\
WITH c AS (
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relname NOT LIKE 'migrate\\_history%'
), v AS (SELECT * FROM c WHERE relkind IN ('v', 'm')),
f AS (
  SELECT p.*, p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prokind IN ('f', 'p')
), acl(name, list) AS (
  SELECT name, coalesce(relacl, acldefault('r', relowner)) FROM v
  UNION ALL SELECT v.name || '.' || a.attname, a.attacl FROM v JOIN pg_attribute a ON a.attrelid = v.oid
  UNION ALL SELECT 'type ' || v.name, coalesce(t.typacl, acldefault('T', v.relowner)) FROM v JOIN pg_type t ON t.oid = v.reltype
  UNION ALL SELECT name, coalesce(proacl, acldefault('f', proowner)) FROM f
)
SELECT format('relation %s %s of %s, options %s, toast %s, %s, rows %s, method %s, identity %s, space %s: %s', v.relkind, v.name,
  v.relowner::regrole, (SELECT array_agg(o ORDER BY o) FROM unnest(v.reloptions) o),
  (SELECT array_agg(o ORDER BY o) FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = v.reltoastrelid), v.relpersistence,
  CASE WHEN v.relkind = 'v' THEN '' WHEN NOT v.relispopulated THEN 'none yet' ELSE
    md5(query_to_xml(format('SELECT * FROM %s q ORDER BY q::text', v.name), true, false, '')::text) END,
  (SELECT amname FROM pg_am WHERE oid = v.relam), v.relreplident, v.reltablespace, pg_get_viewdef(v.oid)) AS value FROM v
UNION ALL
SELECT format('granted on %s: %s by %s to %s, %s', name, privilege_type, grantor::regrole,
  CASE grantee WHEN 0 THEN 'everybody' ELSE grantee::regrole::text END, is_grantable) FROM acl, aclexplode(acl.list)
UNION ALL
SELECT format('type of %s.%I: %s, %s', v.name, attname, format_type(atttypid, atttypmod), attnum)
FROM v JOIN pg_attribute a ON a.attrelid = v.oid AND attnum > 0
UNION ALL
SELECT format('column %s.%I: statistics %s, storage %s, compression %s, options %s, default %s', c.name, attname, attstattarget,
  attstorage, attcompression, (SELECT array_agg(o ORDER BY o) FROM unnest(attoptions) o WHERE o NOT LIKE 'pg\\_attver=%'),
  pg_get_expr(d.adbin, d.adrelid))
FROM c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND c.relkind IN ('v', 'm', 'i')
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
UNION ALL
SELECT format('comment on %s %s: %s', i.type, i.identity, description)
FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i WHERE d.objoid >= 16384
UNION ALL
SELECT format('trigger, %s: %s', tgenabled, pg_get_triggerdef(t.oid)) FROM pg_trigger t JOIN v ON v.oid = t.tgrelid
UNION ALL
SELECT format('rule, %s: %s', ev_enabled, pg_get_ruledef(w.oid)) FROM pg_rewrite w JOIN v ON v.oid = w.ev_class
UNION ALL
SELECT format('index, clustered %s, identity %s, valid %s, space %s: %s', indisclustered, indisreplident, indisvalid, x.reltablespace,
  pg_get_indexdef(x.oid)) FROM pg_index i JOIN c x ON x.oid = i.indexrelid
UNION ALL
SELECT format('statistics of %s, target %s: %s', stxowner::regrole, stxstattarget, pg_get_statisticsobjdef(s.oid))
FROM pg_statistic_ext s
UNION ALL
SELECT format('function of %s: %s', f.proowner::regrole, pg_get_functiondef(f.oid)) FROM f";

#[derive(QueryableByName)]
struct Shown {
    #[diesel(sql_type = sql_types::Text, column_name = "Create View")]
    create: String,
    #[diesel(sql_type = sql_types::Text)]
    character_set_client: String,
    #[diesel(sql_type = sql_types::Text)]
    collation_connection: String,
}

/// Grants as the server stores them, rather than as it tells them.
const MYSQL_GRANTS: &str = "\
SELECT CONCAT_WS(' ', 'granted on', table_name, 'to', user, '@', host, table_priv, 'columns', column_priv) AS value
FROM mysql.tables_priv WHERE db = DATABASE()
UNION ALL
SELECT CONCAT_WS(' ', 'granted on', table_name, column_name, 'to', user, '@', host, column_priv)
FROM mysql.columns_priv WHERE db = DATABASE()
UNION ALL
SELECT CONCAT_WS(' ', 'type of', table_name, column_name, column_type, ordinal_position) FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name NOT LIKE 'migrate_history%'";

fn mysql(db: &mut AnyConnection) -> Vec<String> {
    let mut lines = texts(db, MYSQL_GRANTS);
    let names = texts(
        db,
        "SELECT table_name AS value FROM information_schema.views WHERE table_schema = DATABASE()",
    );
    for name in names {
        let shown: Shown = sql_query(format!("SHOW CREATE VIEW `{name}`"))
            .get_result(db)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let Shown {
            create,
            character_set_client: set,
            collation_connection: collation,
        } = shown;
        lines.push(format!("view {name}, {set}, {collation}: {create}"));
    }
    lines
}
