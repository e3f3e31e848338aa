mod accounts {
    use migrate_diesel::prelude::*;

    #[migration]
    pub fn create(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }
}

mod orders {
    use migrate_diesel::prelude::*;

    #[migration]
    pub fn create(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 2")
    }
}

fn main() {}
