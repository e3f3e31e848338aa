//! Visits of our pages: more rows than a deploy should wait for.
//!
//! `migrate mass run time_in_milliseconds -p visits=1000000` makes a million of them up and works on them;
//! kill it as often as you like.

use migrate_diesel::{mass::MassParameters, prelude::*};
use serde::{Deserialize, Serialize};

/// Who looked at what, and for how many seconds.
#[migration(down = drop_visits)]
pub fn create_visits(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute(
        "CREATE TABLE visits (
             id INTEGER PRIMARY KEY,
             page TEXT NOT NULL,
             duration INTEGER NOT NULL
         )",
    )
}

fn drop_visits(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("DROP TABLE visits")
}

/// Seconds become milliseconds. A row that is done twice would be wrong, and look right.
#[mass_migration(
    requires = [create_visits],
    table = "visits",
    batch = 2_000,
    parameters = Invented,
    before = invent_visits,
    down = time_in_seconds
)]
pub fn time_in_milliseconds(
    db: &mut SqliteConnection,
    batch: &Batch<i64>,
    _: &Invented,
) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "UPDATE visits SET duration = duration * 1000 WHERE {}",
        batch.filter()
    ))
    .execute(db)
}

fn time_in_seconds(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("UPDATE visits SET duration = duration / 1000")
}

/// This shop has no visitors of its own.
#[derive(Debug, Serialize, Deserialize, MassParameters)]
pub struct Invented {
    /// How many visits to make up.
    #[parameter(default = 1_000)]
    visits: u64,
}

/// Of one to ten minutes each.
fn invent_visits(db: &mut SqliteConnection, invented: &Invented) -> QueryResult<()> {
    db.batch_execute(&format!(
        "INSERT INTO visits (page, duration)
         WITH RECURSIVE numbers (n) AS (
             SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {}
         )
         SELECT '/products/' || n % 500, 60 + n * 7919 % 540 FROM numbers",
        invented.visits
    ))
}
