use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, sql = "SELECT 1")]
struct ActiveUsers;

mod other {
    use migrate_diesel::prelude::*;

    #[view_manager(since = super::create_users, name = "others", sql = "SELECT 2")]
    struct ActiveUsers;
}

fn main() {}
