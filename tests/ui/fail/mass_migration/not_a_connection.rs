use migrate_diesel::prelude::*;

struct Pool;

#[mass_migration(table = "users")]
fn fill(pool: &mut Pool, batch: &Batch<i64>) -> QueryResult<usize> {
    let _ = (pool, batch);
    Ok(0)
}

fn main() {}
