mod files {
    migrate_diesel::migrations_dir!("../../../../tests/sql/sqlx", format = refinery);
}

mod more {
    migrate_diesel::migrations_dir!("../../../../tests/sql/diesel", format = sqlx);
}

fn main() {}
