use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, sql = "SELECT 1", materialized, sql = "SELECT 2", materialized)]
struct ActiveUsers;

fn main() {}
