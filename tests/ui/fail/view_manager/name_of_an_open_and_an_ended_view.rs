use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(requires = [create_users])]
fn split_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(requires = [create_users])]
fn beside(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(name = "active_users", since = create_users, until = split_users, sql = "SELECT 1")]
struct V1;

// `beside` may run before `split_users`.
#[view_manager(name = "active_users", since = beside, sql = "SELECT 2")]
struct V2;

fn main() {}
