use migrate_diesel::prelude::*;

#[mass_migration(table = "users")]
struct Fill;

struct Holder;

impl Holder {
    #[mass_migration(table = "users")]
    fn fill(&self, batch: &Batch<i64>) -> QueryResult<usize> {
        let _ = batch;
        Ok(0)
    }
}

fn main() {}
