//! refinery as its documentation shows it; `grouped` is its mode with one transaction for all.
#![cfg_attr(not(feature = "count"), forbid(unsafe_code))]

include!(concat!(env!("OUT_DIR"), "/embed.rs"));

#[cfg(feature = "count")]
statements::count_statements!();

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut words = std::env::args().skip(1);
    let url = words.next().ok_or("usage: bench-refinery URL [grouped]")?;
    let grouped = words.next().is_some_and(|word| word == "grouped");
    #[cfg(feature = "sqlite")]
    let mut connection = rusqlite::Connection::open(url)?;
    #[cfg(feature = "postgres")]
    let mut connection = postgres::Client::connect(&url, postgres::NoTls)?;
    runner().set_grouped(grouped).run(&mut connection)?;
    Ok(())
}
