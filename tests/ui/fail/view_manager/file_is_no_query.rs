use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

// Beside the manifest of the crate that this is.
#[view_manager(since = create_users, file = "Cargo.toml")]
struct ActiveUsers;

fn main() {}
