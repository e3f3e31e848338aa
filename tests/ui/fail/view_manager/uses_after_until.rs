use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(requires = [create_users])]
fn split_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(requires = [split_users])]
fn drop_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, until = split_users, sql = "SELECT 1")]
struct ActiveUsers;

#[view_manager(since = create_users, uses = [ActiveUsers], sql = "SELECT 1")]
struct ForEver;

#[view_manager(since = create_users, until = drop_users, uses = [ActiveUsers], sql = "SELECT 1")]
struct TooLong;

fn main() {}
