use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = "create_users", until = [create_users], uses = Other, sql = SELECT, name = active)]
struct One;

#[view_manager(since = create_users, uses = ["One"], file = "", materialized = true, indexes = "CREATE INDEX")]
struct Two;

#[view_manager(since = create_users, sql = "SELECT 1", options = security_barrier, unmanaged = drop)]
struct Three;

#[view_manager(since = create_users materialized sql = "SELECT 1")]
struct Four;

#[view_manager(since = create_users, database = "a", databases = ["b"], sql = "SELECT 1")]
struct Five;

fn main() {}
