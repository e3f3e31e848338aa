mod files {
    migrate_diesel::migrations_dir!("../../../../tests/sql/refinery", format = refinery);
}

mod code {
    use migrate_diesel::prelude::*;

    #[migration]
    pub fn sql_late(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }
}

fn main() {}
