mod accounts {
    use migrate_diesel::prelude::*;

    #[migration]
    fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("CREATE TABLE users (id INTEGER)")
    }
}

mod orders {
    use migrate_diesel::prelude::*;

    #[migration(requires = [super::accounts::create_users])]
    pub fn create_orders(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("CREATE TABLE orders (id INTEGER)")
    }
}

fn main() {}
