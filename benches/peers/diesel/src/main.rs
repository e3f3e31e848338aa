//! diesel_migrations as its documentation shows it.
#![cfg_attr(not(feature = "count"), forbid(unsafe_code))]

use diesel::Connection as _;
use diesel_migrations::MigrationHarness as _;

include!(concat!(env!("OUT_DIR"), "/embed.rs"));

#[cfg(feature = "count")]
statements::count_statements!();

#[cfg(feature = "sqlite")]
type Connection = diesel::SqliteConnection;
#[cfg(feature = "postgres")]
type Connection = diesel::PgConnection;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = std::env::args().nth(1).ok_or("usage: bench-diesel URL")?;
    let mut connection = Connection::establish(&url)?;
    connection.run_pending_migrations(MIGRATIONS)?;
    Ok(())
}
