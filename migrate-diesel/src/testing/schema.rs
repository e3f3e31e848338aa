//! [`Schema`]: what a database's catalog says, so that two can be compared.

use std::collections::{BTreeMap, BTreeSet};

use super::TestError;
use crate::backend::Driver;

/// Everything that migrations make, by name, as the catalog describes it. Without the order of
/// columns: one that comes back stands at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schema(BTreeMap<String, String>);

impl Schema {
    /// That of a database, but for the history's own tables.
    pub(super) fn read(driver: &mut dyn Driver, history_table: &str) -> Result<Self, TestError> {
        let history = history_table.rsplit('.').next().unwrap_or(history_table);
        let (queries, normal): (&[&str], fn(&str) -> String) = match driver.dialect().name {
            #[cfg(feature = "sqlite")]
            "sqlite" => (SQLITE, sqlite_normal),
            #[cfg(feature = "mysql")]
            "mysql" => (MYSQL, str::to_owned),
            _ => (POSTGRES, str::to_owned),
        };
        let mut found = BTreeMap::new();
        for query in queries {
            let query = format!(
                "SELECT name AS c0, definition AS c1, owner AS c2, NULL AS c3, NULL AS c4, NULL AS c5 FROM ({query}) found"
            );
            let rows = driver
                .rows(&query)
                .map_err(TestError::server("read the schema"))?;
            for row in rows {
                if row.c2.is_some_and(|owner| owner.starts_with(history)) {
                    continue;
                }
                let name = row.c0.unwrap_or_default();
                found.insert(name, normal(&row.c1.unwrap_or_default()));
            }
        }
        Ok(Self(found))
    }

    /// A line for each thing that is not the same.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let line = |name: &String| match (self.0.get(name), other.0.get(name)) {
            (Some(one), Some(two)) if one == two => None,
            (Some(one), Some(two)) => Some(format!("{name}: `{one}`, then `{two}`")),
            (Some(_), None) => Some(format!("{name} is gone")),
            (None, _) => Some(format!("{name} is new")),
        };
        names.into_iter().filter_map(line).collect()
    }
}

#[cfg(feature = "sqlite")]
const SQLITE: &[&str] = &[
    "SELECT type || ' ' || name AS name, sql AS definition, tbl_name AS owner \
    FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
];

/// The statement without layout, comments and quotes around names; of a table, its parts sorted.
#[cfg(feature = "sqlite")]
fn sqlite_normal(sql: &str) -> String {
    use crate::backend::view_text::{Kind, SQLITE as FLAVOR, tokens};

    let mut parts = vec![Vec::new()];
    let mut depth = 0_usize;
    for token in tokens(sql, FLAVOR) {
        let text = match token.kind {
            Kind::Word | Kind::Quoted => token.text.to_lowercase(),
            Kind::Text => format!("'{}'", token.text),
            _ => token.text.into_owned(),
        };
        let (opens, closes) = (text == "(", text == ")");
        depth = depth.saturating_sub(usize::from(closes));
        let ends_part =
            depth <= 1 && (text == "," || opens || closes) && (depth == 0 || text == ",");
        depth += usize::from(opens);
        if ends_part {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(text);
        }
    }
    let mut parts: Vec<String> = parts.into_iter().map(|part| part.join(" ")).collect();
    if parts
        .first()
        .is_some_and(|first| first.starts_with("create table"))
    {
        parts.sort_unstable();
    }
    parts.join(", ")
}

