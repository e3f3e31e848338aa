//! Without the command line. Its own migration is pending nowhere: it is for another database.
use first as _;
use migrate_diesel::{Migrator, prelude::*};
use second as _;

#[migration(database = "elsewhere")]
fn elsewhere(_: &mut SqliteConnection) -> QueryResult<()> {
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(2).unwrap_or_default();
    let mut db = SqliteConnection::establish(url.trim_start_matches("sqlite://"))?;
    let migrator = Migrator::linked()?;
    let applied = migrator.up(&mut db)?.applied;
    let carried = migrator.graph()?.len() + Migrator::linked()?.database("elsewhere").graph()?.len();
    println!("carries {carried}, applied {applied}");
    Ok(())
}
