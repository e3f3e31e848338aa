use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration]
fn create_posts(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, sql = "SELECT 1")]
struct ActiveUsers;

#[view_manager(since = create_posts, uses = [ActiveUsers], sql = "SELECT 1")]
struct Posts;

fn main() {}
