use migrate_diesel::prelude::*;

mod files {
    migrate_diesel::migrations_dir!("../../../../tests/sql/refinery", format = refinery);
}

#[migration(requires = [files::sql_lately])]
fn after(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
