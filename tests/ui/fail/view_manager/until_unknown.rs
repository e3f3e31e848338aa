use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, until = drop_users, sql = "SELECT 1")]
struct ActiveUsers;

fn main() {}
