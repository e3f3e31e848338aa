use migrate_diesel::prelude::*;

pub struct Users;

impl Users {
    #[migration]
    pub fn create(&self, db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("CREATE TABLE users (id INTEGER)")
    }
}

fn main() {}
