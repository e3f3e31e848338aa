use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(sinse = create_users, query = "SELECT 1", materialised, option = [definer])]
struct ActiveUsers;

fn main() {}
