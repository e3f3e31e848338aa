//! What is in a database, so that a run that does less is not taken for a faster one.

use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, sql_query, sql_types};
use migrate_diesel::AnyConnection;

use crate::task::Backend;

/// Every view with what hangs on it, one line each.
const POSTGRES: &str = "SELECT c.relname::text AS c0, pg_get_viewdef(c.oid) AS c1, c.reloptions::text AS c2, c.relacl::text AS c3, \
    obj_description(c.oid, 'pg_class') AS c4, (SELECT string_agg(objsubid || description, ',' ORDER BY objsubid) \
    FROM pg_description WHERE classoid = 'pg_class'::regclass AND objoid = c.oid AND objsubid > 0) AS c5 \
    FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace ORDER BY 1";
const MYSQL: &str = "SELECT v.table_name AS c0, view_definition AS c1, definer AS c2, security_type AS c3, \
    p.privilege_type AS c4, NULL AS c5 FROM information_schema.views v LEFT JOIN information_schema.table_privileges p \
    ON p.table_schema = v.table_schema AND p.table_name = v.table_name WHERE v.table_schema = DATABASE() ORDER BY 1";
const SQLITE: &str = "SELECT v.name AS c0, v.sql AS c1, t.sql AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
    FROM sqlite_master v LEFT JOIN sqlite_master t ON t.type = 'trigger' AND t.tbl_name = v.name \
    WHERE v.type = 'view' ORDER BY 1";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    c0: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    c1: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    c2: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    c3: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    c4: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    c5: Option<String>,
}

fn rows(db: &mut AnyConnection, sql: &str) -> QueryResult<Vec<Row>> {
    match db {
        AnyConnection::Sqlite(db) => sql_query(sql).load(db),
        AnyConnection::Postgres(db) => sql_query(sql).load(db),
        AnyConnection::Mysql(db) => sql_query(sql).load(db),
    }
}

/// All views. Each has a fact in every column that its database has one for.
pub fn views(db: &mut AnyConnection, backend: Backend) -> Result<Vec<String>, String> {
    let (sql, facts) = match backend {
        Backend::Sqlite => (SQLITE, 3),
        Backend::Postgres => (POSTGRES, 6),
        Backend::Mysql => (MYSQL, 5),
    };
    let rows = rows(db, sql).map_err(|error| error.to_string())?;
    rows.into_iter()
        .map(|row| {
            let texts: Vec<String> = [row.c0, row.c1, row.c2, row.c3, row.c4, row.c5]
                .into_iter()
                .flatten()
                .collect();
            if texts.len() == facts {
                Ok(texts.join("\n"))
            } else {
                Err(format!("something is missing on this view: {texts:?}"))
            }
        })
        .collect()
}

/// The length of the column that is changed.
pub fn length(db: &mut AnyConnection, backend: Backend) -> Result<String, String> {
    let sql = match backend {
        Backend::Sqlite => "SELECT substr(type, 9, length(type) - 9) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
            FROM pragma_table_info('accounts') WHERE name = 'email'".to_owned(),
        Backend::Postgres | Backend::Mysql => format!(
            "SELECT CAST(character_maximum_length AS CHAR(10)) AS c0, NULL AS c1, NULL AS c2, NULL AS c3, NULL AS c4, NULL AS c5 \
             FROM information_schema.columns WHERE table_schema = {} AND table_name = 'accounts' AND column_name = 'email'",
            if backend == Backend::Mysql { "DATABASE()" } else { "current_schema()" }
        ),
    };
    let rows = rows(db, &sql).map_err(|error| error.to_string())?;
    let length = rows.into_iter().find_map(|row| row.c0);
    Ok(length.unwrap_or_default().trim().to_owned())
}
