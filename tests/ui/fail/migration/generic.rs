use migrate_diesel::prelude::*;

#[migration]
fn of_type<'a, C: SimpleConnection, const N: usize>(db: &'a mut C) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

fn main() {}
