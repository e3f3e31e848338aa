use migrate_diesel::prelude::*;

// What uses a declaration with errors gets none of its own, and none of the rules is asked.
#[migration(require = [])]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, until = also_wrong, sql = "SELECT 1")]
struct OfAWrongMigration;

#[migration(suspends = [OfAWrongMigration], id = 1)]
fn also_wrong(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[migration(suspends = [OfAWrongMigration])]
fn right(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = right, until = also_wrong, uses = [OfAWrongMigration], sql = "SELECT 1")]
struct Innocent;

fn main() {}
