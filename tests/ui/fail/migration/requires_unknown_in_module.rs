mod accounts {
    use migrate_diesel::prelude::*;

    #[migration]
    pub fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("CREATE TABLE users (id INTEGER)")
    }
}

mod orders {
    use migrate_diesel::prelude::*;

    #[migration(requires = [create_users])]
    pub fn create_orders(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("CREATE TABLE orders (id INTEGER)")
    }
}

fn main() {}
