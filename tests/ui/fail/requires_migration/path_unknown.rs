use migrate_diesel::{NotMigrated, requires_migration};

mod migrations {
    use migrate_diesel::prelude::*;

    #[migration]
    pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }
}

#[requires_migration(migrations::create_user)]
fn users() -> Result<u64, NotMigrated> {
    Ok(1)
}

fn main() {
    let _ = users();
}