#[cfg(feature = "mysql")]
const MYSQL: &[&str] = &[
    "SELECT CONCAT('table ', table_name) AS name, CONCAT_WS(' ', table_type, engine, table_collation) AS definition, \
     table_name AS owner FROM information_schema.tables WHERE table_schema = DATABASE()",
    "SELECT CONCAT('column ', table_name, '.', column_name) AS name, \
     CONCAT_WS(' ', column_type, IF(is_nullable = 'NO', 'NOT NULL', NULL), CONCAT('DEFAULT ', column_default), extra, \
     collation_name, generation_expression) AS definition, table_name AS owner \
     FROM information_schema.columns WHERE table_schema = DATABASE()",
    "SELECT CONCAT('index ', table_name, '.', index_name) AS name, \
     CONCAT(MIN(index_type), IF(MIN(non_unique) = 0, ' UNIQUE ', ' '), \
     GROUP_CONCAT(CONCAT_WS(' ', column_name, sub_part, collation) ORDER BY seq_in_index)) AS definition, table_name AS owner \
     FROM information_schema.statistics WHERE table_schema = DATABASE() GROUP BY table_name, index_name",
    "SELECT CONCAT('foreign key ', k.table_name, '.', k.constraint_name) AS name, \
     CONCAT(GROUP_CONCAT(CONCAT(k.column_name, '=', k.referenced_table_name, '.', k.referenced_column_name) \
     ORDER BY k.ordinal_position), ' ', MIN(r.update_rule), ' ', MIN(r.delete_rule)) AS definition, k.table_name AS owner \
     FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r \
     ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name \
     WHERE k.table_schema = DATABASE() GROUP BY k.table_name, k.constraint_name",
    "SELECT CONCAT('check ', constraint_name) AS name, GROUP_CONCAT(check_clause ORDER BY check_clause) AS definition, \
     constraint_name AS owner FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() \
     GROUP BY constraint_name",
    "SELECT CONCAT('view ', table_name) AS name, view_definition AS definition, table_name AS owner \
     FROM information_schema.views WHERE table_schema = DATABASE()",
    "SELECT CONCAT('routine ', routine_name) AS name, routine_definition AS definition, routine_name AS owner \
     FROM information_schema.routines WHERE routine_schema = DATABASE()",
    "SELECT CONCAT('trigger ', trigger_name) AS name, \
     CONCAT_WS(' ', action_timing, event_manipulation, event_object_table, action_statement) AS definition, \
     event_object_table AS owner FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
];

/// What extensions bring is theirs, and shows as the extension.
const POSTGRES: &[&str] = &[
    "SELECT 'relation ' || c.oid::regclass AS name, \
     concat_ws(' ', c.relkind, c.relpersistence, c.reloptions::text, CASE WHEN c.relrowsecurity THEN 'row security' END) AS definition, \
     c.relname AS owner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname !~ '^(pg_|information_schema$)' AND c.relkind <> 'i' \
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')",
    "SELECT 'column ' || c.oid::regclass || '.' || a.attname AS name, \
     concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END, \
     'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, ''), nullif(a.attgenerated, ''), \
     'COLLATE ' || (SELECT collname FROM pg_collation l WHERE l.oid = a.attcollation)) AS definition, c.relname AS owner \
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
     WHERE n.nspname !~ '^(pg_|information_schema$)' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') \
     AND a.attnum > 0 AND NOT a.attisdropped",
    "SELECT 'constraint ' || k.conrelid::regclass || '.' || k.conname AS name, pg_get_constraintdef(k.oid) AS definition, \
     c.relname AS owner FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^(pg_|information_schema$)'",
    "SELECT 'index ' || i.indexrelid::regclass AS name, pg_get_indexdef(i.indexrelid) AS definition, c.relname AS owner \
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname !~ '^(pg_|information_schema$)'",
    "SELECT 'definition of ' || c.oid::regclass AS name, pg_get_viewdef(c.oid) AS definition, c.relname AS owner \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname !~ '^(pg_|information_schema$)' AND c.relkind IN ('v', 'm')",
    "SELECT 'function ' || p.oid::regprocedure AS name, pg_get_functiondef(p.oid) AS definition, p.proname AS owner \
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
     WHERE n.nspname !~ '^(pg_|information_schema$)' AND p.prokind IN ('f', 'p') \
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')",
    "SELECT 'trigger ' || t.tgrelid::regclass || '.' || t.tgname AS name, pg_get_triggerdef(t.oid) AS definition, \
     c.relname AS owner FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal",
    "SELECT 'type ' || t.oid::regtype AS name, \
     concat_ws(' ', t.typtype, (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) \
     FROM pg_enum e WHERE e.enumtypid = t.oid), format_type(nullif(t.typbasetype, 0), t.typtypmod), \
     CASE WHEN t.typnotnull THEN 'NOT NULL' END, t.typdefault, (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) \
     FROM pg_constraint k WHERE k.contypid = t.oid)) AS definition, t.typname AS owner \
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
     WHERE n.nspname !~ '^(pg_|information_schema$)' AND t.typtype IN ('e', 'd', 'r')",
    "SELECT 'sequence ' || s.seqrelid::regclass AS name, \
     concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle) AS definition, \
     c.relname AS owner FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid",
    "SELECT 'policy ' || tablename || '.' || policyname AS name, \
     concat_ws(' ', permissive, roles::text, cmd, qual, with_check) AS definition, tablename AS owner FROM pg_policies",
    "SELECT 'schema ' || nspname AS name, '' AS definition, NULL AS owner FROM pg_namespace \
     WHERE nspname !~ '^(pg_|information_schema$)'",
    "SELECT 'extension ' || extname AS name, '' AS definition, NULL AS owner FROM pg_extension",
];
