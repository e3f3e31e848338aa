use migrate_diesel::migrations_dir;

migrations_dir!(
    "../../../../tests/sql/sqlx",
    format = sea-orm,
    requires = "schema",
    backend = oracle,
    rename = ["a", "b"],
    databse = "x"
);

migrations_dir!(
    "../../../../tests/sql/sqlx",
    format = sqlx,
    rename = { "20240101000000_sql_order" = "orders", "20240102000000_sql_nothing" = "no name", "x" }
);

migrations_dir!("../../../../tests/sql/sqlx" format = sqlx);

migrations_dir!();

fn main() {}
