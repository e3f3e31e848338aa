use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, sql = "SELECT 1", file = "views/active_users.sql")]
struct Both;

#[view_manager(since = create_users, sql = "SELECT 1", indexes = ["CREATE INDEX i ON v (id)"])]
struct Plain;

#[view_manager(since = create_users, sql = "SELECT 1", materialized, options = [security_barrier])]
struct Materialized;

#[view_manager(since = create_users, options = [security_barrier], indexes = ["CREATE INDEX i ON v (id)"])]
struct ByHand;

fn main() {}
