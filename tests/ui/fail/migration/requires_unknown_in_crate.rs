use migrate_diesel::prelude::*;

#[migration(requires = [billing::no_such_migration, no_such_crate::migration])]
fn create_orders(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("CREATE TABLE orders (id INTEGER)")
}

fn main() {}
