use migrate_diesel::prelude::*;

// All errors at once, and none at those who require it.
#[migration(requires = ["x", create_user], id = 3, trasaction = none)]
async fn create_users(db: &SqliteConnection) {
    let _ = db;
}

#[migration(requires = [create_users])]
fn index_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE INDEX users_id ON users (id)")
}

fn main() {}
