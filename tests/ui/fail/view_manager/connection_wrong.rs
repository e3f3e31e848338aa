use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users)]
struct ActiveUsers;

#[view_manager]
impl ViewManager for ActiveUsers {
    type Connection = SqliteConnection;
    fn up(db: &mut PgConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }
    fn down(_: &mut SqliteConnection) -> QueryResult<()> {
        Ok(())
    }
}

fn main() {}
