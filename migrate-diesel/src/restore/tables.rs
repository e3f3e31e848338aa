//! What a database holds.

use crate::{
    backend::{Dialect, Driver},
    error::Error,
};

/// The table that says that a restore was begun, where it cannot be rolled back.
pub(crate) fn begun_table(history: &str) -> String {
    format!("{history}_dump")
}

/// Tables and views that it holds: a few of them, if there are many.
pub(crate) fn held(driver: &mut dyn Driver) -> Result<Vec<String>, Error> {
    let sql = holding(driver.dialect());
    let rows = driver
        .rows(&sql)
        .map_err(Error::database("read the catalog"))?;
    Ok(rows.into_iter().filter_map(|row| row.c0).collect())
}

fn holding(dialect: &Dialect) -> String {
    const REST: &str = "NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5";
    const SOME: usize = 6;
    let (name, from) = match dialect.name {
        // What belongs to an extension (PostGIS has a table) came with it.
        "postgres" => (
            "CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END",
            "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' \
             AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass \
             AND d.objid = c.oid AND d.deptype = 'e')",
        ),
        "mysql" => (
            "CAST(table_name AS CHAR)",
            "information_schema.tables WHERE table_schema = DATABASE()",
        ),
        _ => (
            "name",
            "sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        ),
    };
    format!("SELECT {name} AS c0, {REST} FROM {from} ORDER BY 1 LIMIT {SOME}")
}
