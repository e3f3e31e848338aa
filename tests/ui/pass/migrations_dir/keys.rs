#![deny(warnings, missing_docs, unreachable_pub, unused, nonstandard_style)]
#![warn(missing_debug_implementations, single_use_lifetimes)]
//! Every key of `migrations_dir!`, and what may name its nodes.

use migrate_diesel::prelude::*;

/// Comes before all files.
#[migration]
pub fn schema(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

/// Files of Diesel.
pub mod files {
    migrate_diesel::migrations_dir!(
        "../../../../tests/sql/diesel",
        format = diesel,
        requires = [super::schema, super::prefixed::sql_outside],
        rename = { "2024-01-03-000000_sql_index" = "type", },
        database = "default",
        crate = migrate_diesel,
    );
}

mod prefixed {
    use migrate_diesel::migrations_dir;

    migrations_dir! { "../../../../tests/sql/sqlx/", format = sqlx, backend = sqlite, prefix = "files-" }
}

macro_rules! of_refinery {
    ($directory:literal) => {
        migrate_diesel::migrations_dir!($directory, format = refinery, databases = ["default"]);
    };
}

mod within {
    of_refinery!("../../../../tests/sql/refinery");
}

#[migration(requires = [files::r#type, within::sql_late])]
pub(crate) fn after(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(name = "users_in_sql", since = files::sql_users, sql = "SELECT id FROM sql_users")]
struct Users;

#[migrate_diesel::requires_migration(files::sql_users, on_missing = panic)]
fn guarded() {}

fn main() {
    let graph = migrate_diesel::Migrator::linked().unwrap();
    let graph = graph.graph().unwrap();
    let order: Vec<&str> = graph.iter().map(|it| it.id.name()).collect();
    assert_eq!(
        order,
        [
            "sql_items",
            "sql_late",
            "files-sql_orders",
            "files-sql_nothing",
            "files-sql_outside",
            "schema",
            "sql_users",
            "sql_index",
            "type",
            "after",
        ]
    );
    let _: fn() = guarded;
}
