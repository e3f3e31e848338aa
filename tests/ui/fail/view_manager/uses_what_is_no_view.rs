use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

struct Plain;

fn helper() {}

#[view_manager(since = create_users, uses = [create_users, Plain], sql = "SELECT 1")]
struct OfOthers;

#[view_manager(since = create_users, uses = [helper], sql = "SELECT 1")]
struct OfAFunction;

fn main() {}
