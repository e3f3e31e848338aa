use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn helper(_: &mut SqliteConnection) {}

#[view_manager(since = create_users, sql = "SELECT 1")]
struct ActiveUsers;

#[view_manager(since = ActiveUsers, sql = "SELECT 1")]
struct SinceAView;

#[view_manager(since = create_users, until = ActiveUsers, sql = "SELECT 1")]
struct UntilAView;

#[view_manager(since = helper, sql = "SELECT 1")]
struct SinceAFunction;

fn main() {}
