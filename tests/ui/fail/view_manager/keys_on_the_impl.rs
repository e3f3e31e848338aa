use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users)]
struct ActiveUsers;

#[view_manager(since = create_users)]
impl ViewManager for ActiveUsers {
    type Connection = SqliteConnection;
    fn up(_: &mut SqliteConnection) -> QueryResult<()> {
        Ok(())
    }
    fn down(_: &mut SqliteConnection) -> QueryResult<()> {
        Ok(())
    }
}

fn main() {}
