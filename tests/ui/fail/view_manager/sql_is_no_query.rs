use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, sql = "CREATE VIEW active_users AS SELECT 1")]
struct Whole;

#[view_manager(since = create_users, sql = "")]
struct Empty;

#[view_manager(since = create_users, sql = "-- nothing but this")]
struct Comment;

#[view_manager(since = create_users, sql = "users")]
struct Table;

#[view_manager(since = create_users, sql = "TABLE users", materialized, indexes = ["CREATE INDEX i ON indexed (id)", "id"])]
struct Indexed;

fn main() {}
