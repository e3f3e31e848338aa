mod accounts {
    use migrate_diesel::prelude::*;

    #[migration(requires = [super::orders::bill])]
    pub fn first(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 1")
    }

    #[migration(requires = [first])]
    pub fn second(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 2")
    }
}

mod orders {
    use migrate_diesel::prelude::*;

    #[migration(requires = [crate::accounts::second])]
    pub fn bill(db: &mut SqliteConnection) -> QueryResult<()> {
        db.batch_execute("SELECT 3")
    }
}

fn main() {}
