use migrate_diesel::prelude::*;

#[migration]
fn create_users(db: &mut SqliteConnection) -> QueryResult<()> {
    db.batch_execute("SELECT 1")
}

#[view_manager(since = create_users, name = "", sql = "SELECT 1")]
struct Empty;

#[view_manager(since = create_users, name = "db.reporting.totals", sql = "SELECT 1")]
struct TwoDots;

#[view_manager(since = create_users, name = "\"Totals\"", sql = "SELECT 1")]
struct Quoted;

#[view_manager(since = create_users, name = "totals.", sql = "SELECT 1")]
struct HalfWritten;

#[view_manager(since = create_users, sql = "SELECT 1")]
struct ATypeWhoseNameIsLongerThanAnythingThatPostgresWouldNotCutOffInSilence;

fn main() {}
