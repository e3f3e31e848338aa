//! sqlx as its documentation shows it, on one connection and one thread, which is its fastest way.
#![cfg_attr(not(feature = "count"), forbid(unsafe_code))]

use std::str::FromStr as _;

use sqlx::ConnectOptions as _;

include!(concat!(env!("OUT_DIR"), "/embed.rs"));

#[cfg(feature = "count")]
statements::count_statements!();

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = std::env::args().nth(1).ok_or("usage: bench-sqlx URL")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        #[cfg(feature = "sqlite")]
        let options = sqlx::sqlite::SqliteConnectOptions::from_str(&url)?.create_if_missing(true);
        #[cfg(feature = "postgres")]
        let options = sqlx::postgres::PgConnectOptions::from_str(&url)?;
        let mut connection = options.connect().await?;
        MIGRATOR.run(&mut connection).await?;
        Ok(())
    })
}
