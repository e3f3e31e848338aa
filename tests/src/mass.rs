//! What the worker processes of `tests/mass` run.

use std::{thread, time::Duration};

use migrate_diesel::prelude::*;

use crate::{
    cases::{is_on, leave},
    database::Scratch,
};

/// Counts every row of `proof` that it gets; one that is bad cannot be counted.
#[mass_migration(database = "proof", table = "proof", batch = 2_000)]
pub(crate) fn proof_count(db: &mut AnyConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    let rows = diesel::sql_query(format!(
        "UPDATE proof SET n = n + 1 WHERE {}",
        batch.filter()
    ))
    .execute(db)?;
    // Between the effects and their end, so that there is something to be killed in.
    thread::sleep(Duration::from_millis(3));
    Ok(rows)
}

impl Scratch {
    /// The table of `proof_count` with this many rows, whose keys are the even numbers.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn fill_proof(&self, rows: u32) {
        self.sql(
            "CREATE TABLE proof (id BIGINT NOT NULL PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0, \
             bad INTEGER NOT NULL DEFAULT 0, CHECK (n = 0 OR bad = 0))",
        );
        let thousand =
            "WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i < 999)";
        // MariaDB counts no further than a thousand in one query.
        self.sql(&format!(
            "INSERT INTO proof (id) {thousand} SELECT (a.i * 1000 + b.i + 1) * 2 FROM k a CROSS JOIN k b \
             WHERE a.i * 1000 + b.i < {rows}"
        ));
    }
}

/// What `proof_upon_count` does is undone with it.
#[migration(database = "proof_upon", down = reset_proof)]
pub(crate) fn proof_upon_base(_: &mut AnyConnection) -> QueryResult<()> {
    Ok(())
}

fn reset_proof(db: &mut AnyConnection) -> QueryResult<()> {
    db.batch_execute("UPDATE proof SET n = 0 WHERE n <> 0")
}

#[mass_migration(
    database = "proof_upon",
    requires = [proof_upon_base],
    table = "proof",
    batch = 500,
    shards = 2
)]
pub(crate) fn proof_upon_count(db: &mut AnyConnection, batch: &Batch<i64>) -> QueryResult<usize> {
    proof_count(db, batch)
}

/// One step, which hangs as long as the switch is on.
#[mass_migration(database = "proof_step")]
pub(crate) fn proof_step(db: &mut AnyConnection) -> QueryResult<()> {
    leave(db, "step")?;
    if is_on(db, "hang") {
        thread::sleep(Duration::from_secs(600));
    }
    Ok(())
}
