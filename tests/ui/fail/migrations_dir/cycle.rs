mod files {
    migrate_diesel::migrations_dir!(
        "../../../../tests/sql/refinery",
        format = refinery,
        requires = [sql_late]
    );
}

fn main() {}
