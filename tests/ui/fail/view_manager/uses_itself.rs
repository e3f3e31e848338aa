use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, uses = [ActiveUsers], sql = "SELECT 1")]
struct ActiveUsers;

#[view_manager(since = create_users, uses = [self::ByPath], sql = "SELECT 1")]
struct ByPath;

fn main() {}
