use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(requires = [create_users])]
fn drop_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, until = drop_users, sql = "SELECT 1")]
struct ActiveUsers;

#[migration(requires = [drop_users], suspends = [ActiveUsers])]
fn too_late(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
