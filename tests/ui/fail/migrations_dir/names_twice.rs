mod files {
    migrate_diesel::migrations_dir!("../../../../tests/ui/sql/twice", format = sqlx);
}

fn main() {
    let _ = migrate_diesel::migrations![files::add_index];
}
