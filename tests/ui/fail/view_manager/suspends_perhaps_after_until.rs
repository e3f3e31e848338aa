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

// Whether it runs before or after `drop_users` is open.
#[migration(requires = [create_users], suspends = [ActiveUsers])]
fn beside(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
