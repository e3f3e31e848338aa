use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, uses = [V2], sql = "SELECT 1")]
struct V1;

#[view_manager(since = create_users, uses = [V3], sql = "SELECT 1")]
struct V2;

#[view_manager(since = create_users, uses = [Innocent, V1], sql = "SELECT 1")]
struct V3;

#[view_manager(since = create_users, sql = "SELECT 1")]
struct Innocent;

#[view_manager(since = create_users, uses = [V1], sql = "SELECT 1")]
struct Downstream;

fn main() {}
