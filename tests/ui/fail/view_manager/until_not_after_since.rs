use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration]
fn fill_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

// Nothing orders the two.
#[view_manager(since = create_users, until = fill_users, sql = "SELECT 1")]
struct ActiveUsers;

fn main() {}
