migrate_diesel::migrations_dir!("../../../../tests/sql/sqlx");

fn main() {}
